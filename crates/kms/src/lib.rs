//! Keys: the root of trust, partition keys, managed keys, seal and open.
//!
//! ```text
//! root key        outside the store: a file, a passphrase      root/
//!  └─ partition key   one per account and Region               partition.rs
//!      └─ key material    of a KMS key                         key.rs
//!          └─ data key        one per secret version           data_key.rs
//!              └─ secret value                                 value.rs
//! ```
//!
//! Read [`seal`] and [`open`] first (how a value is protected), then [`partition_key`] (why a key
//! is never made anew over existing data), then [`unlock`] and [`rotate_root`] (start, and change
//! of the root key).
//!
//! Invariants:
//!
//! - What is sealed names the keys above it, and is bound to the place it was sealed for: moved to
//!   another row, version, account or Region it doesn't open.
//! - A key that is missing or doesn't open is an error, never a reason to make a new one.
//! - Plaintext and keys are wiped when dropped and occur in no error and no `Debug`.
//!
//! Absent: who may use a key (the caller asks the policies before), the KMS API, customer keys.

mod codec;
mod data_key;
mod error;
mod key;
mod local;
mod partition;
pub mod root;
mod rows;
mod start;
mod value;

use base::{AccountId, Entropy, Region, Timestamp};
use envelope::Keyring;

pub use data_key::{WrappedDataKey, generate_data_key, open_data_key};
pub use error::Error;
pub use key::{KeyState, KmsKey, Manager, MaterialId, find_key, load_key, managed_key, set_state};
pub use local::{Purpose, open_local, seal_local};
pub use partition::{PartitionKey, Place, partition_key};
pub use root::rotation::{Progress, rotate_root};
pub use start::{Found, RootNote, initialize, inspect, unlock};
pub use value::{Binding, Kind, Sealed, open, seal};

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
