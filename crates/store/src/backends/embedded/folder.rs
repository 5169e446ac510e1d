//! The data folder: who may enter, and that only one process does.

use crate::Error;
use rustix::fs::FlockOperation;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The data folder, held exclusively until dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder (mode 0700) where it is missing, and takes its lock.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        if !path.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(told)?;
            if let Some(parent) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
                sync(parent)?;
            }
        }
        let lock = private(&path.join("store.lock")).map_err(told)?;
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                Err(Error::Locked { path: path.display().to_string() })
            }
            Err(error) => Err(told(error.into())),
        }
    }

    /// The file called `name` in the folder, made with mode 0600 where it is missing.
    pub(super) fn file(&self, name: &str) -> Result<File, Error> {
        private(&self.path.join(name)).map_err(told)
    }

    /// Makes the names of new files survive a power cut.
    pub(super) fn sync(&self) -> Result<(), Error> {
        sync(&self.path)
    }
}

/// What an error of the operating system means to a caller of the store.
pub(super) fn told(error: io::Error) -> Error {
    if is_full(&error) { Error::Full } else { Error::Unavailable(Box::new(error)) }
}

/// Whether `error` says that there is no space, on the disk or in a quota.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn sync(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|it| it.sync_all()).map_err(told)
}
