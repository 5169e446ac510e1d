//! Rotations: wakes the engine when something is due, asked for or has ended.

use crate::drain::Drain;
use crate::front::Front;
use rotation::{Bounds, Engine, Ground, Tally};
use service::chain;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::{sleep, timeout};

/// Has the engine do what is due.
pub(crate) struct Rotations {
    pub(crate) front: Arc<Front>,
    pub(crate) grounds: Arc<Grounds>,
}

/// What the engine stands on, for all who need it: whole once the system's authorities are read.
pub(crate) struct Grounds {
    without_system: Ground,
    whole: OnceCell<Arc<Ground>>,
}

/// How long nothing is looked at, though something may be due that nobody has told of.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);
/// How long to wait after a failure.
const PAUSE: Duration = Duration::from_secs(5);
/// How long the stop waits for what is under way; what is not ended by then goes on after the next start.
const PATIENCE: Duration = Duration::from_secs(10);

impl Grounds {
    pub(crate) fn new(without_system: Ground) -> Self {
        Self { without_system, whole: OnceCell::new() }
    }

    /// The same with the authorities of the system, which are read the first time.
    pub(crate) async fn whole(&self) -> Arc<Ground> {
        let make = async || {
            let trust = self.without_system.trust.clone();
            let read = tokio::task::spawn_blocking(|| crate::functions::with_system(trust)).await;
            let trust = read.unwrap_or_else(|_| self.without_system.trust.clone());
            Arc::new(Ground { trust, ..self.without_system.clone() })
        };
        Arc::clone(self.whole.get_or_init(make).await)
    }

    /// What was counted.
    pub(crate) fn tally(&self) -> &Tally {
        &self.without_system.tally
    }
}

impl Rotations {
    /// Works until the stop.
    pub(crate) async fn run(self, stop: Drain) {
        let ground = self.grounds.whole().await;
        let mut engine = Engine::new(ground, Bounds::default());
        while !stop.has_begun() {
            let wait = match engine.turn().await {
                Ok(turn) => turn.next.map_or(LONGEST_SLEEP, |it| it.since(self.front.clock.now())),
                Err(error) => {
                    tracing::error!(cause = chain(&error), "rotations that are due wait");
                    PAUSE
                }
            };
            tokio::select! {
                () = engine.ended() => (),
                () = sleep(wait.min(LONGEST_SLEEP)) => {
                    if LONGEST_SLEEP <= wait {
                        engine.look_again();
                    }
                }
                () = self.front.rotates.notified() => engine.look_again(),
                () = stop.begun() => (),
            }
        }
        let _late = timeout(PATIENCE, engine.finish()).await;
    }
}
