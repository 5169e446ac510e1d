//! Why: every statement that was looked at, and what of it matched.

use super::actions::covers_action;
use super::check::Check;
use super::decide::{Attached, Decision, Mark, Policies, decide_asked};
use super::policy::{Span, Statement};
use super::request::{Asked, Request};
use super::template::Template;
use super::who::Reach;
use crate::{Comparison, Effect, Operator, PolicyKind, Quantifier, Selection};
use serde::Serialize;
use std::collections::BTreeSet;

/// A decision with all that led to it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation<'a> {
    /// `allowed`, `explicitDeny` or `implicitDeny`.
    pub decision: &'static str,
    /// The kind of policy that denies, or that doesn't allow.
    pub denied_by: Option<PolicyKind>,
    /// The statement that decided, if a single one did.
    pub deciding: Option<Mark<'a>>,
    /// Every statement, by kind of policy in the order in which denials are reported.
    pub statements: Vec<StatementFinding<'a>>,
    /// Keys that were needed, by a condition or a variable of a statement for this action, and
    /// that the request doesn't have; sorted.
    pub missing_keys: Vec<String>,
}

/// What of a statement matched the request.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub struct StatementFinding<'a> {
    /// Which statement it is.
    #[serde(flatten)]
    pub mark: Mark<'a>,
    /// What it does when it applies: `Allow` or `Deny`.
    pub effect: &'static str,
    /// Where it stands in its policy.
    pub span: Span,
    /// What it says, as written.
    #[serde(skip)]
    pub text: &'a str,
    /// Whether all parts matched.
    pub applies: bool,
    /// Whether it is about the action.
    pub action: bool,
    /// Whether it is about the resource.
    pub resource: bool,
    /// Whether it is about the caller.
    pub principal: bool,
    /// Its conditions, in their order.
    pub conditions: Vec<ConditionFinding>,
    /// Keys that it needs and the request doesn't have, if it is about the action.
    #[serde(skip)]
    pub missing_keys: Vec<String>,
    /// Whether the resources that it is about depend on a key that is open.
    #[serde(skip)]
    pub open_resource: bool,
}

/// Whether a condition holds, and what was compared.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConditionFinding {
    /// The operator, as in the policy: `ForAnyValue:StringLikeIfExists`.
    pub operator: String,
    /// The key, as written.
    pub key: String,
    /// The policy's values, as written.
    pub expected: Vec<String>,
    /// The request's values; `None` if it doesn't have the key.
    pub actual: Option<Vec<String>>,
    /// Whether it holds.
    pub holds: bool,
    /// Whether nobody can tell yet.
    #[serde(skip)]
    pub open: bool,
}

/// Decides `request` as [`decide`] does and says what each statement had to do with it.
///
/// Looks at everything, so it takes longer than deciding.
pub fn explain<'a>(request: &Request<'_>, policies: &Policies<'a>) -> Explanation<'a> {
    explain_asked(&Asked::new(request, policies.boundary.is_some()), policies)
}

/// Whether `request` could be allowed, and by what: a condition on a key that the context calls open may hold
/// where it allows, and may not where it denies.
///
/// Each such condition is looked at by itself: two that can't both hold are not noticed.
pub fn explain_open<'a>(request: &Request<'_>, policies: &Policies<'a>) -> Explanation<'a> {
    let asked = Asked { open: true, ..Asked::new(request, policies.boundary.is_some()) };
    explain_asked(&asked, policies)
}

fn explain_asked<'a>(asked: &Asked<'_>, policies: &Policies<'a>) -> Explanation<'a> {
    let mut missing = BTreeSet::new();
    let mut statements = Vec::new();
    for (kind, Attached { id, policy }) in policies.all() {
        for (index, statement) in policy.statements().iter().enumerate() {
            let mark = Mark { kind, policy: id, statement: index, sid: statement.sid() };
            let finding = examine(statement, mark, asked);
            missing.extend(finding.missing_keys.iter().cloned());
            statements.push(finding);
        }
    }
    let (decision, denied_by, deciding) = match decide_asked(asked, policies) {
        Decision::Allow(mark) => ("allowed", None, mark),
        Decision::Forbid(mark) => ("explicitDeny", Some(mark.kind), Some(mark)),
        Decision::Withhold(kind) => ("implicitDeny", Some(kind), None),
    };
    let missing_keys = missing.into_iter().collect();
    Explanation { decision, denied_by, deciding, statements, missing_keys }
}

/// Each part by itself, where [`Statement::reach`] stops at the first that doesn't match.
fn examine<'a>(
    statement: &'a Statement,
    mark: Mark<'a>,
    asked: &Asked<'_>,
) -> StatementFinding<'a> {
    let effect = statement.effect;
    let of = |it| condition(it, asked, effect);
    let conditions: Vec<_> = statement.checks.iter().map(of).collect();
    let action = covers_action(&statement.actions, asked);
    StatementFinding {
        mark,
        effect: if statement.effect == Effect::Deny { "Deny" } else { "Allow" },
        span: statement.span,
        text: statement.text(),
        applies: statement.reach(asked) > Reach::Nothing,
        action,
        resource: !statement.is_dead && statement.covers_resource(asked),
        principal: statement.reach_of_principal(asked) > Reach::Nothing,
        conditions,
        open_resource: asked.open && statement.has_open_resource(asked),
        missing_keys: if action { unknown(statement, asked) } else { Vec::new() },
    }
}

fn condition(check: &Check, asked: &Asked<'_>, effect: Effect) -> ConditionFinding {
    let values = asked.value(check.key());
    let written = &check.written;
    let actual = values.as_ref().map(|it| it.list().iter().map(ToString::to_string).collect());
    ConditionFinding {
        operator: operator(written.operator),
        key: written.key.to_string(),
        expected: written.values.iter().map(ToString::to_string).collect(),
        actual,
        holds: check.holds(asked, effect),
        open: asked.open && check.is_open(asked),
    }
}

fn operator(operator: Operator) -> String {
    let quantifier = match operator.quantifier {
        Some(Quantifier::All) => "ForAllValues:",
        Some(Quantifier::Any) => "ForAnyValue:",
        None => "",
    };
    let suffix = if operator.if_exists { "IfExists" } else { "" };
    format!("{quantifier}{:?}{suffix}", operator.comparison)
}

/// The keys that the statement needs and the request lacks. A `Null` condition asks for absence,
/// and a variable with a default has its value.
fn unknown(statement: &Statement, asked: &Asked<'_>) -> Vec<String> {
    let null = |it: &&Check| it.written.operator.comparison == Comparison::Null;
    let absent = |key: &str| asked.value(key).is_none_or(|it| it.list().is_empty());
    let checks = statement.checks.iter().filter(|it| !null(it) && absent(it.key()));
    let keys = checks.map(|it| it.written.key.to_string());
    let resources = statement.resources.iter().flat_map(Selection::listed);
    let templates = resources.filter_map(super::actions::Resources::template);
    let variables = templates.flat_map(Template::variables);
    let variables = variables.chain(statement.checks.iter().flat_map(Check::variables));
    let open = variables.filter(|it| it.default.is_none() && absent(&it.key));
    keys.chain(open.map(|it| it.key.to_string())).collect()
}
