//! ScheduleKeyDeletion: a key stops being used, and is gone after a waiting period.

use crate::due::Due;
use crate::exception::Exception;
use crate::key::Deletion;
use crate::operations::SOURCE;
use crate::state::Act;
use crate::{KeyState, KmsKey, condition, limits, lookup};
use base::Timestamp;
use policy::engine::Values;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use std::time::Duration;
use store::Txn;
use wire::Violations;
use wire::json::instant;
use wire::members::{Integer, Text};

input! {
    /// Which key, and how many days it waits.
    pub struct ScheduleKeyDeletion {
        key_id: Text,
        pending_window_in_days: Integer,
    }
}

/// When the key will be gone.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    key_id: String,
    #[serde(serialize_with = "instant")]
    deletion_date: Timestamp,
    key_state: KeyState,
    pending_window_in_days: u16,
}

impl Operation for ScheduleKeyDeletion {
    const NAME: &'static str = "ScheduleKeyDeletion";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:ScheduleKeyDeletion");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
        found.range("pendingWindowInDays", self.pending_window_in_days, limits::WINDOW);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        match condition::own(key)? {
            "schedulekeydeletionpendingwindowindays" => {
                condition::number(self.pending_window_in_days)
            }
            _ => None,
        }
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let sought = lookup::Sought::own(self.key_id.as_ref());
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        key.permits(Act::End)?;
        let days = self.pending_window_in_days.and_then(|it| u16::try_from(it.get()).ok());
        let days = days.unwrap_or(30);
        let date = call.now.plus(Duration::from_hours(24 * u64::from(days)));
        let (state, deletion) = (KeyState::PendingDeletion, Some(Deletion { date, days }));
        KmsKey { state, deletion, ..KmsKey::clone(&key) }.save(txn)?;
        Due::of(&key, date).save(txn)?;
        let output = Output {
            key_id: key.arn.clone(),
            deletion_date: date,
            key_state: state,
            pending_window_in_days: days,
        };
        Ok(Answer::new(permit, output))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(serde_json::json!({
            "keyId": output.key_id,
            "keyState": output.key_state,
            "deletionDate": output.deletion_date.to_string(),
            "pendingWindowInDays": output.pending_window_in_days,
        }))
    }
}
