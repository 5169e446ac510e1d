//! The journal as it is written.
//!
//! Read [`writer`] first (how a record becomes a line, and what happens when that fails), then
//! [`gather`] (how the records of many requests are written at once), [`open`](mod@open) (how the end is
//! found again), and [`sync`] (when it is on disk).

mod gather;
mod heads;
mod open;
mod settle;
mod sync;
#[cfg(test)]
mod tests;
mod writer;

use crate::files::{Folder, RealFolder};
use crate::key::{PublicKey, SigningKey};
use crate::segments::SPARE;
use crate::{Durability, Error, Options, Stats, SyncTimes};
use async_trait::async_trait;
use base::{Clock, Timestamp};
use service::audit::{Encoded, Trail, TrailError};
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

use gather::Gather;
pub(crate) use heads::whole;
use settle::Settling;
use sync::{Flusher, Synced, Syncing};
use writer::{Spare, State, Writer};

/// The audit journal, open for writing.
///
/// Cheap to share: clones write the same journal. The order of records is the order of appends.
#[derive(Clone)]
pub struct Journal {
    inner: Arc<Inner>,
    /// Ends with the last clone.
    flusher: Option<Arc<Flusher>>,
}

struct Inner {
    path: PathBuf,
    folder: Arc<dyn Folder>,
    options: Options,
    clock: Arc<dyn Clock>,
    public: PublicKey,
    writer: Mutex<Writer>,
    gather: Gather,
    syncing: Mutex<Syncing>,
    times: Mutex<SyncTimes>,
    settling: Mutex<Settling>,
    synced: watch::Sender<Synced>,
    _lock: File,
}

impl Journal {
    /// Opens the journal in `folder`, or begins one there, and holds it against other writers.
    ///
    /// What a killed process left half-written at the very end is cut off. Reads the last segment;
    /// [`verify`](crate::verify()) reads all of them.
    ///
    /// # Errors
    ///
    /// - [`Error::Damaged`]: anything else is wrong. Nothing was changed.
    /// - [`Error::Locked`]: another process writes it.
    /// - [`Error::OtherKey`]: it was signed with another key.
    pub fn open(
        folder: &Path,
        options: Options,
        key: SigningKey,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let failed = |error| Error::io("create", &folder.display().to_string(), error);
        let real = RealFolder::create(folder).map_err(failed)?;
        let Some(lock) = real.lock().map_err(|error| Error::io("lock", "lock", error))? else {
            return Err(Error::Locked { folder: folder.display().to_string() });
        };
        open::open(folder.to_owned(), (Arc::new(real), lock), options, (key, clock))
    }

    /// The key that checks this journal's heads.
    pub fn public_key(&self) -> PublicKey {
        self.inner.public
    }

    /// The folder it is in.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// The number of the last record; 0 if there is none.
    pub fn sequence(&self) -> u64 {
        self.inner.writer().tip.sequence
    }

    /// Does what is due: signs a head, sets space aside, syncs. Blocks; a worker calls it at least
    /// every 100 ms, outside the threads that serve requests.
    ///
    /// # Errors
    ///
    /// The first of what went wrong; everything was tried. [`Journal::stats`] tells it, too.
    pub fn tick(&self, now: Timestamp) -> Result<(), Error> {
        let signed = {
            let mut writer = self.inner.writer();
            if writer.sign_due(now) { writer.sign(now) } else { Ok(()) }
        };
        let spared = self.inner.prepare();
        let synced = self.sync();
        signed.and(spared).and(synced).inspect_err(|error| self.inner.note(error))
    }

    /// Signs a last head, syncs, and takes no more records. Blocks.
    pub fn close(&self) -> Result<(), Error> {
        let signed = {
            let mut writer = self.inner.writer();
            let signed = writer.sign(self.inner.clock.now());
            if writer.state == State::Open {
                writer.state = State::Closed;
            }
            signed
        };
        self.sync().and(signed)
    }

    /// What the journal tells about itself.
    pub fn stats(&self) -> Stats {
        let syncs = *lock(&self.inner.times);
        let unsettled = lock(&self.inner.settling).len();
        let writer = self.inner.writer();
        let synced = self.inner.synced.borrow().clone();
        Stats {
            sequence: writer.tip.sequence,
            segment: writer.tip.segment,
            records: writer.counts.records,
            bytes: writer.counts.bytes,
            unsynced_records: writer.tip.sequence.saturating_sub(synced.sequence),
            unsynced_bytes: writer.counts.bytes.saturating_sub(synced.bytes),
            syncs,
            failures: writer.counts.failures,
            failing: writer.counts.failing,
            spare: writer.spare.is_some(),
            stopped: matches!(writer.state, State::Stopped(_)),
            last_error: writer.counts.last_error.clone(),
            unsettled,
        }
    }

    /// Appends `records`, without waiting for any durability.
    pub(crate) fn take_over(&self, records: &[Encoded]) -> Result<(), Error> {
        writer::fits(records)?;
        self.inner.writer().append(records, &*self.inner.clock).map(drop)
    }

    /// Writes `records`, and says how many bytes must be synced for them to be on disk.
    async fn write(&self, records: &[Encoded]) -> Result<u64, TrailError> {
        // Before others' records are written with them: these alone are at fault.
        writer::fits(records).map_err(trail_error)?;
        self.inner.write_together(records).await.map_err(|error| TrailError(Box::new(error)))
    }

    /// Returns when `bytes` count as kept, by the configured durability.
    async fn kept(&self, bytes: u64) -> Result<(), Error> {
        if self.inner.options.durability == Durability::Synced {
            self.on_disk(bytes).await
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl Trail for Journal {
    async fn append(&self, records: &[Encoded]) -> Result<(), TrailError> {
        let bytes = self.write(records).await?;
        self.kept(bytes).await.map_err(trail_error)
    }

    async fn append_committed(&self, records: &[Encoded]) -> Result<(), TrailError> {
        let bytes = self.write(records).await?;
        lock(&self.inner.settling).remember(bytes, records);
        self.kept(bytes).await.map_err(trail_error)
    }
}

fn trail_error(error: Error) -> TrailError {
    TrailError(Box::new(error))
}

impl Inner {
    fn writer(&self) -> MutexGuard<'_, Writer> {
        lock(&self.writer)
    }

    fn note(&self, error: &Error) {
        self.writer().counts.last_error = Some(writer::told(error));
    }

    /// Sets the space for the next segment aside, if that isn't done.
    fn prepare(&self) -> Result<(), Error> {
        // Held while the spare is made, so that no two make one; appends go on.
        let _one_at_a_time = lock(&self.syncing);
        let wanted = {
            let writer = self.writer();
            writer.spare.is_none() && writer.state == State::Open
        };
        if wanted {
            let spare = Spare::make(&*self.folder, SPARE, self.options.segment_bytes)?;
            let mut writer = self.writer();
            writer.spare = Some(spare);
            // Whoever waits for the journal to work again must not have to try.
            writer.counts.failing = false;
        }
        Ok(())
    }
}

/// A lock that a panic elsewhere doesn't take away.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Journal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Journal").field("path", &self.inner.path).finish_non_exhaustive()
    }
}
