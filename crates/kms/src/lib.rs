//! Keys: the root of trust, partition keys, managed keys, seal and open.
//!
//! ```text
//! root key        outside the store: a file, passphrase, token root/
//!  └─ partition key   one per account and Region               partition.rs
//!      └─ key material    of a KMS key                         key.rs
//!          └─ data key        one per secret version           data_key.rs
//!              └─ secret value                                 value.rs
//! ```
//!
//! Read [`seal`] and [`open`] first (how a value is protected), then [`partition_key`] (why a key
//! is never made anew over existing data), then [`unlock`] and [`rotate_root`] (start, and change
//! of the root key). Of the KMS API read [`resolve`] (from a `KeyId` to a key), [`authorize`] (who may
//! do what with it), then any file in [`operations`]: each is one API operation from input to answer.
//! [`maintenance`] does what falls due without a request.
//!
//! Invariants:
//!
//! - What is sealed names the keys above it, and is bound to the place it was sealed for: moved to
//!   another row, version, account or Region it doesn't open.
//! - A key that is missing or doesn't open is an error, never a reason to make a new one.
//! - Plaintext and keys are wiped when dropped and occur in no error and no `Debug`.
//! - Nobody has access to a key that its policy, or a grant, doesn't give or leave to the account. Callers of
//!   other accounts aren't told whether a key exists.
//!
//! [`seal`] and [`open`] ask nobody: who calls them has asked [`authorize`] before.
//!
//! Absent: keys of several Regions, key pairs, HMAC keys, key stores of one's own.

mod access;
mod alias;
mod ciphertext;
mod codec;
mod condition;
mod context;
mod crypto;
mod data_key;
mod due;
mod error;
mod exception;
pub mod exposure;
mod grant;
pub mod grant_given;
mod import;
mod import_token;
mod key;
mod key_spec;
mod limits;
mod listing;
mod local;
mod lookup;
pub mod maintenance;
mod material;
pub mod operations;
mod partition;
mod party;
mod policies;
pub mod recipient;
mod reference;
pub mod root;
mod rows;
pub mod shown;
mod start;
mod state;
mod tags;
mod token;
mod value;

use base::{AccountId, Entropy, Region, Timestamp};
use envelope::Keyring;

pub use access::{authorize, foreign_denial};
pub use ciphertext::Ciphertext;
pub use data_key::{WrappedDataKey, generate_data_key, open_data_key};
pub use error::Error;
pub use exception::Exception;
pub use key::{
    Deletion, KeyState, KmsKey, Manager, MaterialId, Origin, Rotation, find_key, load_key,
    managed_key, set_state,
};
pub use local::{Purpose, open_local, seal_local};
pub use operations::OPERATIONS;
pub use partition::{PartitionKey, Place, partition_key};
pub use reference::resolve;
pub use root::rotation::{Progress, rotate_root};
pub use start::{Found, RootNote, initialize, inspect, unlock};
pub use token::GrantToken;
pub use value::{Binding, Kind, Sealed, open, open_under, seal, seal_also};

/// What an operation brings along to use keys.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The root keys and what was unwrapped lately.
    pub keyring: &'a Keyring,
    /// Where salts, nonces and new keys come from.
    pub entropy: &'a dyn Entropy,
    /// The instant of the request.
    pub now: Timestamp,
    /// The account that owns what is sealed; not the caller's, if they differ.
    pub account: &'a AccountId,
    /// The Region in which it is kept.
    pub region: &'a Region,
}

impl std::fmt::Debug for Scope<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Scope")
            .field("now", &self.now)
            .field("account", &self.account)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}
