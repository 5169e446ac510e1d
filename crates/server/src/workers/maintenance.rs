//! What falls due without a request: ends of deletion windows, versions nobody names.

use crate::drain::Drain;
use crate::front::Front;
use base::Timestamp;
use service::{Ports, chain};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Does what is due when it is due.
pub(crate) struct Maintenance {
    pub(crate) front: Arc<Front>,
}

/// How long nothing is looked at, though something may fall due that nobody has told of.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);
/// How long to wait after a failure.
const PAUSE: Duration = Duration::from_secs(5);

impl Maintenance {
    /// Works until the stop.
    pub(crate) async fn run(self, stop: Drain) {
        loop {
            let wait = match self.catch_up(&stop).await {
                Ok(next) => next.map_or(LONGEST_SLEEP, |at| at.since(self.front.clock.now())),
                Err(cause) => {
                    tracing::error!(cause, "what is due was not done");
                    PAUSE
                }
            };
            tokio::select! {
                () = sleep(wait.min(LONGEST_SLEEP)) => (),
                () = self.front.sooner.notified() => (),
                () = stop.begun() => return,
            }
        }
    }

    /// Does everything that is due now, portion by portion; tells when the next is.
    pub(crate) async fn catch_up(&self, stop: &Drain) -> Result<Option<Timestamp>, String> {
        let front = &*self.front;
        let ports = Ports { backend: &*front.backend, trail: &*front.trail, turns: &front.turns };
        loop {
            let now = front.clock.now();
            let next = secrets::maintenance::step(ports, &*front.entropy, now).await;
            match next.map_err(|error| chain(&error))? {
                Some(at) if at <= now && !stop.has_begun() => tokio::task::yield_now().await,
                next => return Ok(next),
            }
        }
    }
}
