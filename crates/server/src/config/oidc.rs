//! `[oidc]`: asking the issuers of web identity tokens for their keys.

use serde::Deserialize;
use std::path::PathBuf;

/// `[oidc]`: asking the issuers of web identity tokens for their keys. Only issuers that an account knows as
/// OpenID Connect providers are asked, over TLS 1.3; redirects are not followed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OidcConfig {
    /// Whether issuers may be at addresses that aren't public: loopback, private networks, link-local ones. Off,
    /// so that nobody who may create a provider makes this server ask its neighbors. On in `dev`.
    pub allow_private: bool,

    /// PEM file: certificate authorities that may vouch for issuers besides those of the system.
    pub ca_bundle: Option<PathBuf>,
}
