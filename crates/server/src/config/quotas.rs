//! `[quotas]`: how much an account may store.

use serde::Deserialize;
use service::Quotas;

/// `[quotas]`: how much an account may store in each Region.
///
/// Source: Secrets Manager User Guide, "Quotas".
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuotasConfig {
    /// Whether anything is limited at all.
    pub enabled: bool,
    /// Secrets, those scheduled for deletion included.
    pub secrets: u64,
}

impl Default for QuotasConfig {
    fn default() -> Self {
        Self { enabled: true, secrets: 500_000 }
    }
}

impl QuotasConfig {
    /// What services are told.
    pub fn effective(&self) -> Quotas {
        Quotas { secrets: self.enabled.then_some(self.secrets) }
    }
}
