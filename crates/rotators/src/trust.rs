//! Whose certificates are believed.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whose certificates are believed, and where a connection may go without.
#[derive(Clone, Debug)]
pub struct Trust {
    /// For hosts that nothing else is said of: the platform's.
    pub platform: Roots,
    /// For these hosts, these and no others.
    pub pinned: BTreeMap<String, Roots>,
}

/// Authorities that are believed: as rustls wants them, and as they were given, for drivers that make
/// their own of them.
#[derive(Clone, Debug)]
pub struct Roots {
    store: Arc<RootCertStore>,
    certificates: Arc<[CertificateDer<'static>]>,
}

impl Roots {
    /// Those of `certificates` that can be understood.
    pub fn new(certificates: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        let mut store = RootCertStore::empty();
        let understood = certificates.into_iter().filter(|it| store.add(it.clone()).is_ok());
        let certificates = understood.collect();
        Self { store: Arc::new(store), certificates }
    }

    /// As DER.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }
}

impl Trust {
    /// Whose certificate `host` must show.
    pub fn roots(&self, host: &str) -> &Arc<RootCertStore> {
        &self.believed(host).store
    }

    /// Whose certificate `host` must show, each as it was given.
    pub fn believed(&self, host: &str) -> &Roots {
        self.pinned.get(host).unwrap_or(&self.platform)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_left_out() {
        let roots = Roots::new([CertificateDer::from(b"nothing".to_vec())]);
        assert!(roots.certificates().is_empty());
    }
}
