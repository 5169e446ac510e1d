//! DeletePolicy: removes a managed policy that nobody uses and that has one version.

use crate::entities;
use crate::iam::{Error, SOURCE, names, policies, uses};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which policy.
    pub struct DeletePolicy {
        policy_arn: Text,
    }
}

impl Operation for DeletePolicy {
    const NAME: &'static str = "DeletePolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:DeletePolicy");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::arn(found, "policyArn", self.policy_arn.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) = policies::admit(call, txn, self, self.policy_arn.as_ref()).await?;
        let policy = found.own()?;
        let account = &call.caller.account;
        if uses::count(txn, account, &policy.arn).await? != (0, 0) {
            return Err(Error::Hangs("Cannot delete a policy attached to entities."));
        }
        if policy.versions.len() > 1 {
            return Err(Error::Hangs(VERSIONS));
        }
        txn.remove(&entities::managed_policies(), &(account, &policy.name));
        entities::changed(txn, account, call.entropy)?;
        Ok(Answer::new(permit, ()))
    }
}

const VERSIONS: &str = "This policy has more than one version. Before you delete a policy, you must delete the \
                        policy's versions. The default version is deleted with the policy.";
