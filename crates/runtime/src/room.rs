//! What all functions together may have of this host: memory, and turns.
//!
//! A process has its memory for as long as it lives, also while it is idle: who needs room ends idle ones. An
//! invocation has its turn for as long as it runs. Who waits is served in the order of arrival, so that a large
//! function isn't kept out by small ones.

use crate::program::{Error, Program};
use crate::settings::Settings;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// What there is, and who waits for it.
pub(crate) struct Room {
    /// In MB.
    memory: Arc<Semaphore>,
    most: u32,
    pub(crate) turns: Semaphore,
    waiting: AtomicUsize,
    patience: Duration,
}

/// A process's part of it, given back when dropped.
pub(crate) struct Place(#[expect(dead_code, reason = "held, and given back")] OwnedSemaphorePermit);

impl Room {
    pub(crate) fn new(settings: &Settings) -> Self {
        let most = settings.memory_mb;
        let permits = |it: u32| usize::try_from(it).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            memory: Arc::new(Semaphore::new(permits(most))),
            most,
            turns: Semaphore::new(settings.total.clamp(1, Semaphore::MAX_PERMITS)),
            waiting: AtomicUsize::new(0),
            patience: settings.patience,
        }
    }

    /// Room for a process of `program`. `make_room` ends what nobody uses.
    pub(crate) async fn place<F: Future<Output = ()>>(
        &self,
        program: &Program,
        make_room: impl FnOnce() -> F,
    ) -> Result<Place, Error> {
        let wanted = program.memory_mb.saturating_add(program.ephemeral_mb);
        if self.most < wanted {
            let function = program.name.clone();
            return Err(Error::TooLarge { function, wanted, most: self.most });
        }
        if let Ok(permit) = Arc::clone(&self.memory).try_acquire_many_owned(wanted) {
            return Ok(Place(permit));
        }
        let _waiting = Waiting::of(&self.waiting);
        make_room().await;
        let permit = Arc::clone(&self.memory).acquire_many_owned(wanted);
        let permit = timeout(self.patience, permit).await.ok().and_then(Result::ok);
        permit.map(Place).ok_or(Error::Busy)
    }

    /// Whether somebody waits for what idle processes have.
    pub(crate) fn is_wanted(&self) -> bool {
        self.waiting.load(SeqCst) > 0
    }

    /// One of `of`, if it comes in time.
    pub(crate) async fn turn<'a>(
        &self,
        of: &'a Semaphore,
    ) -> Result<tokio::sync::SemaphorePermit<'a>, Error> {
        timeout(self.patience, of.acquire()).await.ok().and_then(Result::ok).ok_or(Error::Busy)
    }
}

/// Counts who waits, also where the waiting is given up.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn of(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, SeqCst);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}
