//! A turn of the engine.

use crate::barrier::Barrier;
use crate::intake::Intake;
use crate::port::{Functions, Registry};
use crate::queue::{Bounds, Ended, Entry, Line, Queue};
use crate::tally::Tally;
use crate::trouble::Trouble;
use crate::{backoff, native, program};
use base::{Clock, Entropy, Sensitive, Timestamp};
use envelope::Keyring;
use rotators::{Dialect, Trust};
use secrets::rotation::work::{self, Assignment, Failed, Gone, Work};
use secrets::rotation::{Again, Due, Kind, view};
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
    intake: Intake,
    running: JoinSet<(Entry, Done)>,
}

/// What a turn has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// When there is something to do again without anything ending before.
    pub next: Option<Timestamp>,
    /// How many are under way.
    pub running: usize,
}

/// What came of something that was begun.
struct Done {
    ended: Ended,
    /// Whether something of the same secret may be due by now.
    again: bool,
    /// The server that it has to wait for, if that wasn't known before.
    server: Option<String>,
}

/// Bytes of what a failure says: a function may say much.
const MOST_TEXT: usize = 2048;
/// After the store couldn't be read or written.
const STORE_PAUSE: Duration = Duration::from_secs(5);

impl Engine {
    /// An engine with nothing under way.
    pub fn new(ground: Arc<Ground>, bounds: Bounds) -> Self {
        let (queue, running) = (Queue::new(bounds), JoinSet::new());
        Self { ground, queue, intake: Intake::new(), running }
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
    pub async fn turn(&mut self) -> Result<Turn, secrets::Error> {
        let now = self.ground.clock.now();
        let taken = self.intake.turn(&self.ground, &mut self.queue, now).await;
        self.start(now);
        self.tell_overdue(now).await?;
        let (waiting, shut) = (self.queue.waiting(), self.queue.shut(now));
        self.ground.tally.note(waiting, shut);
        let next = [taken?, self.queue.reopens(now), self.queue.tells()].into_iter().flatten();
        Ok(Turn { next: next.min(), running: self.queue.running() })
    }

    /// How many wait or are under way: what is held in memory.
    pub fn held(&self) -> usize {
        self.queue.len()
    }

    fn start(&mut self, now: Timestamp) {
        while let Some(entry) = self.queue.start(now) {
            let ground = Arc::clone(&self.ground);
            self.running.spawn(async move {
                let mut alone = JoinSet::new();
                let one = entry.clone();
                alone.spawn(async move { ground.carry_out(&one).await });
                let done = if let Some(Ok(done)) = alone.join_next().await {
                    done
                } else {
                    // Nothing here panics. What did keeps its place for a while, like one whose store failed.
                    tracing::error!(secret = entry.due.secret.as_str(), "a rotation broke off");
                    Done::later().await
                };
                (entry, done)
            });
        }
    }

    /// Tells that what waits is overdue: behind a server that doesn't answer that may be for long.
    async fn tell_overdue(&mut self, now: Timestamp) -> Result<(), secrets::Error> {
        let mut told = Ok(());
        for due in self.queue.overdue(now) {
            told = told.and(work::tell_overdue(self.ground.work(), &due).await);
        }
        told
    }

    /// Waits until something that is under way ends; for ever, if nothing is.
    pub async fn ended(&mut self) {
        match self.running.join_next().await {
            Some(Ok((entry, done))) => {
                self.queue.end(&entry, done.ended, self.ground.clock.now());
                self.intake.ended(&entry.due);
                if done.again {
                    self.intake.want();
                }
                if let Some(server) = done.server {
                    let line = Line::Server(server);
                    if !self.queue.offer(Entry { line, ..entry }) {
                        self.intake.want();
                    }
                }
            }
            // It only waits for another task, which it owns.
            Some(Err(error)) => tracing::error!(cause = %error, "a rotation was cut off"),
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

impl Done {
    const WELL: Self = Self { ended: Ended::Answered, again: false, server: None };

    /// After a while it is looked at again.
    async fn later() -> Self {
        tokio::time::sleep(STORE_PAUSE).await;
        Self { again: true, ..Self::WELL }
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

    /// Does what the row of `entry` leads to, and notes how it went.
    async fn carry_out(&self, entry: &Entry) -> Done {
        if entry.line == Line::New
            && let Some(server) = self.server_of(&entry.due).await
        {
            return Done { server: Some(server), ..Done::WELL };
        }
        match work::begin(self.work(), &entry.due).await {
            Ok(None) => Done::WELL,
            Ok(Some(of)) => self.attempt(entry, &of).await,
            Err(error) => {
                tracing::error!(cause = chain(&error), "a rotation can't begin");
                Done::later().await
            }
        }
    }

    /// The server that the current value names. No server is asked.
    async fn server_of(&self, due: &Due) -> Option<String> {
        let view = view::at(&mut store::begin(&*self.backend), due).await.ok()??;
        let login = self.login(&view.inspection()).await.ok()?;
        Some(login.server())
    }

    async fn attempt(&self, entry: &Entry, of: &Assignment) -> Done {
        let native = self.functions.native(&of.function);
        let engine = native.map_or("function", |it| it.engine.unwrap_or("native"));
        let counted = self.tally.begin(of.job.phase);
        let done = match native {
            Some(native) => native::carry_out(self, of, native, &counted).await,
            None => program::carry_out(self, of).await,
        };
        drop(counted);
        self.tally.end(engine, &done);
        // What a client has done meanwhile, and what ends without a schedule, may be due at once.
        let again = of.job.kind != Kind::Rotate || matches!(done, Err(Trouble::Gone));
        let ended = match done {
            Ok(()) => {
                tracing::info!(secret = of.arn, kind = ?of.job.kind, "rotated");
                Ended::Answered
            }
            Err(Trouble::Gone) => Ended::Answered,
            Err(trouble) => return self.failed(entry, of, &trouble).await,
        };
        Done { ended, again, server: None }
    }

    async fn failed(&self, entry: &Entry, of: &Assignment, trouble: &Trouble) -> Done {
        let (step, mut text) = (trouble.step(), chain(trouble));
        text.truncate(text.floor_char_boundary(MOST_TEXT));
        tracing::warn!(secret = of.arn, step, cause = text, "a rotation has failed");
        let record = format!("Error when executing lambda {} during {step} step", of.function);
        let again = if trouble.needs_operator() {
            Again::Operator
        } else {
            backoff::after(of.job.attempt, self.clock.now(), &*self.entropy)
        };
        let rolled_back = trouble.is_undone();
        let failed = Failed { step, text: &text, record: &record, rolled_back };
        match work::fail(self.work(), of, failed, again).await {
            Ok(Ok(()) | Err(Gone)) => (),
            Err(error) => {
                tracing::error!(cause = chain(&error), "a failure can't be noted");
                return Done::later().await;
            }
        }
        let unreachable = trouble.is_unreachable() && matches!(entry.line, Line::Server(_));
        let ended = if unreachable { Ended::Unreachable } else { Ended::Answered };
        Done { ended, again: of.job.kind == Kind::Test, server: None }
    }
}

/// How long a new password is: as AWS's templates make it, unless the engine takes less. Clients that keep
/// passwords in fields of their own would cut off longer ones.
pub(crate) fn password_length(dialect: &Dialect) -> usize {
    const USUAL: usize = 32;
    dialect.longest_password.min(USUAL)
}
