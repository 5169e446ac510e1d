//! Small files with secrets in them: read whole, bounded, and only if not everybody can.

use base::Sensitive;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Who besides its owner may be able to read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Nobody: mode 0600 or less.
    Owner,
    /// Its group: mode 0640 or less.
    Group,
    /// Anybody: what is in it is public, or somebody else chooses its mode.
    All,
}

/// Longer than any token, key or certificate chain.
const LONGEST: u64 = 64 * 1024;

/// The bytes in the file at `path`.
///
/// # Errors
///
/// It can't be read, is larger than 64 KiB, or others than `readers` may read or write it.
pub(crate) fn read(path: &Path, readers: Readers) -> io::Result<Sensitive> {
    let mut file = File::open(path)?;
    let found = file.metadata()?;
    let refused = |reason: &'static str| Err(io::Error::other(reason));
    let others = match readers {
        Readers::Owner => 0o077,
        Readers::Group => 0o027,
        Readers::All => 0,
    };
    if found.mode() & others != 0 {
        return refused(match readers {
            Readers::Owner => "others than its owner may open it; its mode must be 0600",
            Readers::Group | Readers::All => "everybody may open it; its mode must be 0640 or 0600",
        });
    }
    if !found.is_file() || LONGEST < found.len() {
        return refused("it is no file of at most 64 KiB");
    }
    // One byte of room more, so that the end is found without growing, which would leave a copy.
    let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0) + 1);
    file.by_ref().take(found.len()).read_to_end(&mut bytes)?;
    Ok(Sensitive::new(bytes))
}
