//! The cryptographic construction that protects values and keys at rest.
//!
//! Read [`message`] first (what a sealed message is, byte by byte), then [`Aad`] (what it is bound
//! to), then [`RootKey`] and [`Keyring`] (the key outside the store, and what a request carries to
//! reach it).
//!
//! Invariants:
//!
//! - A sealed message opens under the one key and the one [`Aad`] it was sealed with, or not at
//!   all. Reading one never panics and never allocates more than the message is long.
//! - Keys are wiped when dropped, can't be copied and can't be printed.
//! - The format never changes under its number: `tests/vectors/envelope/` pins the bytes.
//!
//! Nothing here is async, reads a clock or touches a file; chance is handed in, except in [`transport`]. Which key seals
//! what is `kms`'s business.

mod aad;
mod cache;
mod key;
mod keyring;
pub mod message;
mod root;
pub mod transport;

pub use aad::{Aad, Label};
pub use key::Key;
pub use keyring::{Keyring, Roots};
pub use message::{OpenError, SealError, open, open_once, seal, seal_once, unwrap, wrap};
pub use root::{LocalRoot, RootError, RootKey};
