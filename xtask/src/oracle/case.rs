//! One case: who asks for what in which circumstances, and all policies that speak about it.

use super::chance::Chance;
use super::statement::{Kind, Scene, policy, simple};
use super::words::{ACTIONS, CALLERS, CONDITION_KEYS, Caller, Key, OF_WEB, ROLES, TURNS};
use serde_json::{Map, Value, json};

/// Case `number` of the run that began with `seed`.
pub(super) fn case(seed: u64, number: u64) -> Value {
    let mut chance = Chance::new(seed, number);
    let caller = chance.one(CALLERS).copied();
    let turn = chance.one(TURNS).and_then(|it| ACTIONS.get(*it));
    let (Some(caller), Some((actions, resources))) = (caller, turn) else { return Value::Null };
    let (action, resource) = match caller.kind {
        "web" => (OF_WEB, chance.one(ROLES).copied()),
        _ => (chance.word(actions), chance.one(resources).copied()),
    };
    let context = context(&mut chance, action);
    let scene = Scene { caller, action, resource, context };
    let mut case = asked(&scene);
    if chance.percent(50) && !matches!(caller.kind, "service" | "web") {
        attach_one(&mut chance, &scene, &mut case);
    } else {
        attach(&mut chance, &scene, &mut case);
    }
    Value::Object(case)
}

/// The request itself.
fn asked(scene: &Scene) -> Map<String, Value> {
    let Caller { kind, account, arn, id, behind } = scene.caller;
    let owner = match scene.resource {
        Some(_) => super::words::OWNER,
        None => account,
    };
    let mut caller = Map::new();
    for (name, value) in [("kind", kind), ("account", account), ("arn", arn), ("id", id)] {
        caller.insert(name.to_owned(), value.into());
    }
    match kind {
        "role" => drop(caller.insert("role".to_owned(), behind.into())),
        "federated" => drop(caller.insert("user".to_owned(), behind.into())),
        _ => {}
    }
    let mut case = Map::new();
    case.insert("caller".to_owned(), caller.into());
    case.insert("action".to_owned(), scene.action.into());
    case.insert("resource".to_owned(), scene.resource.into());
    case.insert("resource_account".to_owned(), owner.into());
    case.insert("context".to_owned(), scene.context.clone().into());
    case
}

/// What the request tells: about half of what it could.
fn context(chance: &mut Chance, action: &str) -> Map<String, Value> {
    let mut context = Map::new();
    for key in CONDITION_KEYS.iter().filter(|it| it.told && fits(it, action)) {
        if !chance.percent(55) {
            continue;
        }
        let value = if key.many { several(chance, key) } else { chance.word(key.values).into() };
        context.insert(key.name.to_owned(), value);
    }
    context
}

/// Whether a request for `action` can have `key`.
pub(super) fn fits(key: &Key, action: &str) -> bool {
    key.actions.is_empty() || key.actions.contains(&action)
}

/// Some of the key's values, each at most once; rarely none.
fn several(chance: &mut Chance, key: &Key) -> Value {
    let mut some: Vec<_> = key.values.iter().filter(|_| chance.percent(50)).copied().collect();
    if some.is_empty() && chance.percent(95) {
        some.push(chance.word(key.values));
    }
    json!(some)
}

/// One policy that decides alone: it denies, or it is the only one of its account that allows.
fn attach_one(chance: &mut Chance, scene: &Scene, case: &mut Map<String, Value>) {
    let caller = scene.caller;
    let everything = json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]);
    let everything = json!({"Version": "2012-10-17", "Statement": everything});
    if caller.kind == "root" || chance.percent(40) {
        let policy = simple(chance, scene, "Deny");
        add(case, "service_control", json!([[policy, everything]]));
    } else {
        add(case, "identity", json!([simple(chance, scene, "Allow")]));
    }
    if caller.kind == "federated" {
        add(case, "session", everything);
    }
    if let Some(resource) = scene.resource {
        open_door(resource, caller.account, case);
    }
}

/// Leaves `resource` to the policies of `account`, if it isn't without a policy of its own.
fn open_door(resource: &str, account: &str, case: &mut Map<String, Value>) {
    let who = json!({"AWS": account});
    let is_role = resource.contains(":role/");
    let statement = if is_role {
        json!({"Effect": "Allow", "Principal": who, "Action": "sts:*"})
    } else {
        json!({"Effect": "Allow", "Principal": who, "Action": "*", "Resource": "*"})
    };
    if is_role || resource.contains(":key/") || account != super::words::OWNER {
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
        add(case, "resource_policy", policy);
    }
}

/// The policies of each kind that can concern the caller, some of the time.
fn attach(chance: &mut Chance, scene: &Scene, case: &mut Map<String, Value>) {
    let (caller, action) = (scene.caller, scene.action);
    if !matches!(caller.kind, "root" | "service" | "web") {
        add(case, "identity", list(chance, scene, Kind::Identity, &[0, 1, 1, 2]));
        if chance.percent(25) {
            add(case, "boundary", policy(chance, scene, Kind::Boundary));
        }
    }
    let session = match caller.kind {
        "federated" => 97,
        "role" => 35,
        _ => 0,
    };
    if chance.percent(session) {
        add(case, "session", policy(chance, scene, Kind::Session));
    }
    if let Some(resource) = scene.resource {
        let (kind, often) = match resource {
            _ if resource.contains(":key/") => (Kind::Key, 96),
            _ if resource.contains(":role/") => (Kind::Trust, 100),
            _ if resource.contains(":alias/") => (Kind::Resource, 0),
            _ => (Kind::Resource, 65),
        };
        if chance.percent(often) {
            add(case, "resource_policy", policy(chance, scene, kind));
        }
    }
    if !matches!(caller.kind, "service" | "web") && chance.percent(20) {
        let mut levels = vec![list(chance, scene, Kind::ServiceControl, &[1, 2])];
        if chance.percent(40) {
            levels.push(list(chance, scene, Kind::ServiceControl, &[0, 1, 1]));
        }
        add(case, "service_control", levels.into());
    }
    // They cover no more than these two services of ours, and roles.
    if scene.resource.is_some() && !action.ends_with("Alias") && chance.percent(15) {
        add(case, "resource_control", list(chance, scene, Kind::ResourceControl, &[1, 1, 2]));
    }
    if chance.percent(10) {
        add(case, "endpoint", policy(chance, scene, Kind::Endpoint));
    }
}

fn add(case: &mut Map<String, Value>, name: &str, value: Value) {
    case.insert(name.to_owned(), value);
}

/// As many policies as one of `counts` says.
fn list(chance: &mut Chance, scene: &Scene, kind: Kind, counts: &[usize]) -> Value {
    let count = chance.one(counts).copied().unwrap_or_default();
    (0..count).map(|_| policy(chance, scene, kind)).collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_case() {
        assert_eq!(case(1, 7), case(1, 7));
        assert_ne!(case(1, 7), case(1, 8));
    }
}
