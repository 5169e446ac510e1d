//! Whose certificates databases may show.

use crate::config::RotationConfig;
use rotators::Trust;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Reads the authorities of `config`.
///
/// # Errors
///
/// Which file can't be read, or holds no certificate.
pub(crate) fn pinned(config: &RotationConfig) -> Result<Trust, (String, io::Error)> {
    let store = |path: &Path| -> Result<RootCertStore, (String, io::Error)> {
        let mut store = RootCertStore::empty();
        let named = |error| (path.display().to_string(), error);
        store.add_parsable_certificates(read(path).map_err(named)?);
        Ok(store)
    };
    let platform = config.ca_bundle.as_deref().map(store).transpose()?;
    let pinned =
        config.pinned.iter().map(|(host, path)| Ok((host.clone(), Arc::new(store(path)?))));
    Ok(Trust {
        platform: Arc::new(platform.unwrap_or_else(RootCertStore::empty)),
        pinned: pinned.collect::<Result<_, _>>()?,
    })
}

/// The same with the authorities of the system. Reads many files.
pub(crate) fn with_system(trust: Trust) -> Trust {
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!(%error, "a certificate authority of the system can't be read");
    }
    let mut platform = RootCertStore::clone(&trust.platform);
    platform.add_parsable_certificates(system.certs);
    Trust { platform: Arc::new(platform), ..trust }
}

fn read(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_file_iter(path).map_err(io::Error::other)?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(io::Error::other)?;
    if found.is_empty() {
        return Err(io::Error::other("it holds no certificate"));
    }
    Ok(found)
}
