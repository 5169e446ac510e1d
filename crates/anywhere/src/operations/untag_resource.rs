//! UntagResource: takes tags away from a trust anchor, a profile or a revocation list.

use super::{Nothing, SOURCE};
use crate::kept::AnyKept;
use crate::{Error, limits};
use policy::engine::Values;
use service::context::tag_keys;
use service::{Action, Answer, Call, Operation, rest_input};
use store::Txn;
use wire::Violations;
use wire::members::{List, Text};

rest_input! {
    /// From what, and which.
    pub struct UntagResource {
        resource_arn: Text,
        tag_keys: List<Text>,
    }
}

impl Operation for UntagResource {
    const NAME: &'static str = "UntagResource";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("rolesanywhere:UntagResource");
    const READ_ONLY: bool = false;
    type Output = Nothing;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::resource_arn(found, self.resource_arn.as_ref());
        found.required("tagKeys", self.tag_keys.as_ref());
        found.count("tagKeys", self.tag_keys.as_ref(), 0..=200, |it| it.as_str().to_owned());
        found.each("tagKeys", self.tag_keys.as_ref(), 1..=128);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tag_keys(self.tag_keys.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Nothing>, Error> {
        let (permit, mut found) =
            AnyKept::admit(call, txn, self, self.resource_arn.as_ref()).await?;
        for name in self.tag_keys.as_ref().map_or(&[][..], List::as_slice) {
            found.tags().remove(name.as_str());
        }
        found.write(call, txn)?;
        Ok(Answer::new(permit, Nothing {}))
    }
}
