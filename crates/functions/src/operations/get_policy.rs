//! GetPolicy: who may invoke a function.

use super::SOURCE;
use crate::{Error, limits, lookup, native};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Whose.
    pub struct GetPolicy {
        function_name: Text,
        qualifier: Text,
    }
}

/// The policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policy: String,
    revision_id: String,
}

impl Operation for GetPolicy {
    const NAME: &'static str = "GetPolicy";
    const SOURCE: &'static str = SOURCE;
    const RECORDED: &'static str = "GetPolicy20150331v2";
    const ACTION: Action = Action("lambda:GetPolicy");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::function(found, self.function_name.as_ref());
        limits::qualifier(found, self.qualifier.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let named = (self.function_name.as_ref(), self.qualifier.as_ref());
        let (permit, found) = lookup::admit(call, txn, self, named).await?;
        found.existing()?;
        let none = || Error::NotFound("The resource you requested does not exist.".to_owned());
        let output = if found.is_native() {
            let policy = native::policy(&found.arn, &found.account);
            Output { policy, revision_id: native::REVISION.to_owned() }
        } else {
            let policy = found.policy.as_ref().ok_or_else(none)?;
            Output { policy: policy.text(), revision_id: policy.revision().to_owned() }
        };
        Ok(Answer::new(permit, output))
    }
}
