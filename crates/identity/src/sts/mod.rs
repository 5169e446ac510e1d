//! The Security Token Service, over the Query protocol: who one is, and becoming somebody else for a while.
//!
//! Read [`assume_role`] first (whom a role trusts), then any other operation; sessions themselves are
//! [`crate::session`]'s.
//!
//! Absent: SAML.
//!
//! Source: AWS STS API Reference, version 2011-06-15.

mod answer;
pub mod assume_role;
pub mod assume_role_with_web_identity;
mod bars;
mod begin;
pub mod decode_authorization_message;
mod error;
pub mod get_access_key_info;
pub mod get_caller_identity;
pub mod get_federation_token;
pub mod get_session_token;
mod limits;
mod second_factor;
pub mod service_role;
mod session_policy;
mod tags;
mod trust;
pub mod vouched;
mod web_identity;

pub use answer::{AssumedRoleUser, FederatedUser, TemporaryCredentials};
pub use error::Error;
pub use session_policy::PolicyDescriptor;
pub use tags::Tag;
pub use web_identity::{Applicant, Known};

use service::{Reply, Row};
use wire::{query, query_error};

/// How the service is spoken to.
pub const SERVICE: query::Service = query::Service { namespace: NAMESPACE, version: VERSION };
/// The namespace of every answer.
pub const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// The API's version, the `Version` of every request.
pub const VERSION: &str = "2011-06-15";

/// Every operation by its name on the wire, in alphabetical order.
pub const OPERATIONS: &[Row] = &[
    Row::query::<assume_role::AssumeRole>(&SERVICE),
    Row::query::<assume_role_with_web_identity::AssumeRoleWithWebIdentity>(&SERVICE),
    Row::query::<decode_authorization_message::DecodeAuthorizationMessage>(&SERVICE),
    Row::query::<get_access_key_info::GetAccessKeyInfo>(&SERVICE),
    Row::query::<get_caller_identity::GetCallerIdentity>(&SERVICE),
    Row::query::<get_federation_token::GetFederationToken>(&SERVICE),
    Row::query::<get_session_token::GetSessionToken>(&SERVICE),
];

/// The service's name in audit records.
const SOURCE: &str = "sts.amazonaws.com";

/// The error `code` as the Query protocol tells it.
pub fn fault(code: &'static str, status: u16, message: &str, request_id: &str) -> Reply {
    let body = query_error(NAMESPACE, code, status, message, request_id);
    Reply { error: Some(code), ..Reply::success(status, body) }
}

#[cfg(test)]
mod tests;
