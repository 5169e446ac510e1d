//! Users of databases on request: what is asked for is made, what has ended is removed, for ever.
//!
//! What a lease is and how it changes is in `secrets::lease`. [`Leases`] is a turn of the worker, `act` what it does at
//! a server, `waiting` how requests learn of it.

mod act;
mod waiting;

pub(crate) use waiting::Waiting;

use crate::Turn;
use crate::engine::Ground;
use crate::queue::{Bounds, Ended, Entry, Line, Queue};
use crate::trouble::Trouble;
use act::{MAKE, REMOVE};
use base::{Entropy, Timestamp};
use secrets::lease::work::{self, Task};
use secrets::lease::{Due, State};
use service::chain;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The worker: what is due waits in a queue, and what may begin runs as a task.
pub struct Leases {
    ground: Arc<Ground>,
    queue: Queue,
    /// What entries of the queue stand for.
    meant: BTreeMap<String, Due>,
    running: JoinSet<(Entry, Ended)>,
}

/// More at a time for a server than rotations have: somebody waits for each.
const BOUNDS: Bounds = Bounds { node: 64, server: 4, function: 4, account: 32, waiting: MOST };
/// Rows read at a time.
const PAGE: usize = 256;
/// How many may wait in memory; what is due besides waits in the store.
const MOST: usize = 8192;
/// An attempt takes no longer.
const WHOLE: Duration = Duration::from_mins(1);
/// Between attempts: doubling from the first to the last, and then so for ever.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// After the store couldn't be read or written.
const STORE_PAUSE: Duration = Duration::from_secs(5);
/// Bytes of what a failure says.
const MOST_TEXT: usize = 1024;

impl Leases {
    /// A worker with nothing under way.
    pub fn new(ground: Arc<Ground>) -> Self {
        let (queue, meant) = (Queue::new(BOUNDS), BTreeMap::new());
        Self { ground, queue, meant, running: JoinSet::new() }
    }

    /// Takes up what is due, and begins what may begin.
    ///
    /// # Errors
    ///
    /// The store's: nothing is lost, and the next turn looks again.
    pub async fn turn(&mut self) -> Result<Turn, store::Error> {
        let now = self.ground.clock.now();
        let next = self.take_up(now).await?;
        while let Some(entry) = self.queue.start(now) {
            let Some(due) = self.meant.remove(&name(&entry.due)) else { continue };
            let ground = Arc::clone(&self.ground);
            self.running.spawn(async move {
                ground.carry_out_lease(&due).await;
                // A server that isn't there is asked by each for itself: somebody may wait for the moment it is back.
                (entry, Ended::Answered)
            });
        }
        Ok(Turn { next, running: self.queue.running() })
    }

    /// Waits until something that is under way ends; for ever, if nothing is.
    pub async fn ended(&mut self) {
        match self.running.join_next().await {
            Some(Ok((entry, ended))) => self.queue.end(&entry, ended, self.ground.clock.now()),
            // Nothing here panics; a task that did is taken up again with the next start.
            Some(Err(error)) => tracing::error!(cause = %error, "a lease broke off"),
            None => std::future::pending().await,
        }
    }

    /// Waits until all that is under way has ended.
    pub async fn finish(&mut self) {
        while !self.running.is_empty() {
            self.ended().await;
        }
    }

    /// Offers what is due to the queue; tells when the first is that isn't yet.
    async fn take_up(&mut self, now: Timestamp) -> Result<Option<Timestamp>, store::Error> {
        let mut after = None;
        while self.queue.len() < MOST {
            let page = work::due(self.ground.work(), after.as_ref(), PAGE).await?;
            for due in &page {
                if due.at > now {
                    return Ok(Some(due.at));
                }
                let queued = due.queued();
                if !self.queue.knows(&queued) {
                    let target = work::target(self.ground.work(), due).await?;
                    self.meant.insert(name(&queued), due.clone());
                    let line = Line::Server(target);
                    self.queue.offer(Entry { due: queued, line, overdue: None });
                }
            }
            if page.len() < PAGE {
                return Ok(None);
            }
            after = page.into_iter().next_back();
        }
        Ok(None)
    }
}

fn name(due: &secrets::rotation::Due) -> String {
    format!("{due:?}")
}

impl Ground {
    /// Does what `due` leads to, and tells those who wait for it.
    async fn carry_out_lease(&self, due: &Due) {
        match work::begin(self.work(), due).await {
            Ok(None) => (),
            Ok(Some(task)) => self.attempt_lease(task).await,
            Err(error) => {
                tracing::error!(cause = chain(&error), "a lease can't be looked at");
                tokio::time::sleep(STORE_PAUSE).await;
            }
        }
        if let Some(id) = &due.lease {
            self.barrier.leases.done(id.as_str());
        }
    }

    async fn attempt_lease(&self, task: Task) {
        let makes = task.lease.state != State::Ending;
        let (step, done) = if makes {
            (MAKE, timeout(WHOLE, self.make(task.clone())).await)
        } else {
            (REMOVE, timeout(WHOLE, self.remove(&task)).await)
        };
        let late =
            || rotators::Failure::Unreachable("the attempt took longer than a minute".into());
        match done.unwrap_or_else(|_| Err(Trouble::Server(step, late()))) {
            Ok(()) => tracing::info!(lease = task.lease.id.as_str(), step, "done"),
            Err(Trouble::Gone) => (),
            Err(trouble) => self.lease_failed(task, &trouble).await,
        }
    }

    async fn lease_failed(&self, mut task: Task, trouble: &Trouble) {
        let mut text = chain(trouble);
        text.truncate(text.floor_char_boundary(MOST_TEXT));
        let (lease, step) = (task.lease.id.as_str(), trouble.step());
        tracing::warn!(lease, step, cause = text, "a lease's user can't be made or removed");
        let again = self.clock.now().plus(pause(task.lease.failures, &*self.entropy));
        if task.lease.state == State::Wanted {
            // It may have got its name and password before it failed.
            let made = work::fail(self.work(), &task, (step, &text), again).await;
            if !matches!(made, Ok(Err(_))) {
                return self.noted(made).await;
            }
            task.lease.state = State::Making;
        }
        let noted = work::fail(self.work(), &task, (step, &text), again).await;
        self.noted(noted).await;
    }

    async fn noted<T>(&self, noted: Result<T, secrets::Error>) {
        if let Err(error) = noted {
            tracing::error!(cause = chain(&error), "a failure can't be noted");
            tokio::time::sleep(STORE_PAUSE).await;
        }
    }
}

/// How long it is waited after so many failures: somewhere in the second half of a time that doubles.
fn pause(failures: u32, entropy: &dyn Entropy) -> Duration {
    let whole = LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.saturating_pow(failures.min(16)));
    let half = u32::try_from(whole.as_millis() / 2).unwrap_or(u32::MAX);
    whole / 2 + Duration::from_millis(entropy.below(half.max(1)).into())
}
