//! The folder a journal is written in: real, or failing on demand in tests.

use rustix::fs::{FallocateFlags, FlockOperation};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a journal's files are written. Reading goes straight to the file system.
pub(crate) trait Folder: Send + Sync {
    /// The file called `name`, created with mode 0600 if there is none.
    fn open(&self, name: &str) -> io::Result<Arc<dyn Handle>>;

    /// Calls `from` `to` instead, replacing what was called so; durable on return.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
}

/// An open file.
pub(crate) trait Handle: Send + Sync {
    /// Writes some of `bytes` at `offset` and says how many.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;

    /// Cuts the file to `length` bytes.
    fn cut(&self, length: u64) -> io::Result<()>;

    /// Returns when everything written is on disk.
    fn sync(&self) -> io::Result<()>;

    /// Sets space aside so that the file can grow to `length` bytes when the disk is full. Its
    /// length stays. Does nothing where the file system can't.
    fn reserve(&self, length: u64) -> io::Result<()>;
}

/// Writes all of `bytes`, at best in one call.
pub(crate) fn write_all(file: &dyn Handle, bytes: &[u8], offset: u64) -> io::Result<()> {
    let (mut rest, mut offset) = (bytes, offset);
    while !rest.is_empty() {
        match file.write_at(rest, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                rest = rest.get(count..).unwrap_or_default();
                offset += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A folder of the file system.
#[derive(Debug)]
pub(crate) struct RealFolder(PathBuf);

impl RealFolder {
    /// The folder at `path`, created with mode 0700 if there is none.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        Ok(Self(path.to_owned()))
    }

    /// Holds the folder for one writer until the file is closed; `None` if another holds it.
    pub(crate) fn lock(&self) -> io::Result<Option<File>> {
        let file = open(&self.0.join("lock"))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Folder for RealFolder {
    fn open(&self, name: &str) -> io::Result<Arc<dyn Handle>> {
        Ok(Arc::new(open(&self.0.join(name))?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.0.join(from), self.0.join(to))?;
        File::open(&self.0)?.sync_all()
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

impl Handle for File {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        FileExt::write_at(self, bytes, offset)
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn reserve(&self, length: u64) -> io::Result<()> {
        match rustix::fs::fallocate(self, FallocateFlags::KEEP_SIZE, 0, length) {
            Ok(()) | Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
