//! Packages of functions that no function has any more.

use crate::drain::Drain;
use crate::front::Front;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Removes them now and then.
pub(crate) struct Sweep {
    pub(crate) front: Arc<Front>,
}

const PAUSE: Duration = Duration::from_hours(1);

impl Sweep {
    /// Works until the stop.
    pub(crate) async fn run(self, stop: Drain) {
        loop {
            tokio::select! {
                () = sleep(PAUSE) => (),
                () = stop.begun() => return,
            }
            if let Err(cause) = self.once().await {
                tracing::error!(cause, "packages that nobody needs were not removed");
            }
        }
    }

    /// Removes what can be removed now.
    pub(crate) async fn once(&self) -> Result<(), String> {
        let Front { backend, functions, clock, .. } = &*self.front;
        let swept = functions::maintenance::sweep(&**backend, &*functions.code, clock.now()).await;
        let removed = swept.map_err(|error| service::chain(&error))?;
        if removed > 0 {
            tracing::info!(removed, "packages that no function has any more are removed");
        }
        Ok(())
    }
}
