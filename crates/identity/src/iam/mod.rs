//! Identity and Access Management, over the Query protocol: users, groups, roles, policies and identity
//! providers of an account.
//!
//! Read [`operations`] first (a file each), then `holder.rs` (what users, groups and roles have in common) and
//! `policies.rs` (managed policies). What is kept is in [`crate::entities`] and [`crate::user`].
//!
//! Invariants:
//!
//! - Who may not ask learns nothing: authorization comes before validation, and validation before existence.
//! - A document that is kept can be compiled; users and roles that a trust policy names are kept by unique id.
//! - Every change of who may do what also changes the account's [`crate::Generation`].
//! - What a policy is attached to stands in two places, with whoever holds it and with `uses.rs`; one
//!   transaction writes both.
//!
//! Absent: SAML providers, server and signing certificates, SSH keys, service-specific credentials, delegation
//! requests, role templates; and a console that would let anybody in by a password.
//!
//! Source: IAM API Reference, version 2010-05-08.

mod accessed;
mod aliases;
pub mod attachments;
mod condition;
pub mod details;
mod devices;
mod documents;
mod error;
mod granting;
pub(crate) mod holder;
mod holders;
mod keys;
mod linked;
pub mod logins;
pub(crate) mod members;
mod names;
pub mod operations;
mod page;
mod policies;
mod profiles;
mod providers;
mod shared_issuers;
pub mod shown;
pub mod simulation;
pub mod tags;
mod uses;

pub use error::Error;
pub use operations::OPERATIONS;

/// How the service is spoken to.
pub const SERVICE: wire::query::Service = wire::query::Service {
    namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
    version: "2010-05-08",
};

/// The service's name in audit records.
const SOURCE: &str = "iam.amazonaws.com";

#[cfg(test)]
mod tests;
