//! UntagResource: takes tags off. Keys that aren't there are ignored.

use crate::operations::shown::Nothing;
use crate::secret::Secret;
use crate::{Error, limits, lookup};
use policy::engine::Values;
use service::context::tag_keys;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{List, Text};

input! {
    /// Which secret, and the keys of the tags.
    pub struct UntagResource {
        secret_id: Text,
        tag_keys: List<Text>,
    }
}

impl Operation for UntagResource {
    const NAME: &'static str = "UntagResource";
    const ACTION: Action = Action("secretsmanager:UntagResource");
    const READ_ONLY: bool = false;
    type Output = Nothing;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.secret_id.as_ref());
        found.required("tagKeys", self.tag_keys.as_ref());
        found.each("tagKeys", self.tag_keys.as_ref(), limits::TAG_KEY);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tag_keys(self.tag_keys.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Nothing>, Error> {
        let (permit, found) = lookup::admit(call, txn, self, self.secret_id.as_ref()).await?;
        let (place, before) = found.live()?;
        let mut secret = Secret::clone(&before);
        for key in self.tag_keys.iter().flat_map(List::as_slice) {
            if let Some(tags) = &mut secret.tags {
                tags.remove(key.as_str());
            }
        }
        // `LastChangedDate` stays: observed at the service, unlike for TagResource.
        if secret != *before {
            secret.save(txn, &place, &before)?;
        }
        Ok(Answer::new(permit, Nothing {}))
    }
}
