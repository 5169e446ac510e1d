//! An action on each resource: the engine's decision, and which statements made it.

use super::context::Known;
use super::given::door;
use super::principal::{Entity, EntityName};
use super::shown::{Boundary, Details, Evaluation, Matched, Organizations, Specific};
use super::source::{Source, type_name};
use super::{invalid, templates};
use crate::iam::Error;
use base::AccountId;
use policy::PolicyKind;
use policy::engine::{
    Attached, Caller, CallerKind, Door, Explanation, MapContext, Policies, Request, explain,
};
use service::Held;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is asked, taken apart.
#[derive(Debug)]
pub(crate) struct Simulation {
    pub(super) identity: Vec<Source>,
    pub(super) boundary: Option<Source>,
    /// Service control policies, from the root of the organization down.
    pub(super) levels: Vec<Vec<Source>>,
    /// The resource policy, as each kind of resource reads it.
    pub(super) resource: Vec<(Door, Source)>,
    pub(super) caller: Option<Played>,
    /// Who owns resources whose ARNs don't tell.
    pub(super) owner: Option<AccountId>,
    /// The account that asks.
    pub(super) home: AccountId,
    pub(super) context: MapContext,
    /// Bytes of the longest value in it.
    pub(super) longest: usize,
    pub(super) actions: Vec<String>,
    pub(super) resources: Vec<String>,
}

/// The caller that is played.
#[derive(Clone, Debug)]
pub(crate) struct Played {
    pub(super) arn: String,
    pub(super) account: AccountId,
    pub(super) who: Who,
}

#[derive(Clone, Debug)]
pub(super) enum Who {
    /// A group calls nothing: some user of it does.
    Group,
    Role,
    /// With the unique id, if it is known.
    User {
        id: Option<String>,
    },
}

impl Played {
    /// Somebody of whom the ARN is known.
    pub(super) fn of(name: EntityName) -> Self {
        let who = match name.kind {
            "group" => Who::Group,
            "role" => Who::Role,
            _ => Who::User { id: None },
        };
        Self { arn: name.arn, account: name.account, who }
    }

    /// Somebody who is kept here.
    pub(crate) fn known(entity: &Entity, account: &AccountId) -> Self {
        let who = match entity {
            Entity::Group(_) => Who::Group,
            Entity::Role(_) => Who::Role,
            Entity::User(_) => Who::User { id: Some(entity.id().to_owned()) },
        };
        Self { arn: entity.arn().to_owned(), account: account.clone(), who }
    }

    fn kind(&self) -> CallerKind<'_> {
        match &self.who {
            Who::Role => CallerKind::RoleSession { role_arn: &self.arn, role_id: "" },
            Who::User { id: Some(id) } => CallerKind::User { id },
            Who::Group | Who::User { id: None } => CallerKind::User { id: "" },
        }
    }

    /// The keys that nobody knows of it.
    fn unknown(&self) -> &'static [&'static str] {
        match &self.who {
            Who::Group => GROUP,
            Who::Role | Who::User { id: None } => ID,
            Who::User { id: Some(_) } => &[],
        }
    }
}

const ID: &[&str] = &["aws:userid"];
const GROUP: &[&str] = &["aws:principalarn", "aws:principaltype", "aws:userid", "aws:username"];
const NOBODY: &[&str] = &[
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principaltype",
    "aws:userid",
    "aws:username",
];

/// Steps of work for one page of results: bytes of policies times bytes of what they are held against, and
/// some for each statement that may have to be written out.
pub(super) const WORK: usize = 1 << 30;
const STATEMENT: usize = 1 << 13;

/// What came of one action on one resource.
struct Outcome {
    decision: &'static str,
    matched: Vec<Matched>,
    missing: BTreeSet<String>,
    boundary: Option<bool>,
    organizations: Option<bool>,
    /// Of calls across accounts.
    details: Option<Details>,
}

impl Simulation {
    /// With sources that the engine can tell apart.
    pub(super) fn numbered(mut self) -> Self {
        let mut number = 0;
        let mut next = |source: &mut Source| {
            number += 1;
            *source = source.clone().numbered(number);
        };
        self.identity.iter_mut().for_each(&mut next);
        self.boundary.iter_mut().for_each(&mut next);
        self.levels.iter_mut().flatten().for_each(&mut next);
        self.resource.iter_mut().for_each(|it| next(&mut it.1));
        self
    }

    /// The same below the service control policies of an organization, by level.
    pub(crate) fn below(self, levels: &[Arc<[Held]>]) -> Self {
        let levels = levels.iter().map(|it| it.iter().map(Source::in_force).collect()).collect();
        Self { levels, ..self }.numbered()
    }

    /// How many actions one page can hold.
    ///
    /// # Errors
    ///
    /// `InvalidInput`: not even one.
    pub(crate) fn actions_at_once(&self) -> Result<usize, Error> {
        let texts = self.resources.iter().chain(&self.actions).map(String::len);
        let longest = texts.chain([self.longest]).max().unwrap_or_default().max(1);
        // A value may take the place of a variable, and is then compared with a value again.
        let held = longest.saturating_mul(1 + longest / 256);
        let cost = |it: &Source| {
            let statements = it.places.len().saturating_mul(STATEMENT);
            it.size.saturating_mul(held).saturating_add(statements)
        };
        let each = self.sources().map(cost).fold(STATEMENT, usize::saturating_add);
        let action = each.saturating_mul(self.resources.len());
        match WORK / action {
            0 => Err(invalid("The simulation is too large: give fewer resources or policies.")),
            most => Ok(most),
        }
    }

    fn sources(&self) -> impl Iterator<Item = &Source> {
        let own = self.identity.iter().chain(&self.boundary);
        own.chain(self.levels.iter().flatten()).chain(self.resource.iter().map(|it| &it.1))
    }

    pub(crate) fn actions(&self) -> &[String] {
        &self.actions
    }

    /// What comes of `action`.
    pub(crate) fn evaluate(&self, action: &str) -> Evaluation {
        let on = |it: &String| (it.clone(), self.outcome(action, it));
        let outcomes: Vec<(String, Outcome)> = self.resources.iter().map(on).collect();
        let is_named = self.resources.iter().any(|it| it != "*");
        let mut whole = Outcome::none();
        for (_, outcome) in &outcomes {
            whole.add(outcome);
        }
        whole.matched.sort_unstable();
        whole.matched.dedup();
        // Inside of one account it is there, and empty, where resources are named.
        let details = whole.details.take().or_else(|| is_named.then(Details::default));
        let denied = whole.organizations == Some(false);
        Evaluation {
            eval_action_name: action.to_owned(),
            eval_resource_name: templates::template(action),
            eval_decision: whole.decision,
            matched_statements: whole.matched,
            missing_context_values: whole.missing,
            organizations_decision_detail: whole.organizations.map(organizations),
            permissions_boundary_decision_detail: whole.boundary.map(boundary),
            eval_decision_details: details.filter(|_| !denied),
            resource_specific_results: if is_named {
                outcomes.into_iter().map(|(name, it)| it.specific(name)).collect()
            } else {
                Vec::new()
            },
        }
    }

    /// The account that owns `resource`: as its ARN says, as was told, or as the caller.
    fn owner_of(&self, resource: &str) -> AccountId {
        let account = resource.split(':').nth(4).and_then(|it| it.parse().ok());
        let own = || self.caller.as_ref().map_or(&self.home, |it| &it.account).clone();
        account.or_else(|| self.owner.clone()).unwrap_or_else(own)
    }

    fn outcome(&self, action: &str, resource: &str) -> Outcome {
        let owner = self.owner_of(resource);
        let caller = match &self.caller {
            Some(it) => Caller { account: &it.account, arn: &it.arn, kind: it.kind() },
            // Nobody in particular: somebody of the resource's account.
            None => Caller { account: &owner, arn: "", kind: CallerKind::User { id: "" } },
        };
        let unknown = self.caller.as_ref().map_or(NOBODY, Played::unknown);
        let request = Request {
            caller,
            action,
            resource: (resource != "*").then_some(resource),
            resource_account: &owner,
            context: &Known { given: &self.context, unknown },
        };
        let levels: Vec<Vec<Attached<'_>>> = self.levels.iter().map(|it| attach(it)).collect();
        let levels: Vec<&[Attached<'_>]> = levels.iter().map(Vec::as_slice).collect();
        let own = self.resource.iter().find(|it| it.0 == door(action));
        let resource_policy: Vec<_> = own.iter().map(|it| it.1.attached()).collect();
        let policies = Policies {
            service_control: &levels,
            resource_control: &[],
            endpoint: None,
            resource: &resource_policy,
            identity: &attach(&self.identity),
            boundary: self.boundary.as_ref().map(Source::attached),
            session: None,
            door: own.map_or(Door::Resource, |it| at(it.0, resource)),
        };
        let crosses = *caller.account != owner;
        self.told(&explain(&request, &policies), crosses)
    }

    /// What results say of `why`.
    fn told(&self, why: &Explanation<'_>, crosses: bool) -> Outcome {
        let decided = if why.decision == "explicitDeny" { "Deny" } else { "Allow" };
        let shows = |kind: PolicyKind| match kind {
            PolicyKind::ServiceControl => false,
            PolicyKind::PermissionsBoundary => decided == "Deny",
            _ => why.decision != "implicitDeny",
        };
        let made = why.statements.iter().filter(|it| it.applies && it.effect == decided);
        let made = made.filter(|it| shows(it.mark.kind));
        let matched = made.filter_map(|it| self.matched(it.mark.policy, it.mark.statement));
        let keys = why.statements.iter().filter(|it| it.mark.kind != PolicyKind::ServiceControl);
        let allows =
            |level: &Vec<Source>| verdict(why, |key| level.iter().any(|it| it.is(key))) == ALLOWED;
        let organizations = (!self.levels.is_empty()).then(|| self.levels.iter().all(allows));
        Outcome {
            decision: why.decision,
            matched: matched.collect(),
            missing: keys.flat_map(|it| it.missing_keys.iter().cloned()).collect(),
            boundary: self.boundary.as_ref().map(|it| verdict(why, |key| it.is(key)) == ALLOWED),
            organizations,
            details: (crosses && organizations != Some(false)).then(|| self.details(why)),
        }
    }

    fn matched(&self, key: &str, statement: usize) -> Option<Matched> {
        let source = self.sources().find(|it| it.is(key))?;
        let (start, end) = source.places.get(statement)?;
        Some(Matched {
            source_policy_id: source.id.clone(),
            source_policy_type: source.type_name(),
            start_position: (*start).into(),
            end_position: (*end).into(),
        })
    }

    /// What each kind of policy says by itself.
    fn details(&self, why: &Explanation<'_>) -> Details {
        let of = |list: &[Source], key: &str| list.iter().any(|it| it.is(key));
        let mut details = Details::new();
        let identity = verdict(why, |key| of(&self.identity, key));
        details.insert(type_name(PolicyKind::Identity), identity);
        let resource = verdict(why, |key| self.resource.iter().any(|it| it.1.is(key)));
        details.insert(type_name(PolicyKind::Resource), resource);
        if let Some(boundary) = &self.boundary {
            let said = verdict(why, |key| boundary.is(key));
            details.insert(type_name(PolicyKind::PermissionsBoundary), said);
        }
        details
    }
}

const ALLOWED: &str = "allowed";

/// What the statements of the policies that `are` meant say together.
fn verdict(why: &Explanation<'_>, are: impl Fn(&str) -> bool) -> &'static str {
    let applies = why.statements.iter().filter(|it| it.applies && are(it.mark.policy));
    let effects: Vec<_> = applies.map(|it| it.effect).collect();
    match () {
        () if effects.contains(&"Deny") => "explicitDeny",
        () if effects.contains(&"Allow") => ALLOWED,
        () => "implicitDeny",
    }
}

/// A key's policy comes first for keys only, a trust policy for roles only.
fn at(door: Door, resource: &str) -> Door {
    match door {
        Door::Key { .. } if !resource.contains(":key/") => Door::Resource,
        Door::Trust if resource == "*" => Door::Resource,
        door => door,
    }
}

fn attach(sources: &[Source]) -> Vec<Attached<'_>> {
    sources.iter().map(Source::attached).collect()
}

fn organizations(allowed_by_organizations: bool) -> Organizations {
    Organizations { allowed_by_organizations }
}

fn boundary(allowed_by_permissions_boundary: bool) -> Boundary {
    Boundary { allowed_by_permissions_boundary }
}

impl Outcome {
    /// Of no resource: all is allowed.
    fn none() -> Self {
        Self {
            decision: ALLOWED,
            matched: Vec::new(),
            missing: BTreeSet::new(),
            boundary: None,
            organizations: None,
            details: None,
        }
    }

    /// Of this and `other` together: the more restrictive of each.
    fn add(&mut self, other: &Self) {
        self.decision = stricter(self.decision, other.decision);
        self.matched.extend(other.matched.iter().cloned());
        self.missing.extend(other.missing.iter().cloned());
        let both = |one: Option<bool>, two: Option<bool>| match (one, two) {
            (Some(one), Some(two)) => Some(one && two),
            (one, two) => one.or(two),
        };
        self.boundary = both(self.boundary, other.boundary);
        self.organizations = both(self.organizations, other.organizations);
        for (kind, decision) in other.details.iter().flatten() {
            let known = self.details.get_or_insert_default().entry(kind).or_insert(decision);
            *known = stricter(known, decision);
        }
    }

    fn specific(self, name: String) -> Specific {
        Specific {
            eval_resource_name: name,
            eval_resource_decision: self.decision,
            matched_statements: self.matched,
            missing_context_values: self.missing,
            eval_decision_details: self.details,
            permissions_boundary_decision_detail: self.boundary.map(boundary),
        }
    }
}

fn stricter(one: &'static str, two: &'static str) -> &'static str {
    let rank = |it| ["explicitDeny", "implicitDeny", ALLOWED].iter().position(|of| *of == it);
    if rank(two) < rank(one) { two } else { one }
}
