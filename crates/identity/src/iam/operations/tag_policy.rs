//! TagPolicy: adds tags to a managed policy, or gives those that are there another value.

use crate::iam::tags::TagsGiven;
use crate::iam::{Error, SOURCE, names, policies, tags};
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which policy, and the tags.
    pub struct TagPolicy {
        policy_arn: Text,
        tags: TagsGiven,
    }
}

impl Operation for TagPolicy {
    const NAME: &'static str = "TagPolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:TagPolicy");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::arn(found, "policyArn", self.policy_arn.as_ref());
        found.required("tags", self.tags.as_ref());
        tags::constraints(found, self.tags.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tags::condition(self.tags.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) = policies::admit(call, txn, self, self.policy_arn.as_ref()).await?;
        let mut policy = found.own()?;
        policy.tags = tags::merged(&policy.tags, self.tags.as_ref())?;
        policies::save(call, txn, &policy)?;
        Ok(Answer::new(permit, ()))
    }
}
