//! Rotations: wakes the engine when something is due, asked for or has ended.

use crate::drain::Drain;
use crate::front::Front;
use rotation::{Bounds, Engine, Ground};
use rotators::Trust;
use service::chain;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Has the engine do what is due.
pub(crate) struct Rotations {
    pub(crate) front: Arc<Front>,
    pub(crate) ground: Ground,
}

/// How long nothing is looked at, though something may be due that nobody has told of.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);
/// How long to wait after a failure.
const PAUSE: Duration = Duration::from_secs(5);
/// How long the stop waits for what is under way; what is not ended by then goes on after the next start.
const PATIENCE: Duration = Duration::from_secs(10);

impl Rotations {
    /// Works until the stop.
    pub(crate) async fn run(self, stop: Drain) {
        let ground = self.ground;
        let trust = ground.trust.clone();
        let trust = tokio::task::spawn_blocking(|| crate::functions::with_system(trust)).await;
        let trust: Trust = trust.unwrap_or_else(|_| ground.trust.clone());
        let mut engine = Engine::new(Arc::new(Ground { trust, ..ground }), Bounds::default());
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
                () = sleep(wait.min(LONGEST_SLEEP)) => (),
                () = self.front.rotates.notified() => (),
                () = stop.begun() => (),
            }
        }
        let _late = timeout(PATIENCE, engine.finish()).await;
    }
}
