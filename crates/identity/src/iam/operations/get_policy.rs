//! GetPolicy: a managed policy, without its document.

use crate::iam::shown::ShownPolicy;
use crate::iam::{Error, SOURCE, names, policies, uses};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which policy.
    pub struct GetPolicy {
        policy_arn: Text,
    }
}

/// The policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policy: ShownPolicy,
}

impl Operation for GetPolicy {
    const NAME: &'static str = "GetPolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetPolicy");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::arn(found, "policyArn", self.policy_arn.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) = policies::admit(call, txn, self, self.policy_arn.as_ref()).await?;
        let policy = found.existing()?;
        let arn = self.policy_arn.as_ref().map_or("", Text::as_str);
        let uses = uses::count(txn, &call.caller.account, arn).await?;
        Ok(Answer::new(permit, Output { policy: ShownPolicy::whole(&policy, uses) }))
    }
}
