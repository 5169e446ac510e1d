//! A change, in words.

use super::{Change, Considered, Message, Side};
use crate::PolicyKind;
use serde::Serialize;
use serde_json::Value;

/// What somebody has to do.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Advice {
    /// In words.
    pub text: String,
    /// Whose account can do it.
    pub account: String,
    /// The statement as it has to stand, if there is one.
    pub statement: Option<Value>,
}

impl Message {
    /// All that has to be done, at the least, for the request to be allowed.
    pub fn advice(&self) -> Vec<Advice> {
        let own: Vec<_> = self.changes.iter().map(|it| self.advise(it)).collect();
        let theirs = self.side == Side::Caller && !self.changes.iter().any(is_of_resource);
        let other = theirs.then(|| self.both_sides());
        own.into_iter().chain(other).collect()
    }

    fn advise(&self, change: &Change) -> Advice {
        let holder = self.principal.arn.split(':').nth(4).unwrap_or_default();
        let account = if is_of_resource(change) { self.owner.as_str() } else { holder };
        if self.side == Side::Caller && is_of_resource(change) {
            return self.both_sides();
        }
        let statement = self.statement_for(change);
        let text = match &change.denial {
            Some((policy, index)) => self.exception((change, policy, *index), statement.is_some()),
            None => match self.unmet(change.kind) {
                // What asks for a second factor isn't to be answered by asking for none.
                Some(unmet) => format!("{unmet}; or else {}", self.addition(change)),
                None => self.addition(change),
            },
        };
        Advice { text, account: account.to_owned(), statement }
    }

    fn both_sides(&self) -> Advice {
        let text = format!(
            "account {} owns the resource and must allow it too, in the resource's own policy: across \
             accounts both sides must, and neither can do it alone",
            self.owner
        );
        let missing = Change { kind: PolicyKind::Resource, denial: None, beside: Vec::new() };
        let statement = self.statement_for(&missing);
        Advice { text, account: self.owner.to_string(), statement }
    }

    /// What the request lacks for a statement that would allow it but for its conditions.
    fn unmet(&self, kind: PolicyKind) -> Option<String> {
        let fits = |it: &&Considered| {
            let asks_for_nobody = matches!(kind, PolicyKind::Identity | PolicyKind::Session);
            let fits = it.kind == kind && !it.denies && it.resource;
            fits && (it.principal || asks_for_nobody) && it.conditions.iter().any(|it| !it.holds)
        };
        let near = self.statements.iter().find(fits)?;
        let unmet = near.conditions.iter().filter(|it| !it.holds);
        let mut keys: Vec<_> = unmet.map(|it| it.key.as_str()).collect();
        keys.dedup();
        let (keys, place) = (keys.join(", "), near.place());
        let (policy, kind) = (&near.policy, kind.name());
        Some(format!("the request must meet what {place} of the {kind} `{policy}` asks of {keys}"))
    }

    fn addition(&self, change: &Change) -> String {
        let who = &self.principal.named;
        let resource = self.resource.as_deref().unwrap_or("*");
        let boundary = || {
            let set = self.policies.iter().find(|it| it.kind == PolicyKind::PermissionsBoundary);
            set.map(|it| it.name.as_str()).unwrap_or_default()
        };
        match change.kind {
            PolicyKind::Identity => format!("add this statement to an identity policy of {who}"),
            PolicyKind::PermissionsBoundary => format!(
                "the permissions boundary {} of {who} must let it through: add this statement",
                boundary()
            ),
            PolicyKind::Session => {
                "the session was begun with a policy that doesn't let it through; begin \
                 another with this statement in its policy, or with none"
                    .to_owned()
            }
            PolicyKind::Resource if self.action.starts_with("kms:") => {
                format!("the key policy of {resource} must name {who}: add this statement")
            }
            PolicyKind::Resource => {
                format!("the resource policy of {resource} must name {who}: add this statement")
            }
            PolicyKind::RoleTrust => {
                format!("the trust policy of {resource} must name {who}: add this statement")
            }
            PolicyKind::ServiceControl if !change.beside.is_empty() => format!(
                "a service control policy must let it through beside `{}`: add this statement",
                change.beside.join("`, `")
            ),
            kind @ (PolicyKind::Endpoint
            | PolicyKind::ResourceControl
            | PolicyKind::ServiceControl) => {
                format!("a {} must let it through: add this statement", kind.name())
            }
        }
    }

    fn exception(&self, (change, policy, index): (&Change, &str, usize), whole: bool) -> String {
        let found = self
            .statements
            .iter()
            .find(|it| it.kind == change.kind && it.policy == policy && it.index == index);
        let place = found.map_or_else(|| format!("statement {}", index + 1), Considered::place);
        let conditions = found.map(|it| it.conditions.as_slice()).unwrap_or_default();
        let held: Vec<_> =
            conditions.iter().filter(|it| it.holds).map(|it| it.key.as_str()).collect();
        let otherwise = match held.as_slice() {
            [] => String::new(),
            keys => format!(", or the request must have another {}", keys.join(", ")),
        };
        let end = if whole { ": write it like this" } else { "" };
        let except = if self.resource.is_some() { "this" } else { "this caller" };
        format!(
            "the Deny in {} `{policy}`, {place}, would have to except {except}{otherwise}{end}",
            change.kind.name()
        )
    }
}

impl Considered {
    /// ``statement `Sid` (line 3)``.
    pub fn place(&self) -> String {
        match &self.sid {
            Some(sid) if !sid.is_empty() => format!("statement `{sid}` (line {})", self.line),
            _ => format!("statement {} (line {})", self.index + 1, self.line),
        }
    }
}

fn is_of_resource(change: &Change) -> bool {
    super::build::is_owners(change.kind)
}
