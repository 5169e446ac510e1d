//! The walls around a function: which the host can build, and how.
//!
//! [`plan`] says what a function sees, [`init`] is its first process, which builds the walls from inside:
//! [`furnish`] the root folder, [`fence`] Landlock, [`filter`] refused system calls, [`privileges`] what
//! is left of them. [`probe`] finds out what this host can do.

mod fence;
mod filter;
mod furnish;
mod init;
pub(crate) mod plan;
mod privileges;
mod probe;

pub use init::function_init;
pub(crate) use init::{BY_SIGNAL, are_more_below, descendants};
pub use plan::Level;
pub use probe::{Ground, choose};
pub(crate) use probe::{Trial, launch, not_started};
