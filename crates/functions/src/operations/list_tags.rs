//! ListTags: the tags of a function.

use super::SOURCE;
use crate::{Error, limits, lookup};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use std::collections::BTreeMap;
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Whose.
    pub struct ListTags {
        resource: Text,
    }
}

/// The tags.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    tags: BTreeMap<String, String>,
}

impl Operation for ListTags {
    const NAME: &'static str = "ListTags";
    const SOURCE: &'static str = SOURCE;
    const RECORDED: &'static str = "ListTags20170331";
    const ACTION: Action = Action("lambda:ListTags");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::resource(found, self.resource.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) = lookup::admit_tagged(call, txn, self, self.resource.as_ref()).await?;
        let tags = found.existing()?.tags.clone();
        Ok(Answer::new(permit, Output { tags }))
    }
}
