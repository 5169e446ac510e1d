//! UntagPolicy: takes tags from a managed policy.

use crate::iam::{Error, SOURCE, names, policies, tags};
use policy::engine::Values;
use service::context::tag_keys;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{List, Text};

input! {
    /// Which policy, and the names of the tags.
    pub struct UntagPolicy {
        policy_arn: Text,
        tag_keys: List<Text>,
    }
}

impl Operation for UntagPolicy {
    const NAME: &'static str = "UntagPolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:UntagPolicy");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::arn(found, "policyArn", self.policy_arn.as_ref());
        tags::key_constraints(found, self.tag_keys.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tag_keys(self.tag_keys.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) = policies::admit(call, txn, self, self.policy_arn.as_ref()).await?;
        let mut policy = found.own()?;
        policy.tags = tags::without(&policy.tags, self.tag_keys.as_ref());
        policies::save(call, txn, &policy)?;
        Ok(Answer::new(permit, ()))
    }
}
