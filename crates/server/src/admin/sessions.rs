//! Ending sessions.

use super::Admin;
use super::answer::{Replied, ok};
use identity::{Error, session};
use serde::Deserialize;
use serde_json::json;
use service::audit::Encoded;
use store::Txn;

/// Whose sessions end.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Revoke {
    role_arn: String,
}

impl Admin {
    /// Ends the sessions of a role that there are so far.
    pub(super) async fn revoke_sessions(&self, revoke: &Revoke) -> Replied {
        let front = &self.front;
        loop {
            let mut txn = store::begin(&*front.backend);
            match self.revoked(&mut txn, &revoke.role_arn).await {
                Err(Error::Store(store::Error::Conflict { .. })) => (),
                Err(error) => return Err(error.into()),
                Ok(record) => {
                    if service::commit_recorded(txn, &[record], &*front.trail).await? {
                        return Ok(ok(&json!({ "RoleArn": revoke.role_arn })));
                    }
                }
            }
        }
    }

    async fn revoked(&self, txn: &mut Txn<'_>, arn: &str) -> Result<Encoded, Error> {
        let front = &self.front;
        let (entropy, now) = (&*front.entropy, front.clock.now());
        let (account, role_id) = session::revoke(txn, entropy, arn, now).await?;
        let details = json!({ "roleArn": arn, "roleId": role_id });
        Ok(self.operator_record(&account, "RevokeSessions", &details)?)
    }
}
