//! `[rotation]`: changing passwords in databases.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// `[rotation]`: changing passwords in databases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RotationConfig {
    /// PEM file: authorities whose certificates databases may show besides those of the system.
    pub ca_bundle: Option<PathBuf>,

    /// By host, as secrets name it: the PEM file with the only authorities that it may show a certificate of.
    pub pinned: BTreeMap<String, PathBuf>,
}
