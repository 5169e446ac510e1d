//! The smallest changes that would allow a request: found by trying, with the engine itself.

use super::Message;
use crate::engine::{Attached, Decision, Door, Grammar, Policies, Policy, Request, decide};
use crate::{Effect, PolicyKind};
use base::Arn;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One change. All changes of a message together allow the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The kind of policy to change.
    #[serde(rename = "k")]
    pub kind: PolicyKind,
    /// The statement that must not apply any more: its policy's name, and its index there. `None` if a
    /// statement is missing.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub denial: Option<(String, usize)>,
    /// The policies in whose places the statement is missing, of service control policies.
    #[serde(rename = "b", default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<String>,
}

/// More changes than anyone makes.
const MOST: usize = 16;

/// What has to change in `policies`, tried one after the other until the request would be allowed.
pub(super) fn changes(
    request: &Request<'_>,
    policies: &Policies<'_>,
    message: &Message,
) -> Vec<Change> {
    let mut trial = Trial::of(policies);
    let mut changes = Vec::new();
    while changes.len() < MOST {
        let Some(change) = trial.next(request) else { break };
        // Something that doesn't help once doesn't help twice.
        if changes.contains(&change) || trial.make(&change, message).is_none() {
            break;
        }
        changes.push(change);
    }
    changes
}

/// A policy that can be changed.
struct Held {
    kind: PolicyKind,
    /// Of a service control policy.
    level: usize,
    name: String,
    /// Names may stand twice.
    id: String,
    policy: Policy,
    /// Which statements are left, by their index at first.
    left: Vec<usize>,
}

struct Trial {
    held: Vec<Held>,
    /// How many were ever held.
    made: usize,
    session: bool,
    door: Door,
    levels: usize,
}

impl Trial {
    fn of(policies: &Policies<'_>) -> Self {
        let own = policies.all().filter(|it| it.0 != PolicyKind::ServiceControl);
        let own = own.map(|(kind, it)| Held::of(kind, 0, it));
        let levels = policies.service_control.iter().enumerate();
        let control = levels.flat_map(|(level, attached)| {
            attached.iter().map(move |it| Held::of(PolicyKind::ServiceControl, level, *it))
        });
        let mut trial = Self {
            held: Vec::new(),
            made: 0,
            session: policies.session.is_some(),
            door: policies.door,
            levels: policies.service_control.len(),
        };
        own.chain(control).for_each(|it| trial.hold(it));
        trial
    }

    fn hold(&mut self, held: Held) {
        self.made += 1;
        let id = self.made.to_string();
        self.held.push(Held { id, ..held });
    }

    fn of_kind(&self, wanted: impl Fn(&Held) -> bool) -> Vec<Attached<'_>> {
        let own = self.held.iter().filter(|it| wanted(it));
        own.map(|it| Attached { id: &it.id, policy: &it.policy }).collect()
    }

    /// What stands in the way next.
    fn next(&self, request: &Request<'_>) -> Option<Change> {
        use PolicyKind as Kind;
        let of = |kind| self.of_kind(|it| it.kind == kind);
        let level = |level| self.of_kind(|it| it.kind == Kind::ServiceControl && it.level == level);
        let levels: Vec<_> = (0..self.levels).map(level).collect();
        let levels: Vec<_> = levels.iter().map(Vec::as_slice).collect();
        let session = of(Kind::Session);
        let policies = Policies {
            service_control: &levels,
            resource_control: &of(Kind::ResourceControl),
            endpoint: of(Kind::Endpoint).first().copied(),
            resource: &self.of_kind(|it| matches!(it.kind, Kind::Resource | Kind::RoleTrust)),
            identity: &of(Kind::Identity),
            boundary: of(Kind::PermissionsBoundary).first().copied(),
            session: self.session.then_some(&session),
            door: self.door,
        };
        match decide(request, &policies) {
            Decision::Allow(_) => None,
            Decision::Withhold(kind) => {
                let beside = if kind == Kind::ServiceControl {
                    self.withholding(request, &policies)
                } else {
                    Vec::new()
                };
                Some(Change { kind, denial: None, beside })
            }
            Decision::Forbid(mark) => {
                let held = self.held.iter().find(|it| it.id == mark.policy)?;
                let index = held.left.get(mark.statement).copied()?;
                let denial = Some((held.name.clone(), index));
                Some(Change { kind: mark.kind, denial, beside: Vec::new() })
            }
        }
    }

    /// The names of the policies of the levels that don't let the request through.
    fn withholding(&self, request: &Request<'_>, policies: &Policies<'_>) -> Vec<String> {
        let withholds = |level: &&[Attached<'_>]| {
            let alone = Policies { service_control: &[*level], ..*policies };
            decide(request, &alone) == Decision::Withhold(PolicyKind::ServiceControl)
        };
        let levels: Vec<bool> = policies.service_control.iter().map(withholds).collect();
        let control = self.held.iter().filter(|it| it.kind == PolicyKind::ServiceControl);
        let missing = control.filter(|it| levels.get(it.level) == Some(&true));
        missing.map(|it| it.name.clone()).collect()
    }

    fn make(&mut self, change: &Change, message: &Message) -> Option<()> {
        if let Some((policy, index)) = &change.denial {
            let is =
                |it: &&mut Held| it.kind == change.kind && it.name == *policy && it.denies(*index);
            let held = self.held.iter_mut().find(is)?;
            let place = held.left.iter().position(|it| it == index)?;
            held.left.remove(place);
            held.policy = held.policy.without(place);
            return Some(());
        }
        let grammar = match change.kind {
            PolicyKind::Endpoint => Grammar::Endpoint,
            PolicyKind::Resource if self.door != Door::Resource => Grammar::Key,
            PolicyKind::Resource => Grammar::Resource,
            PolicyKind::RoleTrust => Grammar::Trust,
            _ => Grammar::Identity,
        };
        let statement = allowing(change.kind, message, &message.exact_resource());
        let text = json!({ "Version": "2012-10-17", "Statement": statement }).to_string();
        let policy = Policy::compile(&text, grammar).ok()?;
        self.session |= change.kind == PolicyKind::Session;
        // There is only one boundary, and one policy at an endpoint.
        if matches!(change.kind, PolicyKind::PermissionsBoundary | PolicyKind::Endpoint) {
            self.held.retain(|it| it.kind != change.kind);
        }
        for level in 0..self.levels_of(change.kind) {
            let (name, policy) = (String::new(), policy.clone());
            self.hold(Held {
                kind: change.kind,
                level,
                name,
                id: String::new(),
                policy,
                left: vec![0],
            });
        }
        Some(())
    }

    fn levels_of(&self, kind: PolicyKind) -> usize {
        if kind == PolicyKind::ServiceControl { self.levels } else { 1 }
    }
}

impl Held {
    fn of(kind: PolicyKind, level: usize, it: Attached<'_>) -> Self {
        let left = (0..it.policy.statements().len()).collect();
        let (name, policy) = (it.id.to_owned(), it.policy.clone());
        Self { kind, level, name, id: String::new(), policy, left }
    }

    /// Whether the statement that was at `index` at first is there and denies.
    fn denies(&self, index: usize) -> bool {
        let place = self.left.iter().position(|it| *it == index);
        let statement = place.and_then(|it| self.policy.statements().get(it));
        statement.is_some_and(|it| it.effect() == Effect::Deny)
    }
}

impl Message {
    /// The statement as it has to stand for `change`: the one to add, or the one that denies with an
    /// exception. `None` if the latter's text was too long to be kept.
    pub fn statement_for(&self, change: &Change) -> Option<Value> {
        let Some((policy, index)) = &change.denial else {
            return Some(allowing(change.kind, self, &self.lasting_resource()));
        };
        let own = |it: &&super::Considered| {
            it.kind == change.kind && it.policy == *policy && it.index == *index
        };
        let found = self.statements.iter().find(own)?;
        let statement: Value = serde_json::from_str(&found.text).ok()?;
        let holders = matches!(change.kind, PolicyKind::Identity | PolicyKind::Session);
        match self.arn().filter(|_| holders && is_any(&statement)) {
            Some(arn) => Some(except_resource(statement, arn)),
            None => Some(except_principal(statement, &self.principal.named)),
        }
    }

    fn arn(&self) -> Option<&str> {
        self.resource.as_deref().filter(|it| Arn::parse(it).is_ok())
    }

    /// The resource that was asked for; what has no ARN is matched by `*` alone.
    fn exact_resource(&self) -> String {
        self.arn().unwrap_or("*").to_owned()
    }

    /// The same as it will be asked for next time: the last characters of a secret's ARN are drawn when
    /// it is made, and may be left out by who asks from another account.
    fn lasting_resource(&self) -> String {
        let exact = self.exact_resource();
        if !exact.contains(":secret:") {
            return exact;
        }
        let drawn = exact.rsplit_once('-').filter(|it| it.1.len() == 6);
        match drawn {
            Some((stem, _)) if self.action == "secretsmanager:CreateSecret" => {
                format!("{stem}-??????")
            }
            Some(_) => exact,
            None => format!("{exact}-??????"),
        }
    }
}

/// A statement that allows the caller just this.
fn allowing(kind: PolicyKind, message: &Message, resource: &str) -> Value {
    let (action, principal) = (&message.action, json!({ "AWS": message.principal.named }));
    match kind {
        PolicyKind::RoleTrust => {
            json!({ "Effect": "Allow", "Principal": principal, "Action": action })
        }
        PolicyKind::Resource | PolicyKind::ResourceControl | PolicyKind::Endpoint => json!({
            "Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource,
        }),
        PolicyKind::Identity
        | PolicyKind::PermissionsBoundary
        | PolicyKind::ServiceControl
        | PolicyKind::Session => {
            json!({ "Effect": "Allow", "Action": action, "Resource": resource })
        }
    }
}

fn is_any(statement: &Value) -> bool {
    let resource = statement.get("Resource");
    resource == Some(&json!("*")) || resource == Some(&json!(["*"]))
}

fn except_resource(mut statement: Value, arn: &str) -> Value {
    if let Value::Object(members) = &mut statement {
        members.remove("Resource");
        members.insert("NotResource".to_owned(), json!([arn]));
    }
    statement
}

fn except_principal(mut statement: Value, named: &str) -> Value {
    let Value::Object(members) = &mut statement else { return statement };
    let conditions = members.entry("Condition").or_insert_with(|| json!({}));
    let Value::Object(operators) = conditions else { return statement };
    let keys = operators.entry("ArnNotEquals").or_insert_with(|| json!({}));
    let Value::Object(keys) = keys else { return statement };
    let before = keys.iter().find(|it| it.0.eq_ignore_ascii_case(PRINCIPAL_ARN));
    let key = before.map_or(PRINCIPAL_ARN, |it| it.0).to_owned();
    let mut values = match keys.remove(&key) {
        Some(Value::Array(list)) => list,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    values.push(json!(named));
    keys.insert(key, Value::Array(values));
    statement
}

const PRINCIPAL_ARN: &str = "aws:PrincipalArn";
