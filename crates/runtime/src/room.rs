//! What all functions together may have of this host: memory, and turns.
//!
//! A process has its memory for as long as it lives, also while it is idle: who needs room ends idle ones. An
//! invocation has its turn for as long as it runs. Both are shared between accounts as [`base::Line`] says, so that
//! no account's functions keep out another's.

use crate::program::{Error, Program};
use crate::settings::Settings;
use base::{Line, Ticket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

/// What there is, and who waits for it.
pub(crate) struct Room {
    /// In MB.
    memory: Arc<Shared>,
    most: u32,
    turns: Arc<Shared>,
    patience: Duration,
}

/// Whose idle processes are to be ended: one account's, or everybody's.
#[derive(Debug)]
pub(crate) enum Idle {
    Of(String),
    All,
}

struct Shared(Mutex<Line<oneshot::Sender<()>>>);

/// A part of it, given back when dropped. Who drops it before it has come waits no more.
pub(crate) struct Place {
    of: Arc<Shared>,
    ticket: Ticket,
}

impl Room {
    pub(crate) fn new(settings: &Settings) -> Self {
        let most = settings.memory_mb;
        let turns = u32::try_from(settings.total).unwrap_or(u32::MAX).max(1);
        let (memory, turns) = (Shared::new(most), Shared::new(turns));
        Self { memory, most, turns, patience: settings.patience }
    }

    /// Room for a process of `program`. `make_room` ends what nobody uses.
    pub(crate) async fn place<F: Future<Output = ()>>(
        &self,
        program: &Program,
        make_room: impl Fn(Idle) -> F,
    ) -> Result<Place, Error> {
        let wanted = program.memory_mb.saturating_add(program.ephemeral_mb);
        if self.most < wanted {
            let function = program.name.clone();
            return Err(Error::TooLarge { function, wanted, most: self.most });
        }
        let account = account_of(&program.arn);
        let (place, mut told) = self.memory.ask(account, wanted);
        let ends = Instant::now() + self.patience;
        while told.try_recv().is_err() {
            let own = self.memory.line().has_its_share(account);
            make_room(if own { Idle::Of(account.to_owned()) } else { Idle::All }).await;
            let looks = ends.min(Instant::now() + PAUSE);
            if matches!(timeout_at(looks, &mut told).await, Ok(Ok(()))) {
                break;
            }
            if ends <= looks {
                return Err(Error::Busy);
            }
        }
        Ok(place)
    }

    /// Whether somebody waits for what idle processes of `program` have.
    pub(crate) fn is_wanted_of(&self, program: &Program) -> bool {
        self.memory.line().is_wanted_of(account_of(&program.arn))
    }

    /// A turn of those of all functions, if it comes in time.
    pub(crate) async fn turn(&self, program: &Program) -> Result<Place, Error> {
        let (place, told) = self.turns.ask(account_of(&program.arn), 1);
        timeout(self.patience, told).await.ok().and_then(Result::ok).ok_or(Error::Busy)?;
        Ok(place)
    }

    /// One of `of`, if it comes in time.
    pub(crate) async fn turn_of<'a>(
        &self,
        of: &'a Semaphore,
    ) -> Result<SemaphorePermit<'a>, Error> {
        timeout(self.patience, of.acquire()).await.ok().and_then(Result::ok).ok_or(Error::Busy)
    }
}

impl Shared {
    fn new(most: u32) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Line::new(most))))
    }

    /// A place in the line, and how is told that `wanted` is there.
    fn ask(self: &Arc<Self>, account: &str, wanted: u32) -> (Place, oneshot::Receiver<()>) {
        let (tell, told) = oneshot::channel();
        let (ticket, served) = self.line().ask(account, wanted, tell);
        tell_all(served);
        (Place { of: Arc::clone(self), ticket }, told)
    }

    fn line(&self) -> MutexGuard<'_, Line<oneshot::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let served = self.of.line().leave(&self.ticket);
        tell_all(served);
    }
}

/// Who has given up meanwhile gives its part back itself.
fn tell_all(served: Vec<oneshot::Sender<()>>) {
    for it in served {
        let _gave_up = it.send(());
    }
}

/// The account of the function `arn`.
pub(crate) fn account_of(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or(arn)
}

/// Who waits looks so often whether there are idle processes.
const PAUSE: Duration = Duration::from_secs(1);
