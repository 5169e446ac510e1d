//! Shares that bring back a lost root key: made here, given away once.

use super::Admin;
use super::answer::{Fault, Replied, with_status};
use crate::start::nowhere;
use http::StatusCode;
use kms::Error;
use kms::root::share::Share;
use serde::Deserialize;
use serde_json::json;
use service::chain;

/// How many shares, and how many of them it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct CreateRecovery {
    shares: u8,
    threshold: u8,
}

impl Admin {
    /// Wraps all partition keys by a recovery key; 201 with its shares, which are kept nowhere.
    pub(super) async fn create_recovery(&self, wanted: CreateRecovery) -> Replied {
        let Ok(_one_at_a_time) = self.rotating.try_lock() else {
            let fact = "the root key is being changed";
            return Err(Fault::new(StatusCode::CONFLICT, fact, "wait until that is done"));
        };
        let CreateRecovery { shares, threshold } = wanted;
        let details = json!({ "shares": shares, "threshold": threshold });
        // Recorded before the shares there were stop counting: without a record they stay as they are.
        self.record_nowhere("StartRootKeyRecovery", &details).await?;
        let (account, region) = nowhere();
        let front = &self.front;
        let scope = self.scope(front.clock.now(), (&account, &region));
        let made = kms::root::recovery::create(&*front.backend, &scope, (threshold, shares)).await;
        let (note, made) = made.map_err(|error| match error {
            Error::Share(error) => {
                let text = error.to_string();
                Fault::new(StatusCode::BAD_REQUEST, text, "say it with --shares and --threshold")
            }
            error => Fault::internal(chain(&error)),
        })?;
        let details = json!({ "recoveryId": note.id, "shares": shares, "threshold": threshold });
        self.record_nowhere("CreateRootKeyRecovery", &details).await?;
        tracing::info!(recovery = note.id, shares, threshold, "recovery shares made");
        let text =
            |it: &Share| it.write().map(|it| String::from_utf8_lossy(it.expose()).into_owned());
        let written: Option<Vec<_>> = made.iter().map(text).collect();
        let written =
            written.ok_or_else(|| Fault::internal("a share can't be written".to_owned()))?;
        let value = json!({ "RecoveryId": note.id, "Threshold": threshold, "Shares": written });
        Ok(with_status(StatusCode::CREATED, &value))
    }
}
