//! GetKeyRotationStatus: whether a key rotates by itself, and when next.

use crate::exception::Exception;
use crate::lookup::{self, Sought};
use crate::operations::SOURCE;
use crate::state::Act;
use base::Timestamp;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::json::instant_option;
use wire::members::Text;

input! {
    /// Which key.
    pub struct GetKeyRotationStatus {
        key_id: Text,
    }
}

/// Whether it rotates.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    key_rotation_enabled: bool,
    key_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_period_in_days: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "instant_option")]
    next_rotation_date: Option<Timestamp>,
}

impl Operation for GetKeyRotationStatus {
    const NAME: &'static str = "GetKeyRotationStatus";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:GetKeyRotationStatus");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let sought = Sought { across: true, ..Sought::own(self.key_id.as_ref()) };
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        key.permits(Act::Look)?;
        let output = Output {
            key_rotation_enabled: key.rotation.is_some(),
            key_id: key.id.clone(),
            rotation_period_in_days: key.rotation.map(|it| it.days),
            next_rotation_date: key.rotation.map(|it| it.next),
        };
        Ok(Answer::new(permit, output))
    }
}
