//! Functions: what the rotation engine and Lambda's Invoke have them do, and the processes they run in.

mod host;
mod natives;
mod trust;

pub(crate) use host::{FunctionHost, Logged, RoleCredentials, State};
pub(crate) use natives::{Engines, Named};
pub(crate) use trust::{pinned, with_system};
