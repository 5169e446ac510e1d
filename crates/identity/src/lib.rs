//! Accounts, users, groups, roles, policies and access keys: who there is, and what they may do.
//!
//! Read [`AccessKey`] first (what a signature is checked against), then [`create_account`] and
//! [`create_access_key`] (how an operator lets somebody in), then [`iam`], [`session`] and [`sts`].
//!
//! Invariants:
//!
//! - A secret access key is shown once, when it is made; the store holds it sealed, bound to its
//!   access key id.
//! - An access key id holds its account's number, so a request finds its account without a lookup.
//! - A key that was made inactive is refused by the next request; what a caller may do is remembered only as
//!   long as nothing about its account has changed.
//! - A user or role is known by its unique id: who gets its name later has nothing of it.
//!
//! Absent: SAML providers.

mod access;
mod access_key;
mod account;
pub mod authorization;
mod aws_managed;
mod credential_report;
mod entities;
mod error;
pub mod iam;
mod last_use;
mod login;
mod mfa;
mod mint;
mod oidc_provider;
pub mod organization;
mod password;
mod sealed;
mod service_use;
pub mod session;
mod settings;
pub mod sts;
mod tags;
mod user;
pub mod who_can;

pub use access::{OfGroup, gather, generation, of_group};
pub use access_key::{
    AccessKey, KeyRow, Status, create_access_key, delete_access_key, find_key, find_row,
    list_access_keys, secret_of, set_status,
};
pub use account::{Account, create_account, list_accounts};
pub use entities::Generation;
pub use error::Error;
pub use last_use::{LastUse, USE_PERIOD, note_use, used_by};
pub use oidc_provider::set_provider_keys;
pub use service_use::{note_service_use, principal_of};
pub use user::User;
