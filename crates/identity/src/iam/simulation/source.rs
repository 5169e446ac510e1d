//! A policy that takes part in a simulation, and where its statements stand.

use super::invalid;
use crate::iam::Error;
use policy::PolicyKind;
use policy::engine::{Attached, Grammar, Policy, Position};
use service::Held;

/// A policy that takes part.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// How results call it: `PolicyInputList.1`, `role_app_inline`, `AdministratorAccess`.
    pub(crate) id: String,
    /// Where it counts as attached.
    pub(crate) kind: PolicyKind,
    pub(crate) policy: Policy,
    /// Where each statement begins and ends.
    pub(crate) places: Vec<(Position, Position)>,
    /// Its length in bytes.
    pub(crate) size: usize,
    /// What the engine calls it: unlike `id`, no other source is called so.
    key: String,
}

impl Source {
    /// The policy `text` of the kind `grammar`, which results call `id`.
    ///
    /// # Errors
    ///
    /// `InvalidInput`, in the words in which IAM refuses to keep such a policy.
    pub(crate) fn read(id: String, text: &str, grammar: Grammar) -> Result<Self, Error> {
        let policy = Policy::compile(text, grammar).map_err(|it| invalid(it.to_string()))?;
        let kind = match grammar {
            Grammar::Boundary => PolicyKind::PermissionsBoundary,
            Grammar::Key | Grammar::Resource => PolicyKind::Resource,
            Grammar::ServiceControl => PolicyKind::ServiceControl,
            Grammar::Trust => PolicyKind::RoleTrust,
            _ => PolicyKind::Identity,
        };
        let places = places(text, &policy);
        Ok(Self { id, kind, places, size: text.len(), policy, key: String::new() })
    }

    /// A service control policy that is in force. Results never point at its statements.
    pub(crate) fn in_force(held: &Held) -> Self {
        let policy = Policy::clone(&held.policy);
        let places: Vec<_> =
            policy.statements().iter().map(|it| (it.span().start, it.span().end)).collect();
        let size = policy.statements().iter().map(|it| it.text().len()).sum();
        let kind = PolicyKind::ServiceControl;
        Self { id: held.id.to_string(), kind, places, size, policy, key: String::new() }
    }

    /// The same, as the number `number` of a simulation.
    pub(crate) fn numbered(self, number: usize) -> Self {
        Self { key: number.to_string(), ..self }
    }

    pub(crate) fn attached(&self) -> Attached<'_> {
        Attached { id: &self.key, policy: &self.policy }
    }

    /// Whether the engine's `key` means it.
    pub(crate) fn is(&self, key: &str) -> bool {
        self.key == key
    }

    /// The kind of policy, as results call it.
    pub(crate) fn type_name(&self) -> &'static str {
        type_name(self.kind)
    }
}

/// Source: recorded answers; the model's enumeration has none of these words.
pub(crate) fn type_name(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::PermissionsBoundary => "Permissions Boundary Policy",
        PolicyKind::Resource | PolicyKind::RoleTrust => "Resource Policy",
        _ => "IAM Policy",
    }
}

/// A statement begins behind what the reader of IAM has read before it: the `[`, the statement before, or its
/// own `{` where it is the only one and in no list. It ends behind its `}`. Observed.
fn places(text: &str, policy: &Policy) -> Vec<(Position, Position)> {
    let mut before = None;
    let place = |it: &policy::engine::Statement| {
        let span = it.span();
        let start = before.unwrap_or_else(|| first(text, span.bytes.0, span.start));
        before = Some(span.end);
        (start, span.end)
    };
    policy.statements().iter().map(place).collect()
}

fn first(text: &str, offset: usize, at: Position) -> Position {
    let head = text.get(..offset).unwrap_or_default().trim_end();
    if !head.ends_with('[') {
        return Position { column: at.column + 1, ..at };
    }
    let line = head.matches('\n').count() + 1;
    let column = head.chars().rev().take_while(|it| *it != '\n').count() + 1;
    Position { line, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, usize, usize, usize)> {
        let source = Source::read("p".to_owned(), text, Grammar::Identity).expect("a policy");
        let flat = |(from, to): &(Position, Position)| (from.line, from.column, to.line, to.column);
        source.places.iter().map(flat).collect()
    }

    /// Observed, each: `AdministratorAccess` and `AmazonS3ReadOnlyAccess` as AWS spells them, and what people
    /// got for documents on one line.
    #[test]
    fn where_statements_stand() {
        let statement = r#"{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}"#;
        let alone = format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#);
        assert_eq!(found(&alone), [(1, 38, 1, 167)]);
        let spaced = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
        assert_eq!(found(spaced), [(1, 41, 1, 92)]);
        let lines = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": \"*\",\n      \"Resource\": \"*\"\n    }\n  ]\n}";
        assert_eq!(found(lines), [(3, 17, 8, 6)]);
        assert_eq!(found(&lines.replace("  ", "\t")), [(3, 16, 8, 4)]);
        let two = format!(r#"{{"Version":"2012-10-17","Statement":[{statement},{statement}]}}"#);
        assert_eq!(found(&two), [(1, 38, 1, 168), (1, 168, 1, 299)]);
    }
}
