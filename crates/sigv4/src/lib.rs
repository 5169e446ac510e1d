//! AWS Signature Version 4: who signed this request, and is it the request they signed.
//!
//! The check is a line of four values, each made only by the step before it, so that no caller
//! can forget a step or change the order that AWS answers in:
//!
//! 1. [`Presented::parse`]: what the request claims; everything that should be there is there.
//! 2. [`Presented::check_window`] → [`Current`]: the request was signed just now.
//! 3. [`Current::check_scope`] → [`Scoped`]: it was signed for this service, Region and day.
//! 4. [`Scoped::verify`] → [`Verified`]: the holder of the key signed exactly these bytes.
//!
//! Read [`Presented`] first, then `canonical` (the bytes that are signed), then
//! [`Rejection`] (every reason to say no, and its two forms on the wire). [`Signer`] is the other
//! side of the wire, for clients of ours and for tests.
//!
//! ```
//! # use base::{Sensitive, Timestamp};
//! # use strongroom_sigv4::{Presented, Rejection, Request, SigningKey, Verified};
//! # fn find_secret(_: &str) -> Option<Sensitive> { None }
//! fn authenticate(request: &Request<'_>, now: Timestamp) -> Result<Verified, Rejection> {
//!     let scoped = Presented::parse(request)?
//!         .check_window(now, 5)?
//!         .check_scope(&["secretsmanager"], |region| region == "eu-west-1")?;
//!     match find_secret(scoped.access_key_id()) {
//!         Some(secret) => {
//!             let (date, region, service) = (scoped.date(), scoped.region(), scoped.service());
//!             scoped.verify(&SigningKey::derive(&secret, date, region, service))
//!         }
//!         None => Err(scoped.reject_unknown_key()),
//!     }
//! }
//! ```
//!
//! [`Presented::parse_certificate`] and [`Scoped::verify_certificate`] are the two ends of the same line
//! for requests that the key of an X.509 certificate has signed, as IAM Roles Anywhere takes them.
//!
//! Invariants:
//!
//! - Nothing here reads a clock, finds a key or knows an account: the caller hands in `now`, the
//!   valid Regions and the [`SigningKey`].
//! - An accepted request is accepted for exactly one reading: an unsigned `x-amz-target`, a body
//!   that is not the signed one or a list of headers out of order are refused.
//! - No error, `Debug` output or message holds a key or a session token.
//!
//! Absent: SigV4a, chunked payloads, `UNSIGNED-PAYLOAD`, S3's path rules. None of the services
//! here uses them; all are refused.
//!
//! Source: IAM User Guide, "AWS Signature Version 4 for API requests".

mod canonical;
mod certificate;
mod check;
mod claim;
mod hex;
mod instant;
mod key;
mod parameter;
mod presented;
mod rejection;
mod request;
mod sign;
mod verify;

pub use check::{Current, Scoped};
pub use key::SigningKey;
pub use presented::Presented;
pub use rejection::{Answer, EscapeFault, Rejection, ScopeFault, Skew};
pub use request::{Request, body_hash};
pub use sign::{Credentials, Signer};
pub use verify::Verified;

/// The only algorithm spoken here, as it stands on the wire.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The last element of every credential scope.
const TERMINATOR: &str = "aws4_request";
