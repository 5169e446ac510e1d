//! The records that leases leave, beside those of who asked for them.

use super::{End, Lease};
use crate::operations::SOURCE;
use serde_json::{Value, json};
use service::Event;

/// What happens to a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its user is there.
    Created,
    /// Its user couldn't be made or removed, for the first time in a row.
    Failed,
    /// Its user is gone.
    Gone,
    /// It ends later.
    Renewed,
}

/// The record of it. Of passwords nothing is told.
pub(crate) fn of(lease: &Lease, stage: Stage) -> Event {
    let name = match (stage, lease.end) {
        (Stage::Created, _) => "LeaseCreated",
        (Stage::Failed, None) => "LeaseCreationFailed",
        (Stage::Failed, Some(_)) => "LeaseRemovalFailed",
        (Stage::Gone, Some(End::Expired)) => "LeaseExpired",
        (Stage::Gone, _) => "LeaseRevoked",
        (Stage::Renewed, _) => "LeaseRenewed",
    };
    let mut details = told(lease);
    if let (Stage::Gone, Some(end), Some(details)) = (stage, lease.end, details.as_object_mut()) {
        details.insert("Reason".to_owned(), json!(end));
    }
    let problem = lease.problem.as_ref().filter(|_| stage == Stage::Failed);
    event(lease, name, details, problem.map(|it| it.text.clone()))
}

/// The record that the value of the administrator's secret `master` was read for `lease`.
pub(crate) fn read_for(master: &str, lease: &Lease) -> Event {
    let details =
        json!({ "SecretId": master, "LeasedSecretId": lease.arn, "LeaseId": lease.id.as_str() });
    event(lease, "GetSecretValue", details, None)
}

fn told(lease: &Lease) -> Value {
    json!({
        "SecretId": lease.arn,
        "LeaseId": lease.id.as_str(),
        "Username": lease.username,
        "Principal": lease.holder.arn,
        "PrincipalId": lease.holder.id,
        "Expires": lease.expires.to_string(),
    })
}

fn event(lease: &Lease, name: &'static str, details: Value, error: Option<String>) -> Event {
    let request_id = format!("Lease-{}", lease.id.as_str());
    Event::Service { source: SOURCE, name, details, request_id, error }
}
