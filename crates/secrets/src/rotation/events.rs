//! The records that rotations leave. Source: rotation.md §1.9.

use super::Kind;
use crate::operations::SOURCE;
use crate::stages::VersionId;
use service::Event;

/// What happens to a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Abandoned,
    Failed,
    Started,
    Succeeded,
}

/// The record of it, if it leaves one. `problem` is its `errorMessage`.
pub(crate) fn of(
    kind: Kind,
    stage: Stage,
    (arn, token): (&str, &VersionId),
    problem: Option<&str>,
) -> Option<Event> {
    let name = match (kind, stage) {
        (Kind::Rotate, Stage::Abandoned) => "RotationAbandoned",
        (Kind::Rotate, Stage::Failed) => "RotationFailed",
        (Kind::Rotate, Stage::Started) => "RotationStarted",
        (Kind::Rotate, Stage::Succeeded) => "RotationSucceeded",
        (Kind::Reconcile, Stage::Failed) => "RotationReconciliationFailed",
        (Kind::Reconcile, Stage::Succeeded) => "RotationReconciled",
        (Kind::Test, Stage::Failed) => "TestRotationFailed",
        (Kind::Test, Stage::Started) => "TestRotationStarted",
        (Kind::Test, Stage::Succeeded) => "TestRotationSucceeded",
        (Kind::Reconcile | Kind::Test, Stage::Abandoned) | (Kind::Reconcile, Stage::Started) => {
            return None;
        }
    };
    Some(Event::Service {
        source: SOURCE,
        name,
        details: serde_json::json!({ "SecretId": arn }),
        request_id: format!("Rotation-{arn}-{}", token.as_str()),
        error: problem.map(str::to_owned),
    })
}

/// A record that AWS has no name for.
pub(crate) fn own(name: &'static str, arn: &str, token: Option<&VersionId>) -> Event {
    let token = token.map(|it| format!("-{}", it.as_str())).unwrap_or_default();
    Event::Service {
        source: SOURCE,
        name,
        details: serde_json::json!({ "SecretId": arn }),
        request_id: format!("Rotation-{arn}{token}"),
        error: None,
    }
}

/// The record that the value of the administrator's secret `master` was read for the rotation of `arn`.
pub(crate) fn read_for((master, arn): (&str, &str), token: &VersionId) -> Event {
    Event::Service {
        source: SOURCE,
        name: "GetSecretValue",
        details: serde_json::json!({ "SecretId": master, "RotatedSecretId": arn }),
        request_id: format!("Rotation-{arn}-{}", token.as_str()),
        error: None,
    }
}
