//! The journal's heads and syncs, and the way of records from the outbox into it.

use crate::drain::Drain;
use base::{Clock, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use store::Backend;
use tokio::time::{Instant, sleep};
use trail::Journal;

/// Keeps the journal on disk and the outbox short.
pub(crate) struct Outbox {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) journal: Journal,
    pub(crate) clock: Arc<dyn Clock>,
    /// Longer than any request takes from its arrival to its end.
    pub(crate) request_time: Duration,
}

/// What a power cut may take of the records that were with the kernel.
const SYNC_INTERVAL: Duration = Duration::from_millis(100);
/// How often records are looked for that didn't reach the journal when they should have.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

impl Outbox {
    /// Empties the outbox of what an earlier process has left in it.
    pub(crate) async fn recover(&self) -> Result<(), trail::Error> {
        let end_of_time = Timestamp::from_millis(i64::MAX);
        let recovered = trail::recover_outbox(&*self.backend, &self.journal, end_of_time).await?;
        if recovered.removed > 0 {
            let trail::Recovered { appended, removed } = recovered;
            tracing::info!(appended, removed, "audit records recovered from the outbox");
        }
        Ok(())
    }

    /// Works until the stop.
    pub(crate) async fn run(self: Arc<Self>, stop: Drain) {
        let mut sweep = Instant::now() + SWEEP_INTERVAL;
        let mut failing = false;
        for round in 0_u64.. {
            tokio::select! {
                () = sleep(SYNC_INTERVAL) => (),
                () = stop.begun() => return,
            }
            // A head may be due though everything is on disk; that doesn't press.
            let mut outcome = self.step(round % 10 == 0).await;
            if sweep <= Instant::now() {
                sweep = Instant::now() + SWEEP_INTERVAL;
                outcome = outcome.and(self.sweep().await);
            }
            // Once when it begins and once when it ends, not ten times a second.
            match (&outcome, failing) {
                (Err(error), false) => {
                    let cause = service::chain(error);
                    tracing::error!(cause, "the audit journal is not kept up");
                }
                (Ok(()), true) => tracing::info!("the audit journal is kept up again"),
                _ => (),
            }
            failing = outcome.is_err();
        }
    }

    /// One round: what is due for the journal, and the rows it has on disk since.
    async fn step(&self, thorough: bool) -> Result<(), trail::Error> {
        let (journal, now) = (self.journal.clone(), self.clock.now());
        if thorough || journal.sync_due() {
            let ticked = tokio::task::spawn_blocking(move || journal.tick(now)).await;
            ticked.map_err(|_| trail::Error::Closed)??;
        }
        if self.journal.stats().unsettled > 0 {
            trail::drain(&*self.backend, &self.journal).await?;
        }
        Ok(())
    }

    /// Appends what was committed and then didn't reach the journal.
    async fn sweep(&self) -> Result<(), trail::Error> {
        let before = self.clock.now().minus(2 * self.request_time + Duration::from_mins(1));
        trail::recover_outbox(&*self.backend, &self.journal, before).await.map(drop)
    }

    /// The end, after the last request: everything is on disk, signed, and out of the outbox.
    pub(crate) async fn finish(&self) -> Result<(), trail::Error> {
        let drained = trail::drain(&*self.backend, &self.journal).await.map(drop);
        let journal = self.journal.clone();
        let closed = tokio::task::spawn_blocking(move || journal.close()).await;
        drained.and(closed.map_err(|_| trail::Error::Closed)?)
    }
}
