//! A message as AWS tells it.

use super::{Considered, Message, Verdict};
use serde_json::{Value, json};

impl Message {
    /// The JSON of a `DecodedMessage`. What was left out is told in a member of our own, so that nobody
    /// takes a part for the whole.
    ///
    /// Source: STS API Reference, "DecodeAuthorizationMessage"; members as in the AWS CLI's examples.
    pub fn decoded(&self) -> Value {
        let applying = self.statements.iter().filter(|it| it.applies());
        let matched: Vec<_> = applying.map(|it| self.matched(it)).collect();
        let principal = &self.principal;
        let mut who = json!({ "id": principal.id, "arn": principal.arn });
        if let (Some(name), Value::Object(members)) = (&principal.name, &mut who) {
            members.insert("name".to_owned(), json!(name));
        }
        let conditions = self.conditions.iter().map(|(key, values)| pair(key, values));
        let mut decoded = json!({
            "allowed": self.verdict == Verdict::Allowed,
            "explicitDeny": self.verdict == Verdict::ExplicitDeny,
            "matchedStatements": { "items": matched },
            "failures": { "items": [] },
            "context": {
                "principal": who,
                "action": self.action,
                "resource": self.resource.as_deref().unwrap_or("*"),
                "conditions": { "items": conditions.collect::<Vec<_>>() },
            },
        });
        if let (false, Value::Object(members)) = (self.left_out.is_nothing(), &mut decoded) {
            let left = self.left_out;
            let told = json!({
                "policies": left.policies,
                "statements": left.statements,
                "statementTexts": left.texts,
                "conditions": left.conditions,
                "values": left.values,
            });
            members.insert("truncated".to_owned(), told);
        }
        decoded
    }

    fn matched(&self, statement: &Considered) -> Value {
        let text: Value = serde_json::from_str(&statement.text).unwrap_or_default();
        let listed = |names: [&str; 2]| {
            let found = names.into_iter().find_map(|it| text.get(it));
            items(found.map(texts).unwrap_or_default())
        };
        let conditions = statement.conditions.iter().map(|it| pair(&it.key, &it.expected));
        json!({
            "statementId": statement.sid.as_deref().unwrap_or_default(),
            "effect": if statement.denies { "DENY" } else { "ALLOW" },
            "principals": items(vec![self.principal.id.clone()]),
            "principalGroups": items(Vec::new()),
            "actions": listed(["Action", "NotAction"]),
            "resources": listed(["Resource", "NotResource"]),
            "conditions": { "items": conditions.collect::<Vec<_>>() },
        })
    }
}

/// One text, or a list of them.
fn texts(value: &Value) -> Vec<String> {
    let text = |it: &Value| it.as_str().map(str::to_owned);
    match value {
        Value::Array(list) => list.iter().filter_map(text).collect(),
        other => text(other).into_iter().collect(),
    }
}

fn pair(key: &str, values: &[String]) -> Value {
    json!({ "key": key, "values": items(values.to_vec()) })
}

fn items(values: Vec<String>) -> Value {
    let values: Vec<_> = values.into_iter().map(|it| json!({ "value": it })).collect();
    json!({ "items": values })
}
