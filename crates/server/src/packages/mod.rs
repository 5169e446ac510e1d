//! Packages of functions: sealed in the store, and unpacked in the data folder for who runs them.
//!
//! ```text
//! functions/unpacked/{sha256}/  what is in one, read only: made when it is first run, gone with the server
//! ```

mod unpack;

use crate::functions::State;
use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use base::Timestamp;
use bytes::Bytes;
use functions::CodeStore;
use functions::package::kept;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Semaphore;
pub(crate) use unpack::unpack;

/// The packages of a store, and the folder that they are unpacked in.
pub(crate) struct Packages {
    state: Arc<State>,
    /// `functions` of the data folder.
    folder: PathBuf,
    /// One is unpacked at a time.
    turn: Semaphore,
}

impl Packages {
    /// The packages of `state`, and the data folder `data`. What an earlier server has unpacked is removed: a
    /// power cut may have torn it.
    pub(crate) fn open(data: &Path, state: &Arc<State>) -> io::Result<Self> {
        let folder = std::path::absolute(data.join("functions"))?;
        unpack::remove(&folder.join("unpacked"))?;
        if folder.join("code").exists() {
            let told = "packages in `functions/code` of the data folder are of an earlier version and not \
                used any more: upload them again with UpdateFunctionCode, and remove the folder";
            tracing::warn!("{told}");
        }
        Ok(Self { state: Arc::clone(state), folder, turn: Semaphore::new(1) })
    }

    async fn unpacked(&self, sha256: &str) -> io::Result<PathBuf> {
        let folder = self.folder.join("unpacked");
        let path = folder.join(sha256);
        let _turn = self.turn.acquire().await.map_err(io::Error::other)?;
        if path.exists() {
            return Ok(path);
        }
        let (account, region) = crate::start::nowhere();
        let scope = self.state.scope((&account, &region));
        let package = kept::load(&*self.state.backend, &scope, sha256).await.map_err(told)?;
        let (above, sha256) = (self.folder.clone(), sha256.to_owned());
        let work = move || {
            if hex(digest(&SHA256, package.expose()).as_ref()) != sha256 {
                return Err(told(kept::Error::Damaged));
            }
            make(&above)?;
            make(&folder)?;
            let draft = folder.join(format!(".{sha256}"));
            unpack::remove(&draft)?;
            if let Err(error) = unpack(package.expose(), &draft) {
                unpack::remove(&draft)?;
                return Err(io::Error::other(error));
            }
            std::fs::rename(&draft, &path).map(|()| path)
        };
        tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
    }
}

#[async_trait]
impl CodeStore for Packages {
    async fn keep(&self, sha256: &str, package: Bytes) -> io::Result<()> {
        let (sha256, (account, region)) = (checked(sha256)?, crate::start::nowhere());
        let scope = self.state.scope((&account, &region));
        kept::keep(&*self.state.backend, &scope, (&sha256, &package)).await.map_err(told)
    }

    async fn folder(&self, sha256: &str) -> io::Result<PathBuf> {
        self.unpacked(&checked(sha256)?).await
    }

    async fn older(&self, instant: Timestamp) -> io::Result<Vec<String>> {
        kept::older(&*self.state.backend, instant).await.map_err(told)
    }

    async fn remove(&self, sha256: &str, instant: Timestamp) -> io::Result<()> {
        let sha256 = checked(sha256)?;
        let _turn = self.turn.acquire().await.map_err(io::Error::other)?;
        if !kept::remove(&*self.state.backend, &sha256, instant).await.map_err(told)? {
            return Ok(());
        }
        let path = self.folder.join("unpacked").join(sha256);
        let removed = tokio::task::spawn_blocking(move || unpack::remove(&path)).await;
        removed.map_err(io::Error::other)?
    }
}

fn told(error: kept::Error) -> io::Error {
    match error {
        kept::Error::Absent => io::Error::new(io::ErrorKind::NotFound, error),
        kept::Error::Damaged => io::Error::new(io::ErrorKind::InvalidData, error),
        kept::Error::Store(store::Error::Full) => io::Error::new(io::ErrorKind::StorageFull, error),
        kept::Error::Sealing(_) | kept::Error::Store(_) => io::Error::other(service::chain(&error)),
    }
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
