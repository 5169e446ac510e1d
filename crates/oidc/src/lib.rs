//! Tokens of OpenID Connect issuers: who issues them, what they say, and whether it is true.
//!
//! Read [`Presented`] first (a token nobody has looked into), then [`Checked`] (one that could be right) and
//! [`Verified`] (one that is). Each is made of the one before and of nothing else.
//!
//! Invariants:
//!
//! - A [`Verified`] exists only for a signature that a key of the issuer has made, by an algorithm that the key
//!   is for. Shared secrets and unsigned tokens are refused by their names.
//! - No member counts twice: a token with two of one name, however deep, is refused.
//! - Everything is bounded before it is decoded, and nothing here prints a token.
//!
//! Absent: fetching an issuer's documents, which waits; encrypted tokens.
//!
//! Source: RFC 7515, 7517, 7518, 7519, 8725; OpenID Connect Core 1.0, Discovery 1.0.

mod discovery;
mod identity;
mod issuer;
mod keys;
mod rejection;
mod token;
mod unique;

pub use discovery::keys_address;
pub use identity::{Claim, Identity};
pub use issuer::{Issuer, NoIssuer};
pub use keys::{Keys, NoKeys};
pub use rejection::Rejection;
pub use token::{Checked, Presented, Verified};

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
