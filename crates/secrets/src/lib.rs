//! The Secrets Manager service: its operations over one type, [`Secret`].
//!
//! Read [`stages`] first (which version is current, and how that changes), then [`secret`] (one
//! secret and what may be done to it), then any file in [`operations`]: each is one API operation
//! from input to answer. [`maintenance`] does what falls due without a request.
//!
//! Invariants:
//!
//! - Plaintext exists only in a request's input, and between `kms::open` and the encoded answer;
//!   nothing in this crate stores or logs it, and comparisons take the same time wherever values differ.
//! - Nothing here reads a clock, draws randomness or opens a socket: `call` carries the instant and the
//!   entropy, `txn` is the only way to state.
//! - No module of another service is used but `kms` and `functions`.
//! - A request reads a bounded number of rows, however many secrets there are.

mod condition;
mod due;
mod error;
pub mod exposure;
mod filters;
mod keys;
pub mod lease;
mod limits;
mod listing;
mod lookup;
pub mod maintenance;
pub mod operations;
mod policies;
mod quota;
mod random_password;
mod replicas;
mod retention;
pub mod rotation;
pub mod secret;
pub mod stages;
mod tags;
mod value;
mod version;

pub use error::Error;
pub use operations::OPERATIONS;
pub use secret::Secret;
