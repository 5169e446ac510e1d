//! A secret access key in a file that only its owner may read.

use base::Sensitive;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where it is. It is read for each request, so that another key takes effect without a restart.
pub(super) struct KeyFile(PathBuf);

impl KeyFile {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Whether it can be used: why not.
    pub(super) fn check(&self) -> Result<(), String> {
        read(&self.0).map(drop)
    }

    pub(super) async fn read(&self) -> Result<Sensitive, String> {
        let path = self.0.clone();
        let read = tokio::task::spawn_blocking(move || read(&path)).await;
        read.map_err(|_| "the server stops".to_owned())?
    }
}

fn read(path: &Path) -> Result<Sensitive, String> {
    let shown = path.display();
    let failed = |error: std::io::Error| format!("can't read the key file `{shown}`: {error}");
    let file = File::open(path).map_err(failed)?;
    let found = file.metadata().map_err(failed)?;
    let mode = found.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(format!(
            "the key file `{shown}` is open to group or others (mode {mode:04o})\n\
             hint: chmod 600 {shown}"
        ));
    }
    // Room for one byte more than it may have: nothing moves, so nothing is left behind.
    let mut bytes = Vec::with_capacity(LONGEST + 1);
    let read = file.take(LONGEST as u64 + 1).read_to_end(&mut bytes);
    let whole = Sensitive::new(bytes);
    read.map_err(failed)?;
    let text = whole.expose().trim_ascii();
    let printable = text.iter().all(u8::is_ascii_graphic);
    if text.is_empty() || LONGEST < whole.len() || !printable {
        return Err(format!(
            "the key file `{shown}` doesn't hold a secret access key and nothing else"
        ));
    }
    Ok(Sensitive::from(text))
}

const LONGEST: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_a_key_that_nobody_else_reads_is_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        let long = "k".repeat(LONGEST + 1);
        for (content, mode, expected) in [
            ("canary\n", 0o600, ""),
            ("canary", 0o400, ""),
            ("canary", 0o604, "is open to group or others (mode 0604)"),
            ("canary", 0o640, "is open to group or others (mode 0640)"),
            ("", 0o600, "doesn't hold a secret access key and nothing else"),
            ("AKIA canary", 0o600, "doesn't hold a secret access key and nothing else"),
            (&long, 0o600, "doesn't hold a secret access key and nothing else"),
        ] {
            let _ = std::fs::remove_file(&path);
            std::fs::write(&path, content).expect("written");
            set_permissions(&path, Permissions::from_mode(mode)).expect("set");
            let found = read(&path).map(|it| it.expose().to_vec());
            match found {
                Ok(key) => assert_eq!((&*key, expected), (&b"canary"[..], "")),
                Err(told) => {
                    assert!(!expected.is_empty() && told.contains(expected), "{told}");
                    assert!(!told.contains("canary"), "{told}");
                }
            }
        }
        let told = read(&folder.path().join("none")).expect_err("absent");
        assert!(
            told.starts_with("can't read the key file") && told.contains("No such file"),
            "{told}"
        );
    }
}
