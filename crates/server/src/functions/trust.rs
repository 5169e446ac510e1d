//! Whose certificates databases may show.

use crate::config::RotationConfig;
use rotators::{Roots, Trust};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::io;
use std::path::Path;

/// Reads the authorities of `config`.
///
/// # Errors
///
/// Which file can't be read, or holds no certificate.
pub(crate) fn pinned(config: &RotationConfig) -> Result<Trust, (String, io::Error)> {
    let roots = |path: &Path| -> Result<Roots, (String, io::Error)> {
        read(path).map(Roots::new).map_err(|error| (path.display().to_string(), error))
    };
    let platform = config.ca_bundle.as_deref().map(roots).transpose()?;
    let pinned = config.pinned.iter().map(|(host, path)| Ok((host.clone(), roots(path)?)));
    Ok(Trust {
        platform: platform.unwrap_or_else(|| Roots::new([])),
        pinned: pinned.collect::<Result<_, _>>()?,
    })
}

/// The same with the authorities of the system. Reads many files.
pub(crate) fn with_system(trust: Trust) -> Trust {
    let own = trust.platform.certificates().iter().cloned();
    let platform = Roots::new(own.chain(system()));
    Trust { platform, ..trust }
}

/// The authorities of the system. Reads many files.
pub(super) fn system() -> Vec<CertificateDer<'static>> {
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!(%error, "a certificate authority of the system can't be read");
    }
    system.certs
}

/// The certificates in a PEM file: one at least.
pub(super) fn read(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_file_iter(path).map_err(io::Error::other)?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(io::Error::other)?;
    if found.is_empty() {
        return Err(io::Error::other("it holds no certificate"));
    }
    Ok(found)
}
