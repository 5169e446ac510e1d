//! What both simulating operations take: read, and checked as a whole.

use super::evaluate::{Played, Simulation, Who};
use super::principal::EntityName;
use super::{ContextEntry, Source, context, invalid};
use crate::iam::{Error, page};
use base::AccountId;
use policy::engine::{Door, Grammar};
use service::input;
use wire::Violations;
use wire::members::{Integer, List, Text};

input! {
    /// The service control policies of one level of an organization.
    pub struct Level {
        service_control_policy_input_list: List<Text>,
    }
}

/// The members that both operations have, and those that one of them lacks as not given.
#[derive(Clone, Copy, Default)]
pub(crate) struct Given<'a> {
    pub(crate) policies: Option<&'a List<Text>>,
    pub(crate) boundaries: Option<&'a List<Text>>,
    pub(crate) levels: Option<&'a List<Level>>,
    pub(crate) actions: Option<&'a List<Text>>,
    pub(crate) resources: Option<&'a List<Text>>,
    pub(crate) resource_policy: Option<&'a Text>,
    pub(crate) resource_owner: Option<&'a Text>,
    pub(crate) caller: Option<&'a Text>,
    pub(crate) entries: Option<&'a List<ContextEntry>>,
    pub(crate) handling: Option<&'a Text>,
    pub(crate) max_items: Option<Integer>,
    pub(crate) marker: Option<&'a Text>,
}

/// The longest policy.
const POLICY: usize = 131_072;

/// The model's constraints for a list of policies.
pub(crate) fn policy_constraints(found: &mut Violations, path: &str, list: Option<&List<Text>>) {
    for (index, it) in slice(list).iter().enumerate() {
        let path = format!("{path}.{}.member", index + 1);
        document(found, &path, Some(it));
    }
}

fn document(found: &mut Violations, path: &str, it: Option<&Text>) {
    found.length(path, it, 1..=POLICY);
    let holds = |it: &str| it.chars().all(|it| matches!(it, '\t' | '\n' | '\r' | ' '..='\u{ff}'));
    found.pattern(path, it, r"[\u0009\u000A\u000D\u0020-\u00FF]+", holds);
}

impl Given<'_> {
    /// The model's constraints.
    pub(crate) fn constraints(&self, found: &mut Violations) {
        policy_constraints(found, "policyInputList", self.policies);
        policy_constraints(found, "permissionsBoundaryPolicyInputList", self.boundaries);
        let levels = "orderedOrganizationPolicyInputList";
        found.count(levels, self.levels, 0..=7, |_| "OrderedOrganizationPolicyType".to_owned());
        for (index, it) in slice(self.levels).iter().take(7).enumerate() {
            let path = format!("{levels}.{}.member.serviceControlPolicyInputList", index + 1);
            policy_constraints(found, &path, it.service_control_policy_input_list.as_ref());
        }
        found.required("actionNames", self.actions);
        found.each("actionNames", self.actions, 3..=128);
        found.each("resourceArns", self.resources, 1..=2048);
        document(found, "resourcePolicy", self.resource_policy);
        found.length("resourceOwner", self.resource_owner, 1..=2048);
        found.length("callerArn", self.caller, 1..=2048);
        context::constraints(found, slice(self.entries));
        found.length("resourceHandlingOption", self.handling, 1..=64);
        page::constraints(found, self.marker, self.max_items);
    }

    /// What is to be simulated, besides the policies `held` and the boundary of `of`, which is the caller too
    /// unless another is named.
    ///
    /// # Errors
    ///
    /// `InvalidInput`.
    pub(crate) fn simulation(
        &self,
        home: &AccountId,
        of: Option<Played>,
        (held, boundary): (Vec<Source>, Option<Source>),
    ) -> Result<Simulation, Error> {
        let mut identity = held;
        identity.extend(read(self.policies, "PolicyInputList", Grammar::Identity)?);
        let instead =
            read(self.boundaries, "PermissionsBoundaryPolicyInputList", Grammar::Boundary)?;
        if instead.len() > 1 {
            return Err(invalid("Only one permissions boundary can be given."));
        }
        let levels = slice(self.levels).iter().map(|it| {
            let list = it.service_control_policy_input_list.as_ref();
            read(list, "ServiceControlPolicyInputList", Grammar::ServiceControl)
        });
        let levels = levels.collect::<Result<Vec<_>, _>>()?;
        let actions = self.actions()?;
        let resources = self.resources()?;
        let caller = self.caller(of)?;
        let resource = self.resource(&actions, caller.as_ref())?;
        let simulation = Simulation {
            identity,
            boundary: instead.into_iter().next().or(boundary),
            levels,
            resource,
            caller,
            owner: self.owner()?,
            home: home.clone(),
            context: context::read(slice(self.entries))?,
            longest: context::longest(slice(self.entries)),
            actions,
            resources,
        };
        Ok(simulation.numbered())
    }

    fn actions(&self) -> Result<Vec<String>, Error> {
        let fits = |it: &str| {
            let of_name = |it: &str, more: &[u8]| {
                let fits = |it: u8| it.is_ascii_alphanumeric() || more.contains(&it);
                !it.is_empty() && it.bytes().all(fits)
            };
            let parts = it.split_once(':');
            parts.is_some_and(|(service, name)| of_name(service, b"-") && of_name(name, b"-_"))
        };
        let actions = slice(self.actions);
        if let Some(wrong) = actions.iter().find(|it| !fits(it.as_str())) {
            let text = format!("ActionNames are not in a valid format: {}.", wrong.as_str());
            return Err(invalid(text));
        }
        Ok(actions.iter().map(|it| it.as_str().to_owned()).collect())
    }

    /// The resources; `*` if none are given.
    fn resources(&self) -> Result<Vec<String>, Error> {
        let fits = |it: &str| it == "*" || it.starts_with("arn:") && it.matches(':').count() >= 5;
        let resources = slice(self.resources);
        if let Some(wrong) = resources.iter().find(|it| !fits(it.as_str())) {
            let shown: String = wrong.as_str().chars().take(256).collect();
            return Err(invalid(format!("ResourceNames are not in a valid ARN format: {shown}.")));
        }
        self.check_handling(resources)?;
        if resources.is_empty() {
            return Ok(vec!["*".to_owned()]);
        }
        Ok(resources.iter().map(|it| it.as_str().to_owned()).collect())
    }

    /// That the resources are there which a scenario of EC2 needs.
    fn check_handling(&self, resources: &[Text]) -> Result<(), Error> {
        let Some(option) = self.handling.map(Text::as_str) else { return Ok(()) };
        let Some((_, kinds)) = SCENARIOS.iter().find(|it| it.0 == option) else {
            return Err(invalid(format!("Invalid Resource Handling Option: {option}")));
        };
        let has = |kind: &str| {
            let is = |it: &str| {
                let mut parts = it.splitn(6, ':');
                let service = parts.nth(2);
                let last = parts.nth(2).and_then(|it| it.split_once('/'));
                service == Some("ec2") && last.is_some_and(|it| it.0 == kind)
            };
            resources.iter().any(|it| is(it.as_str()))
        };
        match kinds.iter().find(|it| !has(it)) {
            Some(kind) => Err(invalid(format!("{option} requires a resource of the type {kind}."))),
            None => Ok(()),
        }
    }

    fn caller(&self, of: Option<Played>) -> Result<Option<Played>, Error> {
        let Some(arn) = self.caller else { return Ok(of) };
        let name = EntityName::parse(arn.as_str())?;
        let same = of.filter(|it| it.arn == name.arn);
        Ok(Some(same.unwrap_or_else(|| Played::of(name))))
    }

    /// The account that owns what doesn't tell its owner: its ARN or its id.
    fn owner(&self) -> Result<Option<AccountId>, Error> {
        let Some(text) = self.resource_owner.map(Text::as_str) else { return Ok(None) };
        let id = text.strip_prefix("arn:aws:iam::").and_then(|it| it.strip_suffix(":root"));
        let owner = id.unwrap_or(text).parse();
        let shown: String = text.chars().take(128).collect();
        let wrong = |_| invalid(format!("'{shown}' is not a valid as a Resource Owner."));
        owner.map(Some).map_err(wrong)
    }

    /// The resource's policy, once for each kind of resource that the actions are about.
    fn resource(
        &self,
        actions: &[String],
        caller: Option<&Played>,
    ) -> Result<Vec<(Door, Source)>, Error> {
        let Some(text) = self.resource_policy.map(Text::as_str) else { return Ok(Vec::new()) };
        match caller.map(|it| &it.who) {
            None => return Err(invalid("CallerArn is required with a ResourcePolicy.")),
            Some(Who::User { .. }) => {}
            Some(_) => return Err(invalid(NO_USER)),
        }
        let mut policies: Vec<(Door, Source)> = Vec::new();
        for action in actions {
            let door = door(action);
            if policies.iter().all(|it| it.0 != door) {
                let grammar = match door {
                    Door::Key { .. } => Grammar::Key,
                    Door::Resource => Grammar::Resource,
                    Door::Trust => Grammar::Trust,
                };
                let source = Source::read("ResourcePolicy".to_owned(), text, grammar)?;
                policies.push((door, source));
            }
        }
        Ok(policies)
    }
}

/// What a resource policy counts for where `action` is asked.
pub(super) fn door(action: &str) -> Door {
    match action.split_once(':') {
        Some((service, _)) if service.eq_ignore_ascii_case("kms") => Door::Key { grant: false },
        Some((service, _)) if service.eq_ignore_ascii_case("sts") => Door::Trust,
        _ => Door::Resource,
    }
}

fn read(list: Option<&List<Text>>, name: &str, grammar: Grammar) -> Result<Vec<Source>, Error> {
    let texts = slice(list).iter().enumerate();
    let read = |(index, it): (usize, &Text)| {
        Source::read(format!("{name}.{}", index + 1), it.as_str(), grammar)
    };
    texts.map(read).collect()
}

fn slice<T>(list: Option<&List<T>>) -> &[T] {
    list.map_or(&[], List::as_slice)
}

/// Observed.
const NO_USER: &str = "Invalid caller - Caller must be an IAM user in this context.";

/// What each scenario needs. Source: IAM API Reference, "SimulateCustomPolicy".
const SCENARIOS: [(&str, &[&str]); 4] = [
    ("EC2-VPC-InstanceStore", &["instance", "image", "security-group", "network-interface"]),
    (
        "EC2-VPC-InstanceStore-Subnet",
        &["instance", "image", "security-group", "network-interface", "subnet"],
    ),
    ("EC2-VPC-EBS", &["instance", "image", "security-group", "network-interface", "volume"]),
    (
        "EC2-VPC-EBS-Subnet",
        &["instance", "image", "security-group", "network-interface", "subnet", "volume"],
    ),
];
