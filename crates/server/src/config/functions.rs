//! `[functions]`: running Lambda-style functions as processes of this machine.

use serde::Deserialize;
use std::path::PathBuf;

/// `[functions]`: running Lambda-style functions as processes of this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FunctionsConfig {
    /// Whether functions need a sandbox: `require` refuses them where this host can't build one, `prefer` takes
    /// the strongest it can, `none` is for hosts that are sandboxes themselves.
    pub sandbox: Sandbox,

    /// What functions are told to call this server by, `https://secrets.example.com`. Without it: the first
    /// address that is listened on.
    pub endpoint: Option<String>,

    /// PEM file: what functions believe besides the system's authorities, such as the one of that endpoint.
    pub ca_bundle: Option<PathBuf>,
}

/// How much of a sandbox functions need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sandbox {
    /// None.
    None,
    /// The strongest that this host can build.
    #[default]
    Prefer,
    /// One with all its walls.
    Require,
}
