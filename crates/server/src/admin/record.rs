//! Records of what an operator does.

use super::Admin;
use super::answer::Fault;
use crate::start::nowhere;
use base::{AccountId, Uuid};
use serde_json::Value;
use service::audit::{self, Encoded};

impl Admin {
    /// Records the act called `name` in `account`, with `details`. No record, no answer.
    pub(super) async fn record_act(
        &self,
        account: &AccountId,
        name: &str,
        details: &Value,
    ) -> Result<(), Fault> {
        let record = self.operator_record(account, name, details)?;
        let written = self.front.trail.append(&[record]).await;
        written.map_err(|error| Fault::internal(service::chain(&error)))
    }

    /// The same for an act on the whole server, which belongs to no account.
    pub(super) async fn record_nowhere(&self, name: &str, details: &Value) -> Result<(), Fault> {
        self.record_act(&nowhere().0, name, details).await
    }

    /// The record of the act called `name` in `account`, with `details`, to be committed along with it. It
    /// stands in the home of IAM's records.
    ///
    /// # Errors
    ///
    /// [`store::Error::Unavailable`]: it can't be written down.
    pub(super) fn operator_record(
        &self,
        account: &AccountId,
        name: &str,
        details: &Value,
    ) -> Result<Encoded, store::Error> {
        let front = &self.front;
        let [id, request_id] = [(); 2].map(|()| Uuid::random(&*front.entropy));
        let (place, told) = ((account, &nowhere().1), (name, details, &*request_id.to_string()));
        let record = audit::of_operator(place, front.clock.now(), id, told);
        record.ok_or_else(|| store::Error::Unavailable("no audit record".into()))
    }
}
