//! DetachRolePolicy: takes a managed policy from a role.

use crate::entities::Role;
use crate::iam::{Error, SOURCE, attachments, condition, holder, names};
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which role, and which policy.
    pub struct DetachRolePolicy {
        role_name: Text,
        policy_arn: Text,
    }
}

impl Operation for DetachRolePolicy {
    const NAME: &'static str = "DetachRolePolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:DetachRolePolicy");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "roleName", self.role_name.as_ref(), 64);
        names::arn(found, "policyArn", self.policy_arn.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        condition::policy_arn(self.policy_arn.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<Role, _>(call, txn, self, self.role_name.as_ref()).await?;
        attachments::detach(call, txn, &*found.own()?, self.policy_arn.as_ref())?;
        Ok(Answer::new(permit, ()))
    }
}
