//! GetContextKeysForPrincipalPolicy: the condition keys in the policies of a user, a group or a role.

use crate::iam::simulation::{self, KeyNames};
use crate::iam::{Error, SOURCE, names};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{List, Text};

input! {
    /// Whose policies, and which others.
    pub struct GetContextKeysForPrincipalPolicy {
        policy_source_arn: Text,
        policy_input_list: List<Text>,
    }
}

impl Operation for GetContextKeysForPrincipalPolicy {
    const NAME: &'static str = "GetContextKeysForPrincipalPolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetContextKeysForPrincipalPolicy");
    const READ_ONLY: bool = true;
    type Output = KeyNames;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::arn(found, "policySourceArn", self.policy_source_arn.as_ref());
        let policies = self.policy_input_list.as_ref();
        simulation::policy_constraints(found, "policyInputList", policies);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<KeyNames>, Error> {
        let arn = self.policy_source_arn.as_ref();
        let (permit, entity) = simulation::admit(call, txn, self, arn).await?;
        let held = entity.policies(txn, &call.caller.account, &[]).await?;
        let names = simulation::key_names(self.policy_input_list.as_ref(), held)?;
        Ok(Answer::new(permit, names))
    }
}
