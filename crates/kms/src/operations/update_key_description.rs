//! UpdateKeyDescription: what a key's owner says of it.

use crate::exception::Exception;
use crate::operations::SOURCE;
use crate::shown::Nothing;
use crate::state::Act;
use crate::{KmsKey, limits, lookup};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which key, and what is said of it.
    pub struct UpdateKeyDescription {
        key_id: Text,
        description: Text,
    }
}

impl Operation for UpdateKeyDescription {
    const NAME: &'static str = "UpdateKeyDescription";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:UpdateKeyDescription");
    const READ_ONLY: bool = false;
    type Output = Nothing;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
        found.required("description", self.description.as_ref());
        found.length("description", self.description.as_ref(), limits::DESCRIPTION);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Nothing>, Exception> {
        let sought = lookup::Sought::own(self.key_id.as_ref());
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        key.permits(Act::Describe)?;
        let description = self.description.as_ref().map(Text::as_str).unwrap_or_default();
        KmsKey { description: description.to_owned(), ..KmsKey::clone(&key) }.save(txn)?;
        Ok(Answer::new(permit, Nothing {}))
    }
}
