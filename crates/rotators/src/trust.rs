//! Whose certificates are believed.

use rustls::RootCertStore;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whose certificates are believed, and where a connection may go without.
#[derive(Clone, Debug)]
pub struct Trust {
    /// For hosts that nothing else is said of: the platform's.
    pub platform: Arc<RootCertStore>,
    /// For these hosts, these and no others.
    pub pinned: BTreeMap<String, Arc<RootCertStore>>,
}

impl Trust {
    /// Whose certificate `host` must show.
    pub fn roots(&self, host: &str) -> &Arc<RootCertStore> {
        self.pinned.get(host).unwrap_or(&self.platform)
    }
}
