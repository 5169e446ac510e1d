//! `[root_key]`: the key outside the store.

use serde::Deserialize;
use std::path::PathBuf;

/// `[root_key]`: the key outside the store. Whoever has it and the data folder has everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RootKeyConfig {
    /// Where the key comes from.
    pub provider: Provider,

    /// A file with mode 0600 that holds the key, or the passphrase. For `file` the default is
    /// `root.key` in the data folder.
    pub path: Option<PathBuf>,

    /// The name of a systemd credential that holds the key, or the passphrase.
    pub credential: Option<String>,

    /// The shared library that speaks to the token.
    pub module: Option<PathBuf>,

    /// The label of the token.
    pub token: Option<String>,

    /// The label of the key in the token. Made there for a store that needs no other yet.
    pub key: Option<String>,

    /// A file with mode 0600 that holds the token's PIN.
    pub pin: Option<PathBuf>,

    /// Where the key comes from that this one takes over from. To be removed when
    /// `strongroom root-key rotate` has ended.
    pub previous: Option<Box<RootKeyConfig>>,
}

/// Where the root key comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// A systemd credential that holds the key.
    Credential,
    /// A file that holds the key. Made at the first start.
    #[default]
    File,
    /// Argon2id of a passphrase.
    Passphrase,
    /// A key that stays in a PKCS #11 token.
    Pkcs11,
}
