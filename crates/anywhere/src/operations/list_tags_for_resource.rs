//! ListTagsForResource: the tags of a trust anchor, a profile or a revocation list.

use super::SOURCE;
use crate::kept::AnyKept;
use crate::{Error, limits};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, rest_input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

rest_input! {
    /// Whose.
    pub struct ListTagsForResource {
        resource_arn: Text,
    }
}

/// The tags.
#[derive(Debug, Serialize)]
pub struct Output {
    tags: Vec<Tag>,
}

#[derive(Debug, Serialize)]
struct Tag {
    key: String,
    value: String,
}

impl Operation for ListTagsForResource {
    const NAME: &'static str = "ListTagsForResource";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("rolesanywhere:ListTagsForResource");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::resource_arn(found, self.resource_arn.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, mut found) =
            AnyKept::admit(call, txn, self, self.resource_arn.as_ref()).await?;
        let tags = std::mem::take(found.tags()).into_iter();
        let tags = tags.map(|(key, value)| Tag { key, value }).collect();
        Ok(Answer::new(permit, Output { tags }))
    }
}
