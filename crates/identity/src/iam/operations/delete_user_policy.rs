//! DeleteUserPolicy: takes an inline policy from a user.

use crate::iam::{Error, SOURCE, attachments, holder, names};
use crate::user::User;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which user, and which policy.
    pub struct DeleteUserPolicy {
        user_name: Text,
        policy_name: Text,
    }
}

impl Operation for DeleteUserPolicy {
    const NAME: &'static str = "DeleteUserPolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:DeleteUserPolicy");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "userName", self.user_name.as_ref(), 128);
        names::required(found, "policyName", self.policy_name.as_ref(), 128);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<User, _>(call, txn, self, self.user_name.as_ref()).await?;
        attachments::delete(call, txn, &*found.existing()?, self.policy_name.as_ref())?;
        Ok(Answer::new(permit, ()))
    }
}
