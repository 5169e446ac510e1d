//! Words every crate of Strongroom shares.
//!
//! Identifiers ([`AccountId`], [`Region`], [`Arn`]), time ([`Timestamp`], [`Clock`]), chance
//! ([`Entropy`], [`Uuid`]) and bytes that must not leak ([`Sensitive`]).
//!
//! Nothing here knows what a secret is, reads a file or opens a socket. The two system sources,
//! [`SystemClock`] and [`SystemEntropy`], are made once, by the binary, and handed down.

mod account;
mod arn;
mod clock;
pub mod duration;
mod entropy;
mod line;
mod region;
mod sensitive;
mod timestamp;

pub use account::AccountId;
pub use arn::{Arn, Partition};
pub use clock::{Clock, SystemClock};
pub use entropy::{Entropy, SystemEntropy, Uuid};
pub use line::{Line, Ticket};
pub use region::Region;
pub use sensitive::Sensitive;
pub use timestamp::Timestamp;

/// Why a text is not the identifier it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct Malformed {
    /// What was given, cut to 64 characters.
    pub text: String,
    /// What was expected, as a noun phrase: `a 12-digit account id`.
    pub expected: &'static str,
}

impl Malformed {
    pub(crate) fn new(text: &str, expected: &'static str) -> Self {
        Self { text: text.chars().take(64).collect(), expected }
    }
}
