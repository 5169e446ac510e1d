//! TagResource: adds tags to a key, or gives those it has another value.

use crate::exception::Exception;
use crate::operations::SOURCE;
use crate::shown::Nothing;
use crate::state::Act;
use crate::tags::{self, TagsGiven};
use crate::{KmsKey, lookup};
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which key, and its tags.
    pub struct TagResource {
        key_id: Text,
        tags: TagsGiven,
    }
}

impl Operation for TagResource {
    const NAME: &'static str = "TagResource";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:TagResource");
    const READ_ONLY: bool = false;
    type Output = Nothing;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
        found.required("tags", self.tags.as_ref());
        tags::constraints(found, self.tags.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tags::condition(self.tags.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Nothing>, Exception> {
        let sought = lookup::Sought::own(self.key_id.as_ref());
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        key.permits(Act::Describe)?;
        let tags = tags::merged(&key.tags, self.tags.as_ref())?;
        KmsKey { tags, ..KmsKey::clone(&key) }.save(txn)?;
        Ok(Answer::new(permit, Nothing {}))
    }
}
