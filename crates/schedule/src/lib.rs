//! When a secret rotates: from what a client wrote to the next window and the moment in it.
//!
//! Read [`Rules`] first (a number of days, or an expression), then [`Window`] (from when to when,
//! and when in it). `cron/` holds AWS's dialect, which differs from every ready-made one.
//!
//! Invariants:
//!
//! - [`Rules`] that exist have windows: no expression that never fires, no window that is empty,
//!   passes the end of its UTC day or reaches into the next one.
//! - The next window opens after the rule was stored and after the last rotation.
//! - No text makes this crate panic, and no search for a window is unbounded.
//!
//! Absent: the clock, chance and the store. All is UTC; there are no time zones.
//!
//! Source: Secrets Manager User Guide, "Schedule expressions in Secrets Manager rotation"; API
//! Reference, "RotationRulesType". Where they are silent, the choice is named where it is made.

mod cron;
mod expression;
mod hours;
mod invalid;
mod rules;
mod set;
mod utc;
mod window;

pub use expression::Expression;
pub use hours::Hours;
pub use invalid::Invalid;
pub use rules::{Base, Rules};
pub use window::Window;

#[cfg(test)]
mod tests;
