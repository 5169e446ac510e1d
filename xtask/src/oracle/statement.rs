//! Policies for a case: statements that often, but not always, speak about what is asked.

use super::case::fits;
use super::chance::Chance;
use super::condition::conditions;
use super::words::{ALIASES, CALLERS, Caller, KEYS, OTHER, OWNER, ROLES, SECRETS};
use serde_json::{Map, Value, json};

/// What the policies of a case are made for.
pub(super) struct Scene {
    pub(super) caller: Caller,
    pub(super) action: &'static str,
    pub(super) resource: Option<&'static str>,
    pub(super) context: Map<String, Value>,
}

impl Scene {
    /// The condition keys that a request for the action can have.
    pub(super) fn keys(&self) -> Vec<&'static super::words::Key> {
        super::words::CONDITION_KEYS.iter().filter(|it| fits(it, self.action)).collect()
    }
}

/// Where a policy is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Boundary,
    Endpoint,
    Identity,
    Key,
    Resource,
    ResourceControl,
    ServiceControl,
    Session,
    Trust,
}

impl Kind {
    fn is_of_resource(self) -> bool {
        matches!(self, Self::Key | Self::Resource | Self::Trust)
    }

    /// Whether an ARN may end early in any way.
    fn takes_shorter(self) -> bool {
        self.takes_short() && self != Self::ServiceControl
    }

    /// Whether an ARN may end early in a `*`.
    fn takes_short(self) -> bool {
        matches!(self, Self::Boundary | Self::Identity | Self::ServiceControl | Self::Session)
    }
}

/// A policy of one to three statements.
pub(super) fn policy(chance: &mut Chance, scene: &Scene, kind: Kind) -> Value {
    let count = 1 + chance.below(3);
    let statements: Vec<_> = (0..count).map(|_| statement(chance, scene, kind)).collect();
    let old = kind != Kind::ResourceControl && chance.percent(3);
    let version = if old { "2008-10-17" } else { "2012-10-17" };
    json!({"Version": version, "Statement": statements})
}

/// A policy without principals in which one thing alone decides: a condition, or which actions and
/// resources it is about.
pub(super) fn simple(chance: &mut Chance, scene: &Scene, effect: &str) -> Value {
    let kind = if effect == "Deny" { Kind::ServiceControl } else { Kind::Identity };
    let mut statement = Map::new();
    let mut put = |name: &str, value: Value| drop(statement.insert(name.to_owned(), value));
    put("Effect", effect.into());
    let on_condition = chance.percent(70);
    let not = |chance: &mut Chance| if chance.percent(20) { "Not" } else { "" };
    if on_condition {
        put("Condition", conditions(chance, scene, 1));
    }
    let by_action = !on_condition && chance.percent(40);
    let not_action = if by_action { not(chance) } else { "" };
    put(&format!("{not_action}Action"), actions(chance, scene, kind, !by_action));
    let by_resource = !on_condition && !by_action;
    let not_resource = if by_resource { not(chance) } else { "" };
    put(&format!("{not_resource}Resource"), resources(chance, scene, kind, !by_resource));
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

fn statement(chance: &mut Chance, scene: &Scene, kind: Kind) -> Value {
    let mut statement = Map::new();
    let mut put = |name: &str, value: Value| drop(statement.insert(name.to_owned(), value));
    let denies = kind == Kind::ResourceControl || chance.percent(22);
    put("Effect", if denies { "Deny".into() } else { "Allow".into() });
    let plain = !denies && chance.percent(45);
    match kind {
        Kind::ResourceControl | Kind::Endpoint => put("Principal", "*".into()),
        _ if kind.is_of_resource() => {
            let not = kind != Kind::Trust && denies && chance.percent(25);
            let name = if not { "NotPrincipal" } else { "Principal" };
            put(name, principals(chance, scene, kind));
        }
        _ => {}
    }
    let not = kind != Kind::Trust && kind != Kind::ResourceControl && !plain && chance.percent(12);
    let actions = actions(chance, scene, kind, plain);
    put(if not { "NotAction" } else { "Action" }, actions);
    // In a resource's policy it may be missing.
    if kind != Kind::Trust && !(kind.is_of_resource() && chance.percent(3)) {
        let not = !plain && chance.percent(12);
        let resources = resources(chance, scene, kind, plain);
        put(if not { "NotResource" } else { "Resource" }, resources);
    }
    if chance.percent(if plain { 25 } else { 60 }) {
        put("Condition", conditions(chance, scene, 3));
    } else if kind == Kind::Resource && chance.percent(15) {
        // Beside `*` it names the caller as directly as its ARN does.
        let behind =
            if scene.caller.kind == "role" { scene.caller.behind } else { scene.caller.arn };
        put("Condition", json!({"ArnLike": {"aws:PrincipalArn": behind}}));
    }
    Value::Object(statement)
}

/// One to three of what `make` makes, a single one also without a list.
fn some(chance: &mut Chance, mut make: impl FnMut(&mut Chance) -> String) -> Value {
    let count = chance.one(&[1, 1, 2, 3]).copied().unwrap_or(1);
    let mut texts: Vec<_> = (0..count).map(|_| make(chance)).collect();
    texts.dedup();
    match texts.as_slice() {
        [one] if chance.percent(50) => one.as_str().into(),
        _ => texts.into(),
    }
}

fn actions(chance: &mut Chance, scene: &Scene, kind: Kind, plain: bool) -> Value {
    let (service, name) = scene.action.split_once(':').unwrap_or_default();
    if plain && kind != Kind::Trust {
        let any = if chance.percent(50) { "*".to_owned() } else { format!("{service}:*") };
        return any.into();
    }
    let start = name.get(..3).unwrap_or(name);
    let end = name.get(3..).unwrap_or_default();
    some(chance, |chance| match chance.below(if plain { 6 } else { 10 }) {
        0 | 1 => scene.action.to_owned(),
        2 => format!("{service}:*"),
        3 => format!("{service}:{start}*"),
        4 => format!("{service}:{}*{end}", start.to_lowercase()),
        5 => format!("{service}:??{}", name.get(2..).unwrap_or_default().to_uppercase()),
        6 => format!("{service}:{start}"),
        7 if kind != Kind::Trust && kind != Kind::ResourceControl => "*".to_owned(),
        7 => format!("{service}:TagSession"),
        _ if kind == Kind::Trust => "sts:SetSourceIdentity".to_owned(),
        8 => "kms:Decrypt".to_owned(),
        _ => "secretsmanager:Get*".to_owned(),
    })
}

fn resources(chance: &mut Chance, scene: &Scene, kind: Kind, plain: bool) -> Value {
    let Some(resource) = scene.resource.filter(|_| !plain) else {
        let other = !plain && chance.percent(30);
        return if other { SECRETS.first().copied().into() } else { "*".into() };
    };
    let likely = kind.is_of_resource() && chance.percent(40);
    if likely {
        return "*".into();
    }
    some(chance, |chance| pattern(chance, resource, kind))
}

/// A pattern near `resource`, which has six parts.
fn pattern(chance: &mut Chance, resource: &str, kind: Kind) -> String {
    let parts: Vec<_> = resource.splitn(6, ':').collect();
    let [_, _, service, region, account, last] = parts.as_slice() else { return "*".to_owned() };
    let head = format!("arn:aws:{service}:{region}:{account}");
    let cut = chance.below(last.len());
    let cut = cut.max(last.find([':', '/']).map_or(0, |it| it + 1));
    let (before, behind) = last.split_at_checked(cut).unwrap_or((last, ""));
    match chance.below(15) {
        0 | 1 => resource.to_owned(),
        2 => "*".to_owned(),
        3 | 4 => format!("{head}:{before}*"),
        5 => format!("{head}:{before}?{}", behind.get(1..).unwrap_or_default()),
        6 => format!("{}??????", resource.get(..resource.len().saturating_sub(6)).unwrap_or("*")),
        7 => format!("arn:*:{service}:*:{account}:{last}"),
        8 => format!("arn:aws:{service}:{region}:*:{before}*{behind}"),
        9 => format!("{head}:{before}${{aws:PrincipalTag/team}}{behind}"),
        10 => format!("{head}:{}${{aws:PrincipalTag/team}}/*", kind_of(last)),
        11 => format!("{head}:{}*${{aws:PrincipalTag/name, 'db'}}*", kind_of(last)),
        12 if kind.takes_short() => format!("arn:aws:{service}:*"),
        13 if kind.takes_shorter() => format!("arn:aws:{service}:{region}"),
        _ => {
            let others = [SECRETS, KEYS, ALIASES, ROLES].concat();
            chance.word(&others).to_owned()
        }
    }
}

/// `secret:`, `key/`, `alias/`, `role/`.
fn kind_of(last: &str) -> &str {
    let end = last.find([':', '/']).map_or(0, |it| it + 1);
    last.get(..end).unwrap_or_default()
}

/// Often the caller in one of its forms.
fn principals(chance: &mut Chance, scene: &Scene, kind: Kind) -> Value {
    let caller = scene.caller;
    if chance.percent(12) {
        return "*".into();
    }
    if caller.kind == "web" && chance.percent(70) {
        let listed = some(chance, |chance| {
            let other = "arn:aws:iam::111122223333:saml-provider/idp";
            (if chance.percent(70) { caller.arn } else { other }).to_owned()
        });
        return json!({"Federated": listed});
    }
    if caller.kind == "service" && chance.percent(60) || chance.percent(5) {
        return json!({"Service": some(chance, |chance| {
            chance.word(&["lambda.amazonaws.com", "ecs.amazonaws.com"]).to_owned()
        })});
    }
    let mut listed = Map::new();
    let aws = some(chance, |chance| principal(chance, caller));
    listed.insert("AWS".to_owned(), aws);
    if kind == Kind::Trust && chance.percent(10) {
        let providers = CALLERS.iter().filter(|it| it.kind == "web").map(|it| it.arn);
        listed.insert("Federated".to_owned(), providers.collect::<Vec<_>>().into());
    }
    listed.into()
}

fn principal(chance: &mut Chance, caller: Caller) -> String {
    let root = |account: &str| format!("arn:aws:iam::{account}:root");
    match chance.below(12) {
        0 => "*".to_owned(),
        1 => caller.account.to_owned(),
        2 | 3 => root(caller.account),
        4..=6 if !matches!(caller.kind, "service" | "web") => caller.arn.to_owned(),
        7 | 8 if !caller.behind.is_empty() => caller.behind.to_owned(),
        9 => root(OTHER),
        10 => OWNER.to_owned(),
        _ => match chance.one(CALLERS).filter(|it| !matches!(it.kind, "service" | "web")) {
            Some(other) if other.behind.is_empty() || chance.percent(50) => other.arn.to_owned(),
            Some(other) => other.behind.to_owned(),
            None => root(OWNER),
        },
    }
}
