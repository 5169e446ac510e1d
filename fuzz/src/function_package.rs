//! Deployment packages.

use functions::package::{ENTRIES, Sink, UNPACKED, walk};
use std::collections::BTreeMap;
use std::io::{self, Read};

/// Takes `input` for a package.
///
/// Whatever it holds, nothing that is handed over leads out of the folder: paths have no way up and each comes
/// once, below folders that came before; links lead only to what is below; and everything together is bounded.
pub fn function_package(input: &[u8]) {
    let mut checks = Checks::default();
    let walked = walk(input, &mut checks);
    assert!(checks.bytes <= UNPACKED && checks.seen.len() <= 2 * ENTRIES);
    assert!(walked.is_err() || !checks.seen.is_empty());
}

#[derive(Default)]
struct Checks {
    /// Whether a path is a folder.
    seen: BTreeMap<String, bool>,
    bytes: u64,
}

impl Checks {
    fn note(&mut self, path: &str, is_folder: bool) {
        assert!(path.split('/').all(|it| !matches!(it, "" | "." | "..")) && !path.contains('\0'));
        if let Some((above, _)) = path.rsplit_once('/') {
            assert_eq!(self.seen.get(above), Some(&true), "a folder comes before what is in it");
        }
        assert_eq!(self.seen.insert(path.to_owned(), is_folder), None, "each path comes once");
    }
}

impl Sink for Checks {
    fn folder(&mut self, path: &str) -> io::Result<()> {
        self.note(path, true);
        Ok(())
    }

    fn file(&mut self, path: &str, _executable: bool, content: &mut dyn Read) -> io::Result<()> {
        self.note(path, false);
        self.bytes += io::copy(content, &mut io::sink())?;
        Ok(())
    }

    fn link(&mut self, path: &str, target: &str) -> io::Result<()> {
        self.note(path, false);
        let up = target.split('/').take_while(|it| matches!(*it, "." | ".."));
        let up = up.filter(|it| *it == "..").count();
        assert!(up <= path.matches('/').count() && !target.starts_with('/'));
        assert_eq!(target.split('/').filter(|it| *it == "..").count(), up);
        Ok(())
    }
}
