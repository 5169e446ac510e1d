//! SimulateCustomPolicy: what given policies would decide.

use crate::iam::page::Ask;
use crate::iam::simulation::{self, ContextEntry, Evaluations, Given, Level};
use crate::iam::{Error, SOURCE};
use service::{Action, Answer, Call, Operation, Target, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, List, Text};

input! {
    /// Which policies, asked about what, and from where.
    pub struct SimulateCustomPolicy {
        policy_input_list: List<Text>,
        permissions_boundary_policy_input_list: List<Text>,
        ordered_organization_policy_input_list: List<Level>,
        action_names: List<Text>,
        resource_arns: List<Text>,
        resource_policy: Text,
        resource_owner: Text,
        caller_arn: Text,
        context_entries: List<ContextEntry>,
        resource_handling_option: Text,
        max_items: Integer,
        marker: Text,
    }
}

impl Operation for SimulateCustomPolicy {
    const NAME: &'static str = "SimulateCustomPolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:SimulateCustomPolicy");
    const READ_ONLY: bool = true;
    type Output = Evaluations;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        found.required("policyInputList", self.policy_input_list.as_ref());
        self.given().constraints(found);
    }

    async fn run(&self, call: &Call<'_>, _txn: &mut Txn<'_>) -> Result<Answer<Evaluations>, Error> {
        let permit = call.admit(self, Target { named: Some("*"), ..call.own_account() })?;
        let given = self.given();
        let simulation = given.simulation(&call.caller.account, None, (Vec::new(), None))?;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        Ok(Answer::new(permit, simulation::page(&simulation, ask)?))
    }
}

impl SimulateCustomPolicy {
    fn given(&self) -> Given<'_> {
        Given {
            policies: self.policy_input_list.as_ref(),
            boundaries: self.permissions_boundary_policy_input_list.as_ref(),
            levels: self.ordered_organization_policy_input_list.as_ref(),
            actions: self.action_names.as_ref(),
            resources: self.resource_arns.as_ref(),
            resource_policy: self.resource_policy.as_ref(),
            resource_owner: self.resource_owner.as_ref(),
            caller: self.caller_arn.as_ref(),
            entries: self.context_entries.as_ref(),
            handling: self.resource_handling_option.as_ref(),
            max_items: self.max_items,
            marker: self.marker.as_ref(),
        }
    }
}
