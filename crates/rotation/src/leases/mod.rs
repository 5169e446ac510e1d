//! Users of databases on request: what is asked for is made, what has ended is removed, for ever.
//!
//! What a lease is and how it changes is in `secrets::lease`. [`Leases`] is a turn of the worker, `intake` reads what is
//! due, `act` is what is done at a server, `waiting` how requests learn of it.

mod act;
mod intake;
mod waiting;

pub(crate) use waiting::Waiting;

use crate::Turn;
use crate::engine::Ground;
use crate::queue::{Bounds, Ended, Entry, Queue};
use crate::trouble::Trouble;
use act::{MAKE, REMOVE};
use base::Entropy;
use intake::Intake;
use secrets::lease::work::{self, Task};
use secrets::lease::{Due, State, look};
use service::chain;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The worker: what is due waits in a queue, and what may begin runs as a task.
pub struct Leases {
    ground: Arc<Ground>,
    queue: Queue,
    intake: Intake,
    running: JoinSet<(Entry, Done)>,
}

/// What came of something that was begun.
struct Done {
    ended: Ended,
    /// Whether there may be something to be done at once.
    again: bool,
}

/// More at a time for a server than rotations have, and shorter pauses where one doesn't answer: somebody waits for the
/// moment it is back.
const BOUNDS: Bounds = Bounds {
    node: 64,
    server: 4,
    function: 4,
    account: 32,
    waiting: 8192,
    pauses: (Duration::from_secs(1), Duration::from_secs(30)),
};
/// An attempt takes no longer.
const WHOLE: Duration = Duration::from_mins(1);
/// Between attempts: doubling from the first to the last, and then so for ever.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// After the store couldn't be read or written.
const STORE_PAUSE: Duration = Duration::from_secs(5);
/// What can't be read is left alone for so long.
const DAMAGED: Duration = Duration::from_mins(5);
/// Bytes of what a failure says.
const MOST_TEXT: usize = 1024;

impl Leases {
    /// A worker with nothing under way.
    pub fn new(ground: Arc<Ground>) -> Self {
        let (queue, intake) = (Queue::new(BOUNDS), Intake::default());
        Self { ground, queue, intake, running: JoinSet::new() }
    }

    /// Has the next turn read again what is due: somebody may have asked for something.
    pub fn look_again(&mut self) {
        self.intake.want();
    }

    /// Takes up what is due, and begins what may begin.
    ///
    /// # Errors
    ///
    /// The store's: nothing is lost, and the next turn looks again.
    pub async fn turn(&mut self) -> Result<Turn, store::Error> {
        let now = self.ground.clock.now();
        let taken = self.intake.turn(&self.ground, &mut self.queue, now).await;
        while let Some(entry) = self.queue.start(now) {
            let ground = Arc::clone(&self.ground);
            self.running.spawn(async move {
                let done = ground.carry_out_lease(&entry).await;
                (entry, done)
            });
        }
        let next = [taken?, self.queue.reopens(now)].into_iter().flatten().min();
        Ok(Turn { next, running: self.queue.running() })
    }

    /// Waits until something that is under way ends; for ever, if nothing is.
    pub async fn ended(&mut self) {
        match self.running.join_next().await {
            Some(Ok((entry, done))) => {
                self.queue.end(&entry, done.ended, self.ground.clock.now());
                if done.again {
                    self.intake.want();
                }
            }
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
}

impl Ground {
    /// Does what the row of `entry` leads to, and tells those who wait for it.
    async fn carry_out_lease(&self, entry: &Entry) -> Done {
        let Some(due) = Due::of_queued(&entry.due) else {
            return Done { ended: Ended::Answered, again: false };
        };
        let ended = match work::begin(self.work(), &due).await {
            Ok(None) => Ended::Answered,
            Ok(Some(task)) => self.attempt_lease(task).await,
            Err(error) => {
                tracing::error!(cause = chain(&error), "a lease can't be looked at");
                self.put_off(&due, &error).await;
                Ended::Answered
            }
        };
        if let Some(id) = &due.lease {
            self.barrier.leases.done(id.as_str());
        }
        let again = look::is_due(self.work(), &due).await;
        Done { ended, again: again.unwrap_or(true) }
    }

    /// Leaves alone what can't be read; whatever else is in the way is over soon.
    async fn put_off(&self, due: &Due, error: &secrets::Error) {
        if let secrets::Error::Store(store::Error::Corrupt { .. }) = error {
            let later = self.clock.now().plus(DAMAGED);
            let put = service::due::postpone(&*self.backend, due.clone(), later).await;
            if put.is_ok() {
                return;
            }
        }
        tokio::time::sleep(STORE_PAUSE).await;
    }

    async fn attempt_lease(&self, task: Task) -> Ended {
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
            Err(trouble) => {
                self.lease_failed(task, &trouble).await;
                if trouble.is_unreachable() {
                    return Ended::Unreachable;
                }
            }
        }
        Ended::Answered
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
