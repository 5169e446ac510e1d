//! Functions: what the rotation engine and Lambda's Invoke have them do, and the processes they run in.

mod host;
mod natives;
mod remote;
mod trust;

pub(crate) use host::{FunctionHost, Logged, RoleCredentials, State};
pub(crate) use natives::{Engines, Named};
pub use remote::RemoteError;
pub(crate) use remote::Remotes;
pub(crate) use trust::{pinned, with_system};
