//! PutRolePolicy: gives a role an inline policy, or changes it.

use crate::entities::Role;
use crate::iam::{Error, SOURCE, attachments, holder, names};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which role, and what the policy says.
    pub struct PutRolePolicy {
        role_name: Text,
        policy_name: Text,
        policy_document: Text,
    }
}

impl Operation for PutRolePolicy {
    const NAME: &'static str = "PutRolePolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:PutRolePolicy");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "roleName", self.role_name.as_ref(), 64);
        names::required(found, "policyName", self.policy_name.as_ref(), 128);
        names::document(found, "policyDocument", self.policy_document.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<Role, _>(call, txn, self, self.role_name.as_ref()).await?;
        let policy = (self.policy_name.as_ref(), self.policy_document.as_ref());
        attachments::put(call, txn, &*found.own()?, policy)?;
        Ok(Answer::new(permit, ()))
    }
}
