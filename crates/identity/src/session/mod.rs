//! Sessions: temporary credentials that no row remembers.
//!
//! ```text
//! partition key     of the store                       kms
//!  └─ root key        one a week                         root.rs
//!      ├─ token         claims, sealed, with the client    token.rs
//!      └─ secret        derived from the token             secret.rs
//! ```
//!
//! Read [`Claims`] first (what is known of a session), then [`issue`] and [`open`] (how it goes out as
//! credentials and comes back with a request), then [`rotate`] (how root keys come and go).
//!
//! Invariants:
//!
//! - A token opens for the access key id it was issued with, and for no other.
//! - A session has no row: what it may do follows from its claims and from what its principal may do now.
//! - Neither a token nor a secret can be printed, stored or logged.
//!
//! Absent: whether the principal still exists ([`gather`](crate::gather) finds it by its unique id).

mod access;
mod account;
mod claims;
mod credentials;
mod revoke;
mod root;
mod secret;
mod token;

pub use access::{may_call_iam, narrow, stands};
pub use account::account_of;
pub(crate) use claims::last;
pub use claims::{Claims, Principal};
pub use credentials::{Credentials, IssueError, Opened, Rejected, issue, open};
pub use revoke::revoke;
pub use root::{KEPT, RootId, WEEK, rotate};
pub use token::Token;

#[cfg(test)]
pub(crate) mod tests;
