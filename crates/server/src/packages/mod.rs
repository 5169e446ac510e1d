//! Packages of functions, in the data folder.
//!
//! ```text
//! functions/code/{sha256}       a package as it came; on disk before its function is
//! functions/unpacked/{sha256}/  what is in it, read only: made when it is first run, gone with the server
//! ```
//!
//! A name is what the bytes hash to, so that nothing is ever written over and what is damaged is noticed.

mod unpack;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use base::Timestamp;
use bytes::Bytes;
use functions::CodeStore;
use rustix::fs::{Timespec, Timestamps, UTIME_NOW, futimens};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
pub(crate) use unpack::unpack;

/// The packages below one folder.
#[derive(Clone, Debug)]
pub(crate) struct Packages(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// `functions` of the data folder.
    folder: PathBuf,
    /// One at a time: keeping and removing look first and act then.
    turn: Mutex<()>,
}

impl Packages {
    /// The packages of the data folder `data`. What an earlier server has unpacked is removed: a power cut may
    /// have torn it.
    pub(crate) fn open(data: &Path) -> io::Result<Self> {
        let inner = Inner { folder: data.join("functions"), turn: Mutex::new(()) };
        unpack::remove(&inner.folder.join("unpacked"))?;
        Ok(Self(Arc::new(inner)))
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let inner = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || {
            let _turn = inner.turn.lock().unwrap_or_else(PoisonError::into_inner);
            work(&inner)
        });
        done.await.map_err(io::Error::other)?
    }
}

#[async_trait]
impl CodeStore for Packages {
    async fn keep(&self, sha256: &str, package: Bytes) -> io::Result<()> {
        let sha256 = checked(sha256)?;
        self.on_disk(move |it| it.keep(&sha256, &package)).await
    }

    async fn folder(&self, sha256: &str) -> io::Result<PathBuf> {
        let sha256 = checked(sha256)?;
        self.on_disk(move |it| it.unpacked(&sha256)).await
    }

    async fn older(&self, instant: Timestamp) -> io::Result<Vec<String>> {
        self.on_disk(move |it| it.older(instant)).await
    }

    async fn remove(&self, sha256: &str, instant: Timestamp) -> io::Result<()> {
        let sha256 = checked(sha256)?;
        self.on_disk(move |it| it.remove(&sha256, instant)).await
    }
}

impl Inner {
    fn code(&self) -> PathBuf {
        self.folder.join("code")
    }

    fn keep(&self, sha256: &str, package: &[u8]) -> io::Result<()> {
        let (folder, path) = (self.code(), self.code().join(sha256));
        match File::open(&path) {
            Ok(there) => return touch(&there),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (),
            Err(error) => return Err(error),
        }
        make(&self.folder)?;
        make(&folder)?;
        let draft = folder.join(format!(".{sha256}"));
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(package)?;
        file.sync_all()?;
        std::fs::rename(&draft, &path)?;
        File::open(&folder)?.sync_all()
    }

    fn unpacked(&self, sha256: &str) -> io::Result<PathBuf> {
        let folder = self.folder.join("unpacked");
        let path = folder.join(sha256);
        if path.exists() {
            return Ok(path);
        }
        let package = std::fs::read(self.code().join(sha256))?;
        if hex(digest(&SHA256, &package).as_ref()) != sha256 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the package is damaged"));
        }
        make(&self.folder)?;
        make(&folder)?;
        let draft = folder.join(format!(".{sha256}"));
        unpack::remove(&draft)?;
        let done = unpack(&package, &draft).map_err(io::Error::other);
        if let Err(error) = done {
            unpack::remove(&draft)?;
            return Err(error);
        }
        std::fs::rename(&draft, &path)?;
        Ok(path)
    }

    fn older(&self, instant: Timestamp) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(self.code()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().into_string().unwrap_or_default();
            if checked(&name).is_ok() && kept_at(&entry.metadata()?)? < instant {
                found.push(name);
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    fn remove(&self, sha256: &str, instant: Timestamp) -> io::Result<()> {
        let path = self.code().join(sha256);
        let found = match std::fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            found => found?,
        };
        if instant <= kept_at(&found)? {
            return Ok(());
        }
        std::fs::remove_file(&path)?;
        unpack::remove(&self.folder.join("unpacked").join(sha256))
    }
}

/// Notes that a package was kept again, now.
fn touch(there: &File) -> io::Result<()> {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    futimens(there, &Timestamps { last_access: now, last_modification: now })?;
    there.sync_all()
}

fn kept_at(found: &std::fs::Metadata) -> io::Result<Timestamp> {
    let since = found.modified()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ok(Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}

/// A folder of our own, on disk.
fn make(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => path.parent().map_or(Ok(()), |it| File::open(it)?.sync_all()),
    }
}

/// `sha256`, if it is one and not a path.
fn checked(sha256: &str) -> io::Result<String> {
    let digits = sha256.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
    if digits && sha256.len() == 64 {
        return Ok(sha256.to_owned());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "not a SHA-256"))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(64), |mut out, byte| {
        let _infallible = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests;
