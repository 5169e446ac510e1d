//! TagResource: adds tags to a trust anchor, a profile or a revocation list.

use super::{Nothing, SOURCE};
use crate::kept::AnyKept;
use crate::tags::{self, Tags};
use crate::{Error, limits};
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, rest_input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

rest_input! {
    /// To what, and which.
    pub struct TagResource {
        resource_arn: Text,
        tags: Tags,
    }
}

impl Operation for TagResource {
    const NAME: &'static str = "TagResource";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("rolesanywhere:TagResource");
    const READ_ONLY: bool = false;
    type Output = Nothing;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::resource_arn(found, self.resource_arn.as_ref());
        found.required("tags", self.tags.as_ref());
        tags::constraints(found, self.tags.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tags::condition(self.tags.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Nothing>, Error> {
        let (permit, mut found) =
            AnyKept::admit(call, txn, self, self.resource_arn.as_ref()).await?;
        tags::add(found.tags(), self.tags.as_ref())?;
        found.write(call, txn)?;
        Ok(Answer::new(permit, Nothing {}))
    }
}
