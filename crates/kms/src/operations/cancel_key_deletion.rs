//! CancelKeyDeletion: a key that was to be deleted stays, switched off.

use crate::due::Due;
use crate::exception::Exception;
use crate::operations::SOURCE;
use crate::state::Act;
use crate::{KeyState, KmsKey, import, lookup};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which key.
    pub struct CancelKeyDeletion {
        key_id: Text,
    }
}

/// The ARN of the key.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    key_id: String,
}

impl Operation for CancelKeyDeletion {
    const NAME: &'static str = "CancelKeyDeletion";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:CancelKeyDeletion");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let sought = lookup::Sought::own(self.key_id.as_ref());
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        key.permits(Act::Cancel)?;
        if let Some(deletion) = key.deletion {
            // From its date on, the material may be gone already.
            if deletion.date <= call.now {
                return Err(Exception::no_key(&key.arn));
            }
            Due::of(&key, deletion.date).remove(txn);
        }
        // Switched off, and without its material not to be switched on.
        let lacks = !import::is_whole(&key);
        let state = if lacks { KeyState::PendingImport } else { KeyState::Disabled };
        KmsKey { state, deletion: None, ..KmsKey::clone(&key) }.save(txn)?;
        Ok(Answer::new(permit, Output { key_id: key.arn.clone() }))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "keyId": output.key_id }))
    }
}
