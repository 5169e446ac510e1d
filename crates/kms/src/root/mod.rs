//! The root of trust: providers of the root key, and the change from one to another.

pub mod file;
pub mod passphrase;
pub(crate) mod rotation;
