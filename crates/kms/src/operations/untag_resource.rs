//! UntagResource: takes tags off a key.

use crate::exception::Exception;
use crate::operations::SOURCE;
use crate::shown::Nothing;
use crate::state::Act;
use crate::{KmsKey, limits, lookup};
use policy::engine::Values;
use service::context::tag_keys;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{List, Text};

input! {
    /// Which key, and the names of its tags.
    pub struct UntagResource {
        key_id: Text,
        tag_keys: List<Text>,
    }
}

impl Operation for UntagResource {
    const NAME: &'static str = "UntagResource";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:UntagResource");
    const READ_ONLY: bool = false;
    type Output = Nothing;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
        found.required("tagKeys", self.tag_keys.as_ref());
        found.each("tagKeys", self.tag_keys.as_ref(), limits::TAG_KEY);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tag_keys(self.tag_keys.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Nothing>, Exception> {
        let sought = lookup::Sought::own(self.key_id.as_ref());
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        key.permits(Act::Describe)?;
        let mut tags = key.tags.clone();
        for name in self.tag_keys.as_ref().map_or(&[][..], List::as_slice) {
            tags.remove(name.as_str());
        }
        KmsKey { tags, ..KmsKey::clone(&key) }.save(txn)?;
        Ok(Answer::new(permit, Nothing {}))
    }
}
