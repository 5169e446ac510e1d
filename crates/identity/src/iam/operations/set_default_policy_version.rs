//! SetDefaultPolicyVersion: puts another version of a managed policy in force.

use crate::iam::{Error, SOURCE, names, policies};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which policy, and which version.
    pub struct SetDefaultPolicyVersion {
        policy_arn: Text,
        version_id: Text,
    }
}

impl Operation for SetDefaultPolicyVersion {
    const NAME: &'static str = "SetDefaultPolicyVersion";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:SetDefaultPolicyVersion");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::arn(found, "policyArn", self.policy_arn.as_ref());
        names::version(found, self.version_id.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) = policies::admit(call, txn, self, self.policy_arn.as_ref()).await?;
        let mut policy = found.own()?;
        let missing = || policies::no_version(self.policy_arn.as_ref(), self.version_id.as_ref());
        let number = policies::number(self.version_id.as_ref()).ok_or_else(missing)?;
        if !policy.versions.contains_key(&number) {
            return Err(missing());
        }
        policy.default = number;
        policy.updated = call.now;
        policies::save(call, txn, &policy)?;
        Ok(Answer::new(permit, ()))
    }
}
