//! Writes down when access keys and roles were last used.

use crate::drain::Drain;
use crate::front::Front;
use crate::last_use::Mark;
use std::sync::Arc;

/// Takes what the front door has noted to the store.
pub(crate) struct LastUses {
    pub(crate) front: Arc<Front>,
}

impl LastUses {
    /// Works until the stop, and writes then what is left.
    pub(crate) async fn run(self, stop: Drain) {
        loop {
            tokio::select! {
                () = self.front.uses.fresh.notified() => self.write().await,
                () = stop.begun() => return self.write().await,
            }
        }
    }

    /// Writes all that was noted.
    pub(crate) async fn write(&self) {
        let _turn = self.front.uses.writing.lock().await;
        for mark in self.front.uses.take() {
            if let Err(error) = self.write_one(&mark).await {
                let (cause, who) = (service::chain(&error), &mark.caller.arn);
                tracing::debug!(cause, who, "a last use is missed");
            }
        }
    }

    async fn write_one(&self, mark: &Mark) -> Result<(), store::Error> {
        let mut txn = store::begin(&*self.front.backend);
        if mark.of_key {
            identity::note_use(&mut txn, &mark.caller, &mark.last).await?;
        }
        if mark.of_service {
            identity::note_service_use(&mut txn, &mark.caller, &mark.last).await?;
        }
        txn.commit().await
    }
}
