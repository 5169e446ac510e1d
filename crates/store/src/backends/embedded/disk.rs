//! One file on disk, as the tree and the journal use it.

use super::faults::Faults;
use redb::StorageBackend;
use rustix::fs::{Advice, FallocateFlags};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// One file on disk, with [`Faults`].
///
/// The folder's lock keeps other processes out, so redb's own locks are left out.
#[derive(Debug)]
pub(super) struct Disk {
    file: File,
    faults: Faults,
}

impl Disk {
    pub(super) fn new(file: File, faults: Faults) -> Self {
        Self { file, faults }
    }

    /// Bytes that an ordinary user may still write to this file system.
    pub(super) fn free_bytes(&self) -> io::Result<u64> {
        if self.faults.probe_says_full() {
            return Ok(0);
        }
        let space = rustix::fs::fstatvfs(&self.file)?;
        Ok(space.f_bavail.saturating_mul(space.f_frsize))
    }

    /// Reserves the first `length` bytes, so that writing them can't run out of space. Durable with
    /// the next [`Disk::sync`], like what is written into them.
    pub(super) fn reserve(&self, length: u64) -> io::Result<()> {
        let old = StorageBackend::len(self)?;
        if length <= old {
            return Ok(());
        }
        self.faults.before_growth()?;
        match rustix::fs::fallocate(&self.file, FallocateFlags::empty(), old, length - old) {
            // Where nothing can be reserved, zeros hold the place.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
                self.write_zeros(old, length - old)?;
            }
            done => done?,
        }
        Ok(())
    }

    fn write_zeros(&self, mut offset: u64, mut length: u64) -> io::Result<()> {
        let zeros = [0; 4096];
        while length > 0 {
            let now = length.min(4096);
            let part = zeros.get(..usize::try_from(now).unwrap_or(0)).unwrap_or(&zeros);
            self.file.write_all_at(part, offset)?;
            offset += now;
            length -= now;
        }
        Ok(())
    }

    /// Overwrites reserved bytes.
    pub(super) fn overwrite(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    /// Makes all that was written before durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.faults.before_sync()?;
        self.file.sync_data()
    }

    /// Forgets cached pages, so that the next reads tell what is really on the disk.
    ///
    /// After a failed sync the kernel may hold pages that never reached it, and calls them clean.
    pub(super) fn distrust_cache(&self) {
        let _best_effort = rustix::fs::fadvise(&self.file, 0, None, Advice::DontNeed);
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.faults.before_write(&self.file, offset)?;
        self.file.write_all_at(data, offset)
    }
}
