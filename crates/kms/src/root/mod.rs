//! The root of trust: providers of the root key, and the change from one to another.

pub mod file;
pub mod passphrase;
#[cfg(feature = "pkcs11")]
pub mod pkcs11;
pub mod recovery;
pub(crate) mod rotation;
pub mod share;
