//! DisableKeyRotation: a key keeps its material, until it is rotated on demand.

use crate::due::Due;
use crate::exception::Exception;
use crate::operations::SOURCE;
use crate::shown::Nothing;
use crate::state::Act;
use crate::{KmsKey, lookup};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which key.
    pub struct DisableKeyRotation {
        key_id: Text,
    }
}

impl Operation for DisableKeyRotation {
    const NAME: &'static str = "DisableKeyRotation";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:DisableKeyRotation");
    const READ_ONLY: bool = false;
    type Output = Nothing;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Nothing>, Exception> {
        let sought = lookup::Sought::own(self.key_id.as_ref());
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        key.permits(Act::Rotate)?;
        if let Some(former) = key.rotation {
            Due::of(&key, former.next).remove(txn);
            KmsKey { rotation: None, ..KmsKey::clone(&key) }.save(txn)?;
        }
        Ok(Answer::new(permit, Nothing {}))
    }
}
