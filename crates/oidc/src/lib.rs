//! OpenID Connect issuers.

mod issuer;

pub use issuer::{Issuer, NoIssuer};
