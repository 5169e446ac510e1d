//! When the journal is on disk.

use super::{Inner, Journal, State, lock};
use crate::Error;
use crate::journal::heads::Heads;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// What one sync at a time works with.
pub(super) struct Syncing {
    pub(super) heads: Heads,
}

/// How far the journal is on disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Synced {
    /// In bytes since the journal was opened.
    pub(super) bytes: u64,
    /// The number of the last record on disk.
    pub(super) sequence: u64,
    /// Why there will be no further sync.
    pub(super) stopped: Option<String>,
}

impl Journal {
    /// Whether anything isn't on disk.
    pub fn sync_due(&self) -> bool {
        let writer = self.inner.writer();
        writer.counts.bytes > self.inner.synced.borrow().bytes || !writer.heads.is_empty()
    }

    /// Returns when everything appended before the call is on disk. Blocks for the time of a sync;
    /// appends go on meanwhile.
    ///
    /// # Errors
    ///
    /// - [`Error::Stopped`]: this sync or an earlier one failed. It is unknown what is on disk, and
    ///   the journal takes nothing more until it is opened again.
    /// - Others: a head couldn't be written to `heads`; the next call tries again.
    pub fn sync(&self) -> Result<(), Error> {
        self.inner.sync()
    }

    /// The same for tasks: waits on the pool for blocking work.
    pub async fn settle(&self) -> Result<(), Error> {
        let journal = self.clone();
        match tokio::task::spawn_blocking(move || journal.sync()).await {
            Ok(synced) => synced,
            Err(_runtime_ends) => Err(Error::Closed),
        }
    }

    /// Returns when `bytes` are on disk, by a sync that many share.
    pub(super) async fn on_disk(&self, bytes: u64) -> Result<(), Error> {
        let mut synced = self.inner.synced.subscribe();
        match &self.flusher {
            Some(flusher) => flusher.wake(),
            None => return self.settle().await,
        }
        let reached = synced.wait_for(|it| it.bytes >= bytes || it.stopped.is_some()).await;
        match reached {
            Ok(it) if it.bytes >= bytes => Ok(()),
            Ok(it) => Err(Error::Stopped(it.stopped.clone().unwrap_or_default())),
            Err(_closed) => Err(Error::Closed),
        }
    }
}

impl Inner {
    pub(super) fn sync(&self) -> Result<(), Error> {
        let mut syncing = lock(&self.syncing);
        let (file, bytes, sequence, heads) = {
            let mut writer = self.writer();
            if let State::Stopped(why) = &writer.state {
                return Err(self.stopped(why.clone()));
            }
            let heads = std::mem::take(&mut writer.heads);
            (writer.file.clone(), writer.counts.bytes, writer.tip.sequence, heads)
        };
        if bytes > self.synced.borrow().bytes {
            let started = Stopwatch::start();
            if let Err(error) = file.sync() {
                let error = self.writer().stop(&error);
                return Err(if let Error::Stopped(why) = error {
                    self.stopped(why)
                } else {
                    error
                });
            }
            lock(&self.times).note(started.elapsed());
            self.synced.send_modify(|it| (it.bytes, it.sequence) = (bytes, sequence));
        }
        if heads.is_empty() && !syncing.heads.waits() {
            return Ok(());
        }
        // Only now: `heads` must not know of lines that a power cut can still take.
        syncing.heads.append(heads)
    }

    fn stopped(&self, why: String) -> Error {
        self.synced.send_if_modified(|it| {
            let first = it.stopped.is_none();
            it.stopped.get_or_insert_with(|| why.clone());
            first
        });
        Error::Stopped(why)
    }
}

/// The thread that syncs for those who wait.
pub(super) struct Flusher {
    bell: Arc<Bell>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Bell {
    rung: Mutex<Rung>,
    rings: Condvar,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Rung {
    #[default]
    No,
    Stop,
    Sync,
}

impl Flusher {
    pub(super) fn start(inner: Arc<Inner>) -> std::io::Result<Self> {
        let bell = Arc::new(Bell::default());
        let heard = bell.clone();
        let thread =
            std::thread::Builder::new().name("journal-sync".to_owned()).spawn(move || {
                while heard.wait() == Rung::Sync {
                    // Those who wait learn of a failure through `synced`, the rest is in `stats`.
                    if let Err(error) = inner.sync() {
                        inner.note(&error);
                    }
                }
            })?;
        Ok(Self { bell, thread: Some(thread) })
    }

    fn wake(&self) {
        self.bell.ring(Rung::Sync);
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.bell.ring(Rung::Stop);
        if let Some(thread) = self.thread.take() {
            let _it_never_panics = thread.join();
        }
    }
}

impl Bell {
    fn ring(&self, rung: Rung) {
        let mut now = lock(&self.rung);
        if *now != Rung::Stop {
            *now = rung;
        }
        self.rings.notify_one();
    }

    /// Waits for a ring. One ring is enough for all who rang before it was heard.
    fn wait(&self) -> Rung {
        let mut rung = lock(&self.rung);
        while *rung == Rung::No {
            rung = self.rings.wait(rung).unwrap_or_else(PoisonError::into_inner);
        }
        let heard = *rung;
        if heard == Rung::Sync {
            *rung = Rung::No;
        }
        heard
    }
}

impl fmt::Debug for Flusher {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Flusher")
    }
}

/// Tells how long something took; nothing is decided by it.
pub(super) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "measures for metrics, decides nothing")]
    pub(super) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
