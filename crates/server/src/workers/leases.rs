//! Leases: wakes their worker when one is asked for, ends or has to be looked at.

use super::Grounds;
use crate::drain::Drain;
use crate::front::Front;
use rotation::Leases as Worker;
use service::chain;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Has users of databases made and removed.
pub(crate) struct Leases {
    pub(crate) front: Arc<Front>,
    pub(crate) grounds: Arc<Grounds>,
}

/// How long nothing is looked at, though something may be due that nobody has told of.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);
/// How long to wait after a failure.
const PAUSE: Duration = Duration::from_secs(5);
/// How long the stop waits for what is under way; what is not ended by then goes on after the next start.
const PATIENCE: Duration = Duration::from_secs(10);

impl Leases {
    /// Works until the stop.
    pub(crate) async fn run(self, stop: Drain) {
        let mut worker = Worker::new(self.grounds.whole().await);
        while !stop.has_begun() {
            let wait = match worker.turn().await {
                Ok(turn) => turn.next.map_or(LONGEST_SLEEP, |it| it.since(self.front.clock.now())),
                Err(error) => {
                    tracing::error!(cause = chain(&error), "leases that are due wait");
                    PAUSE
                }
            };
            tokio::select! {
                () = worker.ended() => (),
                () = sleep(wait.min(LONGEST_SLEEP)) => (),
                () = self.front.barrier.wanted() => worker.look_again(),
                () = stop.begun() => (),
            }
        }
        let _late = timeout(PATIENCE, worker.finish()).await;
    }
}
