//! IAM Roles Anywhere: sessions of roles for holders of X.509 certificates.
//!
//! Read [`Certificate`] first (what a certificate says of its holder), then [`trust`] (whom an account's
//! trust anchors believe), then [`operations::create_session`]. All else is administration.
//!
//! Invariants:
//!
//! - A certificate counts for something only after its chain has been built to a trust anchor of the
//!   account that is asked, valid at the instant of the request, and only for who holds its key: the
//!   door has checked the signature before there is a call.
//! - A stranger whose certificate leads nowhere learns nothing of anchors, profiles or roles.
//! - A profile and a role serve the account of the trust anchor, never another one.
//!
//! Absent: AWS Private CA as a source, revocation lists fetched from distribution points, notifications,
//! alias names, required instance properties. What asks for one of them is refused.
//!
//! Source: IAM Roles Anywhere API Reference, version 2018-05-10, and User Guide.

mod attributes;
mod bundle;
mod certificate;
mod chain;
mod error;
mod given;
mod issued;
mod kept;
mod limits;
pub mod operations;
mod rows;
mod subject;
mod tags;
pub mod trust;

pub use bundle::{authorities, revocations};
pub use certificate::{Certificate, Unfit};
pub use error::Error;
pub use operations::OPERATIONS;

/// The service's host name: the principal that roles trust, and the `eventSource` of its records.
pub const HOST: &str = "rolesanywhere.amazonaws.com";
