//! Conditions for a case: every operator, with values that hit and values that miss.

use super::chance::Chance;
use super::statement::Scene;
use super::words::{CONDITION_KEYS, Key, Type, VARIABLES};
use serde_json::{Map, Value};

const TYPES: &[Type] =
    &[Type::Arn, Type::Binary, Type::Bool, Type::Date, Type::Ip, Type::Number, Type::Text];

/// One condition to `most`.
pub(super) fn conditions(chance: &mut Chance, scene: &Scene, most: usize) -> Value {
    let mut block: Map<String, Value> = Map::new();
    for _ in 0..=chance.below(most) {
        let keys = scene.keys();
        // A key that requests for this action never have is absent like any other.
        let key = if chance.percent(95) {
            chance.one(&keys).copied()
        } else {
            chance.one(CONDITION_KEYS)
        };
        let Some(key) = key else { continue };
        let operator = operator(chance, key);
        let values = values(chance, scene, key, &operator);
        let name = spelled(chance, key.name);
        let keys = block.entry(operator).or_insert_with(|| Map::new().into());
        if let Some(keys) = keys.as_object_mut()
            && !keys.keys().any(|it| it.eq_ignore_ascii_case(&name))
        {
            keys.insert(name, values);
        }
    }
    block.into()
}

/// Names of keys have no case.
fn spelled(chance: &mut Chance, name: &str) -> String {
    match chance.below(12) {
        0 => name.to_lowercase(),
        1 => name.to_uppercase(),
        _ => name.to_owned(),
    }
}

fn operator(chance: &mut Chance, key: &Key) -> String {
    if chance.percent(7) {
        return "Null".to_owned();
    }
    let of = match chance.below(100) {
        0..=3 => chance.one(TYPES).copied().unwrap_or(key.of),
        4..=11 => Type::Text,
        _ => key.of,
    };
    let base = chance.word(of.operators());
    let quantifier = if chance.percent(if key.many { 85 } else { 6 }) {
        chance.word(&["ForAllValues:", "ForAnyValue:"])
    } else {
        ""
    };
    let suffix = if chance.percent(15) { "IfExists" } else { "" };
    format!("{quantifier}{base}{suffix}")
}

/// One to three values of a policy; often one that the request has.
fn values(chance: &mut Chance, scene: &Scene, key: &Key, operator: &str) -> Value {
    if operator == "Null" {
        return chance.word(&["true", "false"]).into();
    }
    let open = ["String", "Arn", "Bool"].iter().any(|it| operator.contains(it));
    let count = chance.one(&[1, 1, 1, 2, 3]).copied().unwrap_or(1);
    let mut made: Vec<String> = Vec::new();
    for _ in 0..count {
        let value = match chance.below(10) {
            0..=3 => had(chance, scene, key).unwrap_or_else(|| other(chance, key)),
            4 if open => chance.word(VARIABLES).to_owned(),
            _ => other(chance, key),
        };
        if !made.contains(&value) {
            made.push(value);
        }
    }
    match made.as_slice() {
        [one] if chance.percent(60) => scalar(chance, one),
        _ => made.into(),
    }
}

/// A value that the request has for `key`.
fn had(chance: &mut Chance, scene: &Scene, key: &Key) -> Option<String> {
    match scene.context.get(key.name)? {
        Value::Array(values) => chance.one(values)?.as_str().map(str::to_owned),
        value => value.as_str().map(str::to_owned),
    }
}

fn other(chance: &mut Chance, key: &Key) -> String {
    chance.word(&[key.values, key.patterns].concat()).to_owned()
}

/// Truth values and numbers may stand without quotes.
fn scalar(chance: &mut Chance, text: &str) -> Value {
    let bare = chance.percent(20).then(|| serde_json::from_str(text).ok()).flatten();
    bare.filter(|it: &Value| it.is_boolean() || it.is_i64()).unwrap_or_else(|| text.into())
}
