//! Whether somebody could do all that is asked, and by which statements.

use super::person::{Person, Who};
use super::{Question, attach};
use crate::iam::simulation::Source;
use base::AccountId;
use policy::PolicyKind;
use policy::engine::{
    Attached, Context, Door, Explanation, Policies, Request, StatementFinding, Values,
    explain_open, is_resource_controlled,
};
use serde::Serialize;
use service::{Held, Member, Organization};

/// Somebody who could.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Finding {
    /// Its ARN; of a service the host name.
    pub principal: String,
    /// `user`, `role`, `root`, `service`, …
    pub kind: &'static str,
    /// Whether nothing is left open.
    pub always: bool,
    /// Each thing that is asked, in its order.
    pub steps: Vec<Step>,
}

/// Why one thing is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Step {
    /// `kms:Decrypt`.
    pub action: String,
    /// The resource; `*` if there is none.
    pub resource: String,
    /// The statements that allow it, each if its conditions hold.
    pub allowed_by: Vec<Told>,
    /// The statements that deny it if their conditions hold, and the key that is missing if they do.
    pub unless: Vec<Told>,
}

/// A statement, or a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Told {
    /// `identity policy`, `boundary`, `resource policy`, `key policy`, `trust policy`, `grant`, `root user`; `key`
    /// for one that can't be used.
    pub kind: &'static str,
    /// What the policy is called; the id of a grant, the ARN of a key.
    pub policy: String,
    /// The statement's place in the policy, from 1.
    pub statement: Option<usize>,
    /// Its name.
    pub sid: Option<String>,
    /// What nobody can tell yet: `aws:SourceIp IpAddress 10.0.0.0/8`.
    pub conditions: Vec<String>,
}

/// What there is to say of `person`, if it could do all that is `asked` in the `organization` there is.
pub(super) fn of(
    person: &Person,
    (asked, organization): (&[Question<'_>], Option<&Organization>),
) -> Option<Finding> {
    let ask = |question| step(&Asked { person, question, organization });
    let mut steps: Vec<Step> = Vec::with_capacity(asked.len());
    for question in asked {
        match (ask(question), question.only_if) {
            (Some(step), _) => steps.push(step),
            (None, Some(when)) => steps.last_mut()?.unless.push(Told::missing(question, when)),
            (None, None) => return None,
        }
    }
    let open = |it: &Told| !it.conditions.is_empty();
    let always = steps.iter().all(|it| it.unless.is_empty() && !it.allowed_by.iter().any(open));
    Some(Finding { principal: person.arn.clone(), kind: person.kind(), always, steps })
}

impl Told {
    /// That somebody may not use the key it takes where `when` holds.
    fn missing(question: &Question<'_>, when: &str) -> Self {
        let policy = question.resource.unwrap_or_default().to_owned();
        Self { kind: "key", policy, statement: None, sid: None, conditions: vec![when.to_owned()] }
    }
}

/// Who asks for what, and where.
struct Asked<'a> {
    person: &'a Person,
    question: &'a Question<'a>,
    organization: Option<&'a Organization>,
}

fn step(asked: &Asked<'_>) -> Option<Step> {
    let Asked { person, question, .. } = *asked;
    let granted: Vec<_> =
        question.grants.iter().filter(|it| person.is_grantee(&it.grantee)).collect();
    let mut allowed_by = Vec::new();
    let mut unless = Vec::new();
    let first = explained(asked, question.door, |why| {
        allowed_by = told(person, question, why, allows);
        unless = told(person, question, why, may_deny);
        why.decision == "allowed"
    });
    if !first {
        let by_grant = matches!(question.door, Door::Key { .. }) && !granted.is_empty();
        let door = Door::Key { grant: true };
        if !by_grant || !explained(asked, door, |why| why.decision == "allowed") {
            return None;
        }
        allowed_by.clear();
    }
    allowed_by.extend(granted.iter().map(|it| Told {
        kind: "grant",
        policy: it.id.clone(),
        statement: None,
        sid: None,
        conditions: it.constraints.clone(),
    }));
    if allowed_by.is_empty() || matches!(person.who, Who::Root) {
        let kind = if matches!(person.who, Who::Root) { "root user" } else { "everyone" };
        let policy = person.account.to_string();
        let told = Told { kind, policy, statement: None, sid: None, conditions: Vec::new() };
        allowed_by.insert(0, told);
    }
    let resource = question.resource.unwrap_or("*").to_owned();
    Some(Step { action: question.action.to_owned(), resource, allowed_by, unless })
}

/// Asks the engine.
fn explained<T>(asked: &Asked<'_>, door: Door, look: impl FnOnce(&Explanation<'_>) -> T) -> T {
    let Asked { person, question, .. } = *asked;
    let owner = question.owner.unwrap_or(&person.account);
    let request = Request {
        caller: person.caller(),
        action: question.action,
        resource: question.resource,
        resource_account: owner,
        context: asked,
    };
    let identity = attach(&person.identity);
    let levels = asked.member(&person.account).map(|it| &*it.service_control).unwrap_or_default();
    let levels: Vec<Vec<_>> =
        levels.iter().map(|it| it.iter().map(Held::attached).collect()).collect();
    let levels: Vec<&[Attached<'_>]> = levels.iter().map(Vec::as_slice).collect();
    let controlled = !question.of_service && is_resource_controlled(question.action);
    let over = asked.member(owner).filter(|_| controlled).map(|it| &*it.resource_control);
    let over: Vec<_> =
        over.unwrap_or_default().iter().flat_map(|it| it.iter()).map(Held::attached).collect();
    let policies = Policies {
        service_control: &levels,
        resource_control: &over,
        resource: question.policies,
        identity: &identity,
        boundary: person.boundary.as_ref().map(Source::attached),
        door,
        ..Policies::default()
    };
    look(&explain_open(&request, &policies))
}

fn allows(it: &StatementFinding<'_>) -> bool {
    it.applies && it.effect == "Allow"
}

/// Whether it denies if what is open goes against the caller.
fn may_deny(it: &StatementFinding<'_>) -> bool {
    let met = it.action && it.resource && it.principal && !it.applies;
    met && it.effect == "Deny" && it.conditions.iter().all(|it| it.holds || it.open)
}

/// The statements that are `wanted`. One of the caller's own that hangs on a condition adds nothing to one that
/// doesn't.
fn told(
    person: &Person,
    question: &Question<'_>,
    why: &Explanation<'_>,
    wanted: fn(&StatementFinding<'_>) -> bool,
) -> Vec<Told> {
    let wanted: Vec<_> = why.statements.iter().filter(|it| wanted(it)).collect();
    let sure = |kind: PolicyKind| {
        let of = |it: &&&StatementFinding<'_>| it.mark.kind == kind && it.effect == "Allow";
        kind == PolicyKind::Identity && wanted.iter().filter(of).any(|it| conditions(it).is_empty())
    };
    let sure = sure(PolicyKind::Identity);
    let adds = |it: &&&StatementFinding<'_>| {
        let own = it.mark.kind == PolicyKind::Identity && it.effect == "Allow";
        !(own && sure && !conditions(it).is_empty())
    };
    let shown = |it: &&StatementFinding<'_>| Told {
        kind: kind(it.mark.kind, question.door),
        policy: name(person, it),
        statement: Some(it.mark.statement + 1),
        sid: it.mark.sid.filter(|it| !it.is_empty()).map(str::to_owned),
        conditions: conditions(it),
    };
    wanted.iter().filter(adds).map(shown).collect()
}

fn kind(kind: PolicyKind, door: Door) -> &'static str {
    match (kind, door) {
        (PolicyKind::PermissionsBoundary, _) => "boundary",
        (PolicyKind::Resource, Door::Key { .. }) => "key policy",
        (PolicyKind::Resource, _) => "resource policy",
        (PolicyKind::RoleTrust, _) => "trust policy",
        (PolicyKind::ResourceControl, _) => "resource control policy",
        (PolicyKind::ServiceControl, _) => "service control policy",
        (PolicyKind::Endpoint, _) => "endpoint policy",
        (PolicyKind::Identity | PolicyKind::Session, _) => "identity policy",
    }
}

fn name(person: &Person, it: &StatementFinding<'_>) -> String {
    let own = matches!(it.mark.kind, PolicyKind::Identity | PolicyKind::PermissionsBoundary);
    let mut sources = person.identity.iter().chain(&person.boundary).filter(|_| own);
    let found = sources.find(|source| source.is(it.mark.policy));
    found.map_or(it.mark.policy, |it| &it.id).to_owned()
}

/// What nobody can tell yet of a statement.
fn conditions(it: &StatementFinding<'_>) -> Vec<String> {
    let open = it.conditions.iter().filter(|it| it.open);
    let mut told: Vec<String> =
        open.map(|it| format!("{} {} {}", it.key, it.operator, it.expected.join(", "))).collect();
    if it.open_resource {
        told.push(format!("the resource fits {}", it.missing_keys.join(", ")));
    }
    told
}

/// What is known of somebody who hasn't asked yet.
impl Context for Asked<'_> {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        if let Some(name) = key.strip_prefix("aws:principaltag/") {
            let tag = self.person.tags.iter().find(|it| it.0.eq_ignore_ascii_case(name));
            // A session may have brought other tags along.
            let is_user = matches!(self.person.who, Who::User { .. });
            return tag.filter(|_| is_user).map(|it| Values::one(&it.1));
        }
        match key {
            "aws:requestedregion" => self.question.region.map(|it| Values::one(it.as_str())),
            "aws:viaawsservice" if self.is_forwarded() => Some(Values::bool(true)),
            "kms:calleraccount" => Some(Values::one(self.person.account.as_str())),
            "aws:principalorgid" => self.organization_of(self.account()?),
            "aws:principalorgpaths" => self.paths_of(self.account()?),
            "aws:resourceorgid" => self.organization_of(self.question.owner?),
            "aws:resourceorgpaths" => self.paths_of(self.question.owner?),
            _ => self.question.keys.find(key),
        }
    }

    fn is_open(&self, key: &str) -> bool {
        if key.starts_with("aws:principaltag/") {
            return !matches!(self.person.who, Who::User { .. });
        }
        match key {
            "aws:principalaccount"
            | "aws:principalarn"
            | "aws:principalisawsservice"
            | "aws:principalorgid"
            | "aws:principalorgpaths"
            | "aws:principalservicename"
            | "aws:principaltype"
            | "aws:resourceaccount"
            | "aws:resourceorgid"
            | "aws:resourceorgpaths"
            | "aws:username" => false,
            "aws:userid" => matches!(self.person.who, Who::Role { .. }),
            _ => self.find(key).is_none() && self.question.keys.is_open(key),
        }
    }
}

impl<'a> Asked<'a> {
    fn member(&self, account: &AccountId) -> Option<&'a Member> {
        self.organization?.members.get(account)
    }

    /// The account of the caller; services belong to none.
    fn account(&self) -> Option<&'a AccountId> {
        matches!(self.person.who, Who::Role { .. } | Who::Root | Who::User { .. })
            .then_some(&self.person.account)
    }

    fn organization_of(&self, account: &AccountId) -> Option<Values<'a>> {
        self.organization?.id_for(account).map(Values::one)
    }

    fn paths_of(&self, account: &AccountId) -> Option<Values<'a>> {
        self.organization?.path_of(account).map(|it| Values::many([it]))
    }

    /// Whether a service asks for the caller.
    fn is_forwarded(&self) -> bool {
        self.question.keys.find("kms:viaservice").is_some()
    }
}
