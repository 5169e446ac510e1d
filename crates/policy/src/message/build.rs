//! From a decision to a message.

use super::recorder::Recorder;
use super::{Compared, Considered, Consulted, LeftOut, Message, Principal, Side, Verdict};
use crate::PolicyKind;
use crate::engine::{
    Attached, CallerKind, ConditionFinding, Context as _, Decision, Mark, Policies, Request,
    StatementFinding, decide, explain,
};
use base::Timestamp;
use std::collections::BTreeMap;

/// What a message says of a request besides the decision.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The request's id.
    pub request_id: &'a str,
    /// When it came.
    pub at: Timestamp,
    /// The caller's unique id.
    pub id: &'a str,
    /// The name of a user.
    pub name: Option<&'a str>,
}

impl Message {
    /// Why `request` is allowed or denied by `policies`, as far as `side` may know: for one side of two
    /// accounts hand over its own policies and what it knows of the resource, and `decided`, which the
    /// policies of both sides said.
    pub fn of(
        request: &Request<'_>,
        policies: &Policies<'_>,
        asker: Asker<'_>,
        (side, decided): (Side, Decision<'_>),
    ) -> Self {
        let recorder = Recorder::new(request);
        let watched = Request { context: &recorder, ..*request };
        let why = explain(&watched, policies);
        for key in ALWAYS {
            let _noted = recorder.find(&key.to_ascii_lowercase());
        }
        let (verdict, by) = verdict(decided, side);
        let deciding = deciding(decided).or(why.deciding);
        let conditions = named(recorder, &why.statements);
        let mut message = Self {
            request_id: asker.request_id.to_owned(),
            at: asker.at,
            principal: Principal {
                id: asker.id.to_owned(),
                name: asker.name.map(str::to_owned),
                arn: request.caller.arn.to_owned(),
                named: named_in_policies(request).to_owned(),
            },
            action: request.action.to_owned(),
            resource: request.resource.map(str::to_owned),
            owner: request.resource_account.clone(),
            side,
            verdict,
            by,
            policies: consulted(policies, &why.statements),
            statements: considered(&why.statements, deciding),
            conditions,
            changes: Vec::new(),
            left_out: LeftOut::default(),
        };
        if !decide(request, policies).is_allow() || verdict != Verdict::Allowed {
            message.changes = super::advice::changes(request, policies, &message);
            // What the caller's account has to do is not the owner's to know.
            message.changes.retain(|it| side != Side::Owner || is_owners(it.kind));
        }
        message.cap();
        message
    }
}

/// What one side may know of a decision: of the other's, only that there is one.
fn verdict(decided: Decision<'_>, side: Side) -> (Verdict, Option<PolicyKind>) {
    let (verdict, kind) = match decided {
        Decision::Allow(_) => return (Verdict::Allowed, None),
        Decision::Forbid(mark) => (Verdict::ExplicitDeny, mark.kind),
        Decision::Withhold(kind) => (Verdict::ImplicitDeny, kind),
    };
    match (side, is_owners(kind)) {
        (Side::Both, _) | (Side::Caller, false) | (Side::Owner, true) => (verdict, Some(kind)),
        (Side::Caller, true) | (Side::Owner, false) => (Verdict::ImplicitDeny, None),
    }
}

/// Whether a policy of `kind` stands with the resource, not with the caller.
pub(super) fn is_owners(kind: PolicyKind) -> bool {
    matches!(kind, PolicyKind::Resource | PolicyKind::ResourceControl | PolicyKind::RoleTrust)
}

fn deciding(decided: Decision<'_>) -> Option<Mark<'_>> {
    match decided {
        Decision::Allow(mark) => mark,
        Decision::Forbid(mark) => Some(mark),
        Decision::Withhold(_) => None,
    }
}

/// What a policy would call the caller.
fn named_in_policies<'a>(request: &Request<'a>) -> &'a str {
    match request.caller.kind {
        CallerKind::RoleSession { role_arn, .. } => role_arn,
        CallerKind::Service { name } => name,
        CallerKind::WebIdentity { provider } => provider,
        CallerKind::FederatedUser { .. } | CallerKind::Root | CallerKind::User { .. } => {
            request.caller.arn
        }
    }
}

/// The keys that were looked at, spelled as policies spell them where one did.
fn named(
    recorder: Recorder<'_>,
    statements: &[StatementFinding<'_>],
) -> Vec<(String, Vec<String>)> {
    let written = statements.iter().flat_map(|it| &it.conditions).map(|it| it.key.as_str());
    let written = written.chain(ALWAYS.iter().copied());
    let spelled: BTreeMap<_, _> = written.map(|it| (it.to_ascii_lowercase(), it)).collect();
    let spell = |key: String| spelled.get(&key).map_or(key, |it| (*it).to_owned());
    recorder.into_values().map(|(key, values)| (spell(key), values)).collect()
}

/// Findings stand in the order of the policies, and names may stand twice.
fn consulted(policies: &Policies<'_>, statements: &[StatementFinding<'_>]) -> Vec<Consulted> {
    let mut rest = statements;
    let of = |(kind, attached): (PolicyKind, Attached<'_>)| {
        let statements = attached.policy.statements().len();
        let (own, others) = rest.split_at_checked(statements).unwrap_or((rest, &[]));
        rest = others;
        let about = own.iter().filter(|it| it.action).count();
        Consulted { kind, name: attached.id.to_owned(), statements, about }
    };
    policies.all().map(of).collect()
}

fn considered(statements: &[StatementFinding<'_>], deciding: Option<Mark<'_>>) -> Vec<Considered> {
    let about = statements.iter().filter(|it| it.action);
    let mut found: Vec<_> = about.map(|it| one(it, deciding == Some(it.mark))).collect();
    // What fails by its conditions alone is nearer than what is about something else.
    let distance = |it: &Considered| {
        (!it.decided, !it.applies(), !(it.resource && it.principal), !it.resource)
    };
    found.sort_by_key(distance);
    found
}

fn one(finding: &StatementFinding<'_>, decided: bool) -> Considered {
    let compared = |it: &ConditionFinding| Compared {
        operator: it.operator.clone(),
        key: it.key.clone(),
        expected: it.expected.clone(),
        holds: it.holds,
    };
    Considered {
        kind: finding.mark.kind,
        policy: finding.mark.policy.to_owned(),
        index: finding.mark.statement,
        sid: finding.mark.sid.map(str::to_owned),
        line: finding.span.start.line,
        denies: finding.effect == "Deny",
        decided,
        resource: finding.resource,
        principal: finding.principal,
        conditions: finding.conditions.iter().map(compared).collect(),
        text: compact(finding.text),
    }
}

/// JSON without the white space between its tokens.
fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut quoted, mut escaped) = (false, false);
    for it in json.chars() {
        if quoted || !it.is_ascii_whitespace() {
            out.push(it);
        }
        match it {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => (),
        }
    }
    out
}

/// Keys that are told of every request that has them, whether a policy asks for them or not.
const ALWAYS: &[&str] = &[
    "aws:CalledVia",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalArn",
    "aws:PrincipalOrgID",
    "aws:PrincipalType",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:SecureTransport",
    "aws:SourceIdentity",
    "aws:SourceIp",
    "aws:TokenIssueTime",
    "aws:UserAgent",
    "aws:ViaAWSService",
    "aws:userid",
    "aws:username",
];
