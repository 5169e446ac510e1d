//! UntagResource: takes tags off a function.

use super::{Nothing, SOURCE};
use crate::{Error, limits, lookup};
use policy::engine::Values;
use service::context::tag_keys;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{List, Text};

input! {
    /// Off what, and which.
    pub struct UntagResource {
        resource: Text,
        // Records are asked again in the manner of all other members.
        #[serde(rename(deserialize = "tagKeys"), alias = "TagKeys")]
        tag_keys: List<Text>,
    }
}

impl Operation for UntagResource {
    const NAME: &'static str = "UntagResource";
    const SOURCE: &'static str = SOURCE;
    const RECORDED: &'static str = "UntagResource20170331v2";
    const ACTION: Action = Action("lambda:UntagResource");
    const READ_ONLY: bool = false;
    type Output = Nothing;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::resource(found, self.resource.as_ref());
        found.required("tagKeys", self.tag_keys.as_ref());
        found.each("tagKeys", self.tag_keys.as_ref(), 1..=128);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tag_keys(self.tag_keys.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Nothing>, Error> {
        let (permit, found) = lookup::admit_tagged(call, txn, self, self.resource.as_ref()).await?;
        let former = found.unchanged(None)?;
        let mut changed = former.clone();
        for name in self.tag_keys.iter().flat_map(List::as_slice) {
            changed.tags.remove(name.as_str());
        }
        changed.save(txn, Some(&former))?;
        Ok(Answer::new(permit, Nothing {}))
    }
}
