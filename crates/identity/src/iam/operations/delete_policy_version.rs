//! DeletePolicyVersion: removes a version of a managed policy that isn't in force.

use crate::iam::{Error, SOURCE, names, policies};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which policy, and which version.
    pub struct DeletePolicyVersion {
        policy_arn: Text,
        version_id: Text,
    }
}

impl Operation for DeletePolicyVersion {
    const NAME: &'static str = "DeletePolicyVersion";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:DeletePolicyVersion");
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
        if number == policy.default {
            return Err(Error::Hangs("Cannot delete the default version of a policy."));
        }
        policy.versions.remove(&number).ok_or_else(missing)?;
        policies::save(call, txn, &policy)?;
        Ok(Answer::new(permit, ()))
    }
}
