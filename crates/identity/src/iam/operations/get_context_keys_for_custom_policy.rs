//! GetContextKeysForCustomPolicy: the condition keys in given policies.

use crate::iam::simulation::{self, KeyNames};
use crate::iam::{Error, SOURCE};
use service::{Action, Answer, Call, Operation, Target, input};
use store::Txn;
use wire::Violations;
use wire::members::{List, Text};

input! {
    /// Which policies.
    pub struct GetContextKeysForCustomPolicy {
        policy_input_list: List<Text>,
    }
}

impl Operation for GetContextKeysForCustomPolicy {
    const NAME: &'static str = "GetContextKeysForCustomPolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetContextKeysForCustomPolicy");
    const READ_ONLY: bool = true;
    type Output = KeyNames;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        let policies = self.policy_input_list.as_ref();
        found.required("policyInputList", policies);
        simulation::policy_constraints(found, "policyInputList", policies);
    }

    async fn run(&self, call: &Call<'_>, _txn: &mut Txn<'_>) -> Result<Answer<KeyNames>, Error> {
        let permit = call.admit(self, Target { named: Some("*"), ..call.own_account() })?;
        let names = simulation::key_names(self.policy_input_list.as_ref(), Vec::new())?;
        Ok(Answer::new(permit, names))
    }
}
