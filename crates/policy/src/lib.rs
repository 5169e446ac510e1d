//! IAM policy documents: their grammar, whom they open a resource to, and the decision.
//!
//! Read [`Document`] first (a resource policy, taken apart and found well-formed), then
//! [`Principal`] (whom a statement speaks about), then [`engine`] (may this caller do this).
//! [`pretty`] is the form in which a stored policy is handed back.
//!
//! Invariants:
//!
//! - A [`Document`] comes from [`Document::parse`] only, so one that exists is well-formed: no
//!   element that this crate would have to skip, no member named twice, no unknown operator.
//! - Whatever isn't allowed is denied.
//! - Depth and length of what is read are bounded; no text makes this crate panic.
//!
//! Absent: whether a user or role exists (the caller asks, with [`Document::principals`] or
//! [`engine::pin()`]).

mod conditions;
mod decision;
mod document;
pub mod engine;
mod invalid;
pub mod message;
mod network;
mod number;
mod pattern;
mod principal;
mod print;
mod public;
mod tree;

pub use conditions::{Comparison, Condition, Operator, Quantifier};
pub use decision::{PolicyKind, Reason, denial_text};
pub use document::{Document, Effect, Selection, Statement, Version};
pub use invalid::{Detail, Invalid};
pub use pattern::{ActionPattern, ResourcePattern};
pub use principal::{Entity, Principal};
pub use print::pretty;
