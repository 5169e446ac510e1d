//! DeleteGroupPolicy: takes an inline policy from a group.

use crate::entities::Group;
use crate::iam::{Error, SOURCE, attachments, holder, names};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which group, and which policy.
    pub struct DeleteGroupPolicy {
        group_name: Text,
        policy_name: Text,
    }
}

impl Operation for DeleteGroupPolicy {
    const NAME: &'static str = "DeleteGroupPolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:DeleteGroupPolicy");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "groupName", self.group_name.as_ref(), 128);
        names::required(found, "policyName", self.policy_name.as_ref(), 128);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<Group, _>(call, txn, self, self.group_name.as_ref()).await?;
        attachments::delete(call, txn, &*found.existing()?, self.policy_name.as_ref())?;
        Ok(Answer::new(permit, ()))
    }
}
