//! A disk that misbehaves on demand.

use rustix::fs::SeekFrom;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// How the disk misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskFault {
    /// No space, as the free-space probe says too.
    Full,
    /// No space, although the probe just saw some: another program was faster.
    FullByRace,
    /// Nothing is wrong.
    None,
    /// Writes are taken, but can't be made durable.
    SyncFails,
}

/// Tells the disk below a store to misbehave. Clones speak to the same disk.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<AtomicU8>);

impl Faults {
    /// From now on the disk behaves as `fault` says.
    pub fn set(&self, fault: DiskFault) {
        let code = match fault {
            DiskFault::None => 0,
            DiskFault::Full => 1,
            DiskFault::FullByRace => 2,
            DiskFault::SyncFails => 3,
        };
        self.0.store(code, Ordering::SeqCst);
    }

    fn now(&self) -> DiskFault {
        match self.0.load(Ordering::Relaxed) {
            1 => DiskFault::Full,
            2 => DiskFault::FullByRace,
            3 => DiskFault::SyncFails,
            _ => DiskFault::None,
        }
    }

    pub(super) fn probe_says_full(&self) -> bool {
        self.now() == DiskFault::Full
    }

    pub(super) fn before_growth(&self) -> io::Result<()> {
        match self.now() {
            DiskFault::Full | DiskFault::FullByRace => {
                Err(io::Error::from(rustix::io::Errno::NOSPC))
            }
            DiskFault::None | DiskFault::SyncFails => Ok(()),
        }
    }

    /// On a full disk, what has its place already can still be overwritten.
    pub(super) fn before_write(&self, file: &File, offset: u64) -> io::Result<()> {
        if matches!(self.now(), DiskFault::None | DiskFault::SyncFails) {
            return Ok(());
        }
        match rustix::fs::seek(file, SeekFrom::Data(offset)) {
            Ok(data) if data == offset => Ok(()),
            _ => self.before_growth(),
        }
    }

    pub(super) fn before_sync(&self) -> io::Result<()> {
        match self.now() {
            DiskFault::SyncFails => Err(io::Error::from(rustix::io::Errno::IO)),
            DiskFault::Full | DiskFault::FullByRace | DiskFault::None => Ok(()),
        }
    }
}
