//! What falls due without a request: ends of deletion windows, versions nobody names, rotations of keys.

use crate::drain::Drain;
use crate::front::Front;
use base::{AccountId, Timestamp};
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
        let secrets = self.catch_up_with(stop, Service::Secrets).await;
        // What one service can't do holds up no other.
        let keys = self.catch_up_with(stop, Service::Keys).await;
        let sessions = self.rotate_session_keys().await.map(Some);
        Ok([secrets?, keys?, sessions?].into_iter().flatten().min())
    }

    async fn catch_up_with(
        &self,
        stop: &Drain,
        service: Service,
    ) -> Result<Option<Timestamp>, String> {
        loop {
            let now = self.front.clock.now();
            match self.step(service, now).await? {
                Some(at) if at <= now && !stop.has_begun() => tokio::task::yield_now().await,
                next => return Ok(next),
            }
        }
    }

    /// Keeps the keys that sessions are sealed under young; tells when to come again.
    async fn rotate_session_keys(&self) -> Result<Timestamp, String> {
        let front = &*self.front;
        // They are the store's: of no account and in no Region.
        let nowhere = || "no account stands for the store".to_owned();
        let account = AccountId::from_number(0).ok_or_else(nowhere)?;
        let region = "us-east-1".parse().map_err(|_| nowhere())?;
        let scope = kms::Scope {
            keyring: &front.keyring,
            entropy: &*front.entropy,
            now: front.clock.now(),
            account: &account,
            region: &region,
        };
        let mut txn = store::begin(&*front.backend);
        let next = identity::session::rotate(&mut txn, &scope).await;
        let next = next.map_err(|error| chain(&error))?;
        match txn.commit().await {
            // Another process or task has just done it.
            Ok(()) | Err(store::Error::Conflict { .. }) => Ok(next),
            Err(error) => Err(chain(&error)),
        }
    }

    async fn step(&self, service: Service, now: Timestamp) -> Result<Option<Timestamp>, String> {
        let front = &*self.front;
        let ports = Ports { backend: &*front.backend, trail: &*front.trail, turns: &front.turns };
        match service {
            Service::Keys => {
                let step = kms::maintenance::step(ports, &front.keyring, &*front.entropy, now);
                step.await.map_err(|error| chain(&error))
            }
            Service::Secrets => {
                let step = secrets::maintenance::step(ports, &*front.entropy, now);
                step.await.map_err(|error| chain(&error))
            }
        }
    }
}

/// Whose work it is.
#[derive(Clone, Copy)]
enum Service {
    Keys,
    Secrets,
}
