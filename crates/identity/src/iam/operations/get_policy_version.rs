//! GetPolicyVersion: what a version of a managed policy says.

use crate::iam::shown::ShownVersion;
use crate::iam::{Error, SOURCE, names, policies};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which policy, and which version.
    pub struct GetPolicyVersion {
        policy_arn: Text,
        version_id: Text,
    }
}

/// The version.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policy_version: ShownVersion,
}

impl Operation for GetPolicyVersion {
    const NAME: &'static str = "GetPolicyVersion";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetPolicyVersion");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::arn(found, "policyArn", self.policy_arn.as_ref());
        names::version(found, self.version_id.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) = policies::admit(call, txn, self, self.policy_arn.as_ref()).await?;
        let policy = found.existing()?;
        let missing = || policies::no_version(self.policy_arn.as_ref(), self.version_id.as_ref());
        let number = policies::number(self.version_id.as_ref()).ok_or_else(missing)?;
        let policy_version = ShownVersion::whole(&policy, number).ok_or_else(missing)?;
        Ok(Answer::new(permit, Output { policy_version }))
    }
}
