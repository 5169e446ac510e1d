//! TagResource: adds tags, or gives those that are there another value.

use crate::operations::shown::Nothing;
use crate::secret::Secret;
use crate::tags::{self, TagsGiven};
use crate::{Error, condition, lookup};
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which secret, and the tags.
    pub struct TagResource {
        secret_id: Text,
        tags: TagsGiven,
    }
}

impl Operation for TagResource {
    const NAME: &'static str = "TagResource";
    const ACTION: Action = Action("secretsmanager:TagResource");
    const READ_ONLY: bool = false;
    type Output = Nothing;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.secret_id.as_ref());
        found.required("tags", self.tags.as_ref());
        tags::constraints(found, self.tags.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        condition::tags(self.tags.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Nothing>, Error> {
        let (permit, found) = lookup::admit(call, txn, self, self.secret_id.as_ref()).await?;
        let (place, before) = found.live()?;
        let mut secret = Secret::clone(&before);
        if let Some(given) = &self.tags {
            secret.tags = Some(tags::merged(secret.tags.as_ref(), given)?);
        }
        secret.touch(call.now);
        secret.save(txn, &place, &before)?;
        Ok(Answer::new(permit, Nothing {}))
    }
}
