//! Authorization messages: why a request was denied, small enough to be handed around sealed.
//!
//! Read [`Message`] first (what is kept of a decision), then [`Message::of`] (how it is made), then
//! [`Change`] (the smallest changes that would allow it). [`Message::decoded`] is the form in which AWS
//! tells it.
//!
//! Invariants:
//!
//! - A message in bytes is never longer than [`Message::MAX_LEN`]; what was left out is counted.
//! - A message for one side of two accounts tells nothing of the other side's policies and resources.
//!
//! Absent: sealing, and who may read a message.

mod advice;
mod build;
mod decoded;
mod fit;
mod recorder;
mod words;

pub use advice::Change;
pub use build::Asker;
pub use words::Advice;

use crate::PolicyKind;
use base::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};

/// A denial with all that led to it, or the decision on a request that was asked again.
///
/// Names are short because a message has to be. A member that this program doesn't know makes it invalid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// The request's id.
    #[serde(rename = "r")]
    pub request_id: String,
    /// When it was decided.
    #[serde(rename = "t")]
    pub at: Timestamp,
    /// Who asked.
    #[serde(rename = "w")]
    pub principal: Principal,
    /// `service:Name`.
    #[serde(rename = "a")]
    pub action: String,
    /// The resource as the reader may know it, if the action has one.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The account that owns the resource.
    #[serde(rename = "n")]
    pub owner: AccountId,
    /// Whose policies it tells of.
    #[serde(rename = "s")]
    pub side: Side,
    /// What was decided.
    #[serde(rename = "v")]
    pub verdict: Verdict,
    /// The kind of policy that denies, or that doesn't allow; `None` if that is the other side's.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PolicyKind>,
    /// Every policy that was asked.
    #[serde(rename = "p", default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Consulted>,
    /// The statements about the action: first the one that decided, then those that nearly apply.
    #[serde(rename = "m", default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<Considered>,
    /// Condition keys with their values, by name.
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<(String, Vec<String>)>,
    /// All that has to change, at the least, for it to be allowed.
    #[serde(rename = "g", default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// What didn't fit.
    #[serde(rename = "l", default, skip_serializing_if = "LeftOut::is_nothing")]
    pub left_out: LeftOut,
}

/// Who asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Principal {
    /// The unique id: `AIDA…`, `AROA…:session`.
    #[serde(rename = "i")]
    pub id: String,
    /// The name of a user.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The ARN, of a session that of the session.
    #[serde(rename = "r")]
    pub arn: String,
    /// What policies name: a session's role, or the same as `arn`.
    #[serde(rename = "p")]
    pub named: String,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It may happen.
    #[serde(rename = "a")]
    Allowed,
    /// A statement denies it.
    #[serde(rename = "e")]
    ExplicitDeny,
    /// Nothing allows it.
    #[serde(rename = "i")]
    ImplicitDeny,
}

/// Whose policies a message tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    /// Everyone's: caller and resource belong to one account.
    #[serde(rename = "w")]
    Both,
    /// Only the caller's own.
    #[serde(rename = "c")]
    Caller,
    /// Only the resource's.
    #[serde(rename = "o")]
    Owner,
}

/// A policy that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consulted {
    /// Where it is attached.
    #[serde(rename = "k")]
    pub kind: PolicyKind,
    /// What it is called.
    #[serde(rename = "n")]
    pub name: String,
    /// How many statements it has.
    #[serde(rename = "s")]
    pub statements: usize,
    /// How many of them are about the action.
    #[serde(rename = "a")]
    pub about: usize,
}

/// A statement about the action, and what of it matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub struct Considered {
    /// Where its policy is attached.
    #[serde(rename = "k")]
    pub kind: PolicyKind,
    /// What its policy is called.
    #[serde(rename = "p")]
    pub policy: String,
    /// Its index in the policy, from 0.
    #[serde(rename = "x")]
    pub index: usize,
    /// Its name, if it has one.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The line in the policy that it begins in, from 1.
    #[serde(rename = "l")]
    pub line: usize,
    /// Whether it denies.
    #[serde(rename = "d", default, skip_serializing_if = "std::ops::Not::not")]
    pub denies: bool,
    /// Whether it is the one that decided.
    #[serde(rename = "b", default, skip_serializing_if = "std::ops::Not::not")]
    pub decided: bool,
    /// Whether it is about the resource.
    #[serde(rename = "o", default, skip_serializing_if = "std::ops::Not::not")]
    pub resource: bool,
    /// Whether it is about the caller.
    #[serde(rename = "w", default, skip_serializing_if = "std::ops::Not::not")]
    pub principal: bool,
    /// Its conditions.
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Compared>,
    /// Its text, without white space that means nothing; empty if it was too long.
    #[serde(rename = "t", default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

/// A condition, and whether it held. The request's values are in [`Message::conditions`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compared {
    /// `ForAnyValue:StringLikeIfExists`.
    #[serde(rename = "o")]
    pub operator: String,
    /// The key, as written.
    #[serde(rename = "k")]
    pub key: String,
    /// The policy's values, as written.
    #[serde(rename = "e", default, skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<String>,
    /// Whether it held.
    #[serde(rename = "h", default, skip_serializing_if = "std::ops::Not::not")]
    pub holds: bool,
}

/// How much didn't fit into a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// Policies.
    #[serde(rename = "p", default, skip_serializing_if = "is_zero")]
    pub policies: usize,
    /// Statements.
    #[serde(rename = "m", default, skip_serializing_if = "is_zero")]
    pub statements: usize,
    /// Texts of statements.
    #[serde(rename = "t", default, skip_serializing_if = "is_zero")]
    pub texts: usize,
    /// Condition keys.
    #[serde(rename = "c", default, skip_serializing_if = "is_zero")]
    pub conditions: usize,
    /// Values, of the request and of conditions.
    #[serde(rename = "v", default, skip_serializing_if = "is_zero")]
    pub values: usize,
}

impl LeftOut {
    /// Whether all is there.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Considered {
    /// Whether all of its conditions held.
    pub fn holds(&self) -> bool {
        self.conditions.iter().all(|it| it.holds)
    }

    /// Whether it applied.
    pub fn applies(&self) -> bool {
        self.resource && self.principal && self.holds()
    }
}

impl Message {
    /// So long a message in bytes may be: sealed and in base64 it has 10,240 characters at the most.
    ///
    /// Source: STS API Reference, "DecodeAuthorizationMessage".
    pub const MAX_LEN: usize = 7_500;

    /// The message in bytes, and what has to be left out of it counted.
    pub fn to_bytes(mut self) -> Vec<u8> {
        self.fit(Self::MAX_LEN)
    }

    /// Reads a message; `None` if it isn't one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if Self::MAX_LEN < bytes.len() {
            return None;
        }
        serde_json::from_slice(bytes).ok()
    }
}

#[cfg(test)]
mod tests;
