//! A turn of the engine.

use crate::barrier::Barrier;
use crate::port::{Functions, Registry};
use crate::queue::{Bounds, Ended, Entry, Queue};
use crate::tally::Tally;
use crate::trouble::Trouble;
use crate::{backoff, native, program};
use base::{Clock, Entropy, Sensitive, Timestamp};
use envelope::Keyring;
use rotators::{Dialect, Trust};
use secrets::rotation::work::{self, Assignment, Gone, Work};
use secrets::rotation::{Again, Due};
use service::{Ports, Trail, Turns, chain};
use std::sync::Arc;
use std::time::Duration;
use store::Backend;
use tokio::task::JoinSet;

/// What the engine stands on.
#[derive(Clone)]
pub struct Ground {
    /// Where state is.
    pub backend: Arc<dyn Backend>,
    /// Where records go.
    pub trail: Arc<dyn Trail>,
    /// Queues for rows that many want to change.
    pub turns: Arc<Turns>,
    /// What seals and opens values.
    pub keyring: Arc<Keyring>,
    /// Where passwords and tokens come from.
    pub entropy: Arc<dyn Entropy>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The engines that passwords can be changed in.
    pub rotators: Arc<dyn Registry>,
    /// The functions that can be named.
    pub functions: Arc<dyn Functions>,
    /// Whose certificates are believed.
    pub trust: Trust,
    /// What holds readers up.
    pub barrier: Arc<Barrier>,
    /// What is counted.
    pub tally: Arc<Tally>,
}

/// The engine: what is due waits in a queue, and what may begin runs as a task.
pub struct Engine {
    ground: Arc<Ground>,
    queue: Queue,
    running: JoinSet<(Entry, Ended)>,
}

/// What a turn has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// When there is something to do again without anything ending before.
    pub next: Option<Timestamp>,
    /// How many are under way.
    pub running: usize,
}

/// Rows read at a time.
const PAGE: usize = 256;
/// How many may wait in memory; what is due besides waits in the store.
const MOST: usize = 8192;
/// Bytes of what a failure says: a function may say much.
const MOST_TEXT: usize = 2048;
/// After the store couldn't be read or written.
const STORE_PAUSE: Duration = Duration::from_secs(5);

impl Engine {
    /// An engine with nothing under way.
    pub fn new(ground: Arc<Ground>, bounds: Bounds) -> Self {
        Self { ground, queue: Queue::new(bounds), running: JoinSet::new() }
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
            let ground = Arc::clone(&self.ground);
            self.running.spawn(async move {
                let ended = ground.carry_out(&entry.due).await;
                (entry, ended)
            });
        }
        let next = [next, self.queue.reopens(now)].into_iter().flatten().min();
        Ok(Turn { next, running: self.queue.running() })
    }

    /// Waits until something that is under way ends; for ever, if nothing is.
    pub async fn ended(&mut self) {
        match self.running.join_next().await {
            Some(Ok((entry, ended))) => self.queue.end(&entry, ended, self.ground.clock.now()),
            // Nothing here panics; a task that did is taken up again with the next start.
            Some(Err(error)) => tracing::error!(cause = %error, "a rotation broke off"),
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
            let work = self.ground.work();
            let page = work::due(work, after.as_ref(), PAGE).await?;
            for due in &page {
                if due.at > now {
                    return Ok(Some(due.at));
                }
                if !self.queue.knows(due) {
                    let target = work::target(work, due).await?;
                    self.queue.offer(Entry { due: due.clone(), target });
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

impl Ground {
    pub(crate) fn work(&self) -> Work<'_> {
        Work {
            ports: Ports { backend: &*self.backend, trail: &*self.trail, turns: &self.turns },
            keyring: &self.keyring,
            entropy: &*self.entropy,
            now: self.clock.now(),
        }
    }

    /// A password as the engine of `dialect` takes it.
    pub(crate) fn password(&self, dialect: &Dialect) -> Result<Sensitive, secrets::Error> {
        secrets::rotation::password(password_length(dialect), dialect.excluded, &*self.entropy)
    }

    /// Does what `due` leads to, and notes how it went.
    async fn carry_out(&self, due: &Due) -> Ended {
        match work::begin(self.work(), due).await {
            Ok(None) => Ended::Answered,
            Ok(Some(of)) => self.attempt(&of).await,
            Err(error) => {
                tracing::error!(cause = chain(&error), "a rotation can't begin");
                tokio::time::sleep(STORE_PAUSE).await;
                Ended::Answered
            }
        }
    }

    async fn attempt(&self, of: &Assignment) -> Ended {
        let counted = self.tally.begin();
        let done = match self.functions.native(&of.function) {
            Some(native) => native::carry_out(self, of, native).await,
            None => program::carry_out(self, of).await,
        };
        drop(counted);
        self.tally.end(&done);
        match done {
            Ok(()) => {
                tracing::info!(secret = of.arn, kind = ?of.job.kind, "rotated");
                Ended::Answered
            }
            Err(Trouble::Gone) => Ended::Answered,
            Err(trouble) => self.failed(of, &trouble).await,
        }
    }

    async fn failed(&self, of: &Assignment, trouble: &Trouble) -> Ended {
        let (step, mut text) = (trouble.step(), chain(trouble));
        text.truncate(text.floor_char_boundary(MOST_TEXT));
        tracing::warn!(secret = of.arn, step, cause = text, "a rotation has failed");
        let record = format!("Error when executing lambda {} during {step} step", of.function);
        let again = if trouble.needs_operator() {
            Again::Operator
        } else {
            backoff::after(of.job.attempt, self.clock.now(), &*self.entropy)
        };
        match work::fail(self.work(), of, (step, &text, &record), again).await {
            Ok(Ok(()) | Err(Gone)) => (),
            Err(error) => {
                tracing::error!(cause = chain(&error), "a failure can't be noted");
                tokio::time::sleep(STORE_PAUSE).await;
            }
        }
        // A first attempt doesn't know its server yet: its line is that of all first ones.
        if trouble.is_unreachable() && of.target.is_some() {
            Ended::Unreachable
        } else {
            Ended::Answered
        }
    }
}

/// How long a new password is: as AWS's templates make it, unless the engine takes less. Clients that keep
/// passwords in fields of their own would cut off longer ones.
pub(crate) fn password_length(dialect: &Dialect) -> usize {
    const USUAL: usize = 32;
    dialect.longest_password.min(USUAL)
}
