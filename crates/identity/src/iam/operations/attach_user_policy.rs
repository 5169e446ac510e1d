//! AttachUserPolicy: gives a user what a managed policy says.

use crate::iam::{Error, SOURCE, attachments, condition, holder, names};
use crate::user::User;
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which user, and which policy.
    pub struct AttachUserPolicy {
        user_name: Text,
        policy_arn: Text,
    }
}

impl Operation for AttachUserPolicy {
    const NAME: &'static str = "AttachUserPolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:AttachUserPolicy");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "userName", self.user_name.as_ref(), 128);
        names::arn(found, "policyArn", self.policy_arn.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        condition::policy_arn(self.policy_arn.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<User, _>(call, txn, self, self.user_name.as_ref()).await?;
        attachments::attach(call, txn, &*found.existing()?, self.policy_arn.as_ref()).await?;
        Ok(Answer::new(permit, ()))
    }
}
