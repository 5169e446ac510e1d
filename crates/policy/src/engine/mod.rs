//! The policy engine: may this caller do this, with these policies?
//!
//! Read [`decide`] first (in which order policies speak), then [`Policy`] (one policy, ready to be
//! asked) and `check.rs` (the condition operators). [`pin()`] keeps principals who they were;
//! [`explain`] says why, with the same matching code.
//!
//! Invariants:
//!
//! - A policy is taken apart when it is compiled; deciding parses none of it again, and allocates
//!   only where a variable stands or a context value must be made.
//! - Matching takes time in proportion to pattern times text at most, whatever they are.
//! - Text that comes from a request or a tag is never read as a pattern.
//!
//! Absent: gathering the policies that concern a caller, and the values of condition keys; both
//! are handed in.

mod actions;
mod arns;
mod caller;
mod check;
mod compile;
mod context;
mod decide;
mod explain;
mod glob;
mod grammar;
mod malformed;
mod pin;
mod policy;
mod quantity;
mod request;
mod template;
mod who;

pub use caller::{Caller, CallerKind};
pub use check::is_comparable;
pub use context::{Context, MapContext, Values};
pub use decide::{Attached, Decision, Door, Mark, Policies, decide, is_resource_controlled};
pub use explain::{ConditionFinding, Explanation, StatementFinding, explain, explain_open};
pub use grammar::Grammar;
pub use malformed::{Malformed, Problem};
pub use pin::{Absent, Pins, Resolver, entities, pin, render};
pub use policy::{Policy, Position, Span, Statement};
pub use request::Request;

use request::Asked;

#[cfg(test)]
mod tests;
