//! Records of what an operator does besides changing accounts and access keys.

use super::Admin;
use super::answer::Fault;
use crate::start::nowhere;
use base::{AccountId, Uuid};
use serde_json::Value;
use service::audit::{self, TrailError};

impl Admin {
    /// Records the act called `name` in `account`, with `details`. No record, no answer.
    pub(super) async fn record_act(
        &self,
        account: &AccountId,
        name: &str,
        details: &Value,
    ) -> Result<(), Fault> {
        let written = self.write_record(account, name, details).await;
        written.map_err(|error| Fault::internal(service::chain(&error)))
    }

    /// The same for an act on the whole server, which belongs to no account.
    pub(super) async fn record_nowhere(&self, name: &str, details: &Value) -> Result<(), Fault> {
        self.record_act(&nowhere().0, name, details).await
    }

    async fn write_record(
        &self,
        account: &AccountId,
        name: &str,
        details: &Value,
    ) -> Result<(), TrailError> {
        let front = &self.front;
        let [id, request_id] = [(); 2].map(|()| Uuid::random(&*front.entropy));
        let (place, told) = ((account, &nowhere().1), (name, details, &*request_id.to_string()));
        let record = audit::of_operator(place, front.clock.now(), id, told);
        let record = record.ok_or_else(|| TrailError("no audit record".into()))?;
        front.trail.append(&[record]).await
    }
}
