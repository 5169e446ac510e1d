//! SimulatePrincipalPolicy: what the policies of a user, a group or a role would decide.

use crate::iam::page::Ask;
use crate::iam::simulation::{self, ContextEntry, Evaluations, Excluded, Given, Played};
use crate::iam::{Error, SOURCE, names};
use crate::organization;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, List, Text};

input! {
    /// Whose policies, and which others, asked about what, and from where.
    pub struct SimulatePrincipalPolicy {
        policy_source_arn: Text,
        policy_input_list: List<Text>,
        permissions_boundary_policy_input_list: List<Text>,
        policy_exclusion_list: List<Excluded>,
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

impl Operation for SimulatePrincipalPolicy {
    const NAME: &'static str = "SimulatePrincipalPolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:SimulatePrincipalPolicy");
    const READ_ONLY: bool = true;
    type Output = Evaluations;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::arn(found, "policySourceArn", self.policy_source_arn.as_ref());
        simulation::exclusion_constraints(found, self.policy_exclusion_list.as_ref());
        self.given().constraints(found);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Evaluations>, Error> {
        let arn = self.policy_source_arn.as_ref();
        let (permit, entity) = simulation::admit(call, txn, self, arn).await?;
        let account = &call.caller.account;
        let excluded = simulation::exclusions(self.policy_exclusion_list.as_ref())?;
        let held = entity.policies(txn, account, excluded).await?;
        let boundary = entity.boundary(txn, account, excluded).await?;
        let played = Played::known(&entity, account);
        let simulation = self.given().simulation(account, Some(played), (held, boundary))?;
        let organization = organization::in_force(txn).await?;
        let member = organization.as_ref().and_then(|it| it.members.get(account));
        let simulation = simulation.below(member.map_or(&[], |it| &it.service_control));
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        Ok(Answer::new(permit, simulation::page(&simulation, ask)?))
    }
}

impl SimulatePrincipalPolicy {
    fn given(&self) -> Given<'_> {
        Given {
            policies: self.policy_input_list.as_ref(),
            boundaries: self.permissions_boundary_policy_input_list.as_ref(),
            levels: None,
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
