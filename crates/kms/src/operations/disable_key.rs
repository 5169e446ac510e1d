//! DisableKey: keeps a key from being used, until it is enabled again.

use crate::exception::Exception;
use crate::operations::SOURCE;
use crate::shown::Nothing;
use crate::state::Act;
use crate::{KeyState, KmsKey, lookup};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which key.
    pub struct DisableKey {
        key_id: Text,
    }
}

impl Operation for DisableKey {
    const NAME: &'static str = "DisableKey";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:DisableKey");
    const READ_ONLY: bool = false;
    type Output = Nothing;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Nothing>, Exception> {
        let sought = lookup::Sought::own(self.key_id.as_ref());
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        key.permits(Act::Switch)?;
        KmsKey { state: KeyState::Disabled, ..KmsKey::clone(&key) }.save(txn)?;
        Ok(Answer::new(permit, Nothing {}))
    }
}
