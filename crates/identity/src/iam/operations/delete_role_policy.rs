//! DeleteRolePolicy: takes an inline policy from a role.

use crate::entities::Role;
use crate::iam::{Error, SOURCE, attachments, holder, names};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which role, and which policy.
    pub struct DeleteRolePolicy {
        role_name: Text,
        policy_name: Text,
    }
}

impl Operation for DeleteRolePolicy {
    const NAME: &'static str = "DeleteRolePolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:DeleteRolePolicy");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "roleName", self.role_name.as_ref(), 64);
        names::required(found, "policyName", self.policy_name.as_ref(), 128);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<Role, _>(call, txn, self, self.role_name.as_ref()).await?;
        attachments::delete(call, txn, &*found.own()?, self.policy_name.as_ref())?;
        Ok(Answer::new(permit, ()))
    }
}
