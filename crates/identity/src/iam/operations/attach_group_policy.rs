//! AttachGroupPolicy: gives a group what a managed policy says.

use crate::entities::Group;
use crate::iam::{Error, SOURCE, attachments, condition, holder, names};
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which group, and which policy.
    pub struct AttachGroupPolicy {
        group_name: Text,
        policy_arn: Text,
    }
}

impl Operation for AttachGroupPolicy {
    const NAME: &'static str = "AttachGroupPolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:AttachGroupPolicy");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "groupName", self.group_name.as_ref(), 128);
        names::arn(found, "policyArn", self.policy_arn.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        condition::policy_arn(self.policy_arn.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<Group, _>(call, txn, self, self.group_name.as_ref()).await?;
        attachments::attach(call, txn, &*found.existing()?, self.policy_arn.as_ref()).await?;
        Ok(Answer::new(permit, ()))
    }
}
