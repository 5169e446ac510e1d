//! TLS: one certificate, exchanged without a restart when its files change.
//!
//! TLS 1.3 only, the hybrid of X25519 and ML-KEM-768 first. No client certificates and no early
//! data: a request is authenticated by its signature, and must not be replayed.

use crate::config::TlsConfig;
use arc_swap::ArcSwap;
use base::Timestamp;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{ServerConfig, ServerConnection};
use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Why there is no certificate to show.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The key doesn't belong to the certificate.
    #[error(
        "the key `{}` doesn't belong to the certificate `{}`",
        key.display(),
        certificate.display()
    )]
    Apart {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// A file holds no PEM of the kind that is needed, or can't be read.
    #[error("can't read {what} from `{}`: {reason}", path.display())]
    Unreadable {
        /// What was looked for.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The TLS library refused.
    #[error("TLS can't be set up: {0}")]
    Library(#[from] rustls::Error),
}

/// The certificate in use, and when its files were last looked at.
pub(crate) struct Certificates {
    config: TlsConfig,
    provider: Arc<CryptoProvider>,
    current: ArcSwap<CertifiedKey>,
    looked: Mutex<Looked>,
}

struct Looked {
    at: Instant,
    files: [Print; 2],
}

/// What changes when a file does.
type Print = Option<(u64, i64, i64, u64)>;

/// What a finished handshake agreed on, as audit records say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    pub(crate) version: &'static str,
    pub(crate) suite: String,
}

impl Certificates {
    /// The certificate that `config` names.
    pub(crate) fn load(config: TlsConfig) -> Result<Arc<Self>, TlsError> {
        let provider = Arc::new(provider());
        let files = prints(&config);
        let current = ArcSwap::from_pointee(read(&config, &provider)?);
        let looked = Mutex::new(Looked { at: Instant::now(), files });
        Ok(Arc::new(Self { config, provider, current, looked }))
    }

    /// Looks whether the files have changed, unless that was done within the configured interval.
    ///
    /// What can't be used leaves the certificate in use as it is; it is logged, and read again when
    /// a file changes again.
    pub(crate) fn refresh(&self) {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.at.elapsed() < self.config.reload_interval {
            return;
        }
        looked.at = Instant::now();
        let files = prints(&self.config);
        if files == looked.files {
            return;
        }
        looked.files = files;
        match read(&self.config, &self.provider) {
            Ok(fresh) => {
                self.current.store(Arc::new(fresh));
                tracing::info!("certificate reloaded");
            }
            Err(error) => tracing::error!(%error, "certificate not reloaded, the former stays"),
        }
    }

    /// What handshakes are made with.
    pub(crate) fn server_config(self: &Arc<Self>) -> Result<Arc<ServerConfig>, TlsError> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&TLS13])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Certificates").field(&self.config).finish()
    }
}

impl Agreed {
    pub(crate) fn of(connection: &ServerConnection) -> Self {
        let suite = connection.negotiated_cipher_suite();
        let suite = suite.and_then(|it| it.suite().as_str()).unwrap_or_default();
        // The library tells suites of TLS 1.3 apart by a prefix that their names don't have.
        Self { version: "TLSv1.3", suite: suite.replacen("TLS13_", "TLS_", 1) }
    }
}

/// Which algorithms may be used, in order of preference.
fn provider() -> CryptoProvider {
    use aws_lc_rs::kx_group::{SECP256R1, SECP384R1, X25519, X25519MLKEM768};
    CryptoProvider {
        kx_groups: vec![X25519MLKEM768, X25519, SECP256R1, SECP384R1],
        ..aws_lc_rs::default_provider()
    }
}

fn read(config: &TlsConfig, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let unreadable = |what, path: &Path, reason: String| {
        let path = path.to_owned();
        TlsError::Unreadable { what, path, reason }
    };
    let TlsConfig { certificate, key, .. } = config;
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|it| unreadable("a certificate", certificate, it.to_string()))?;
    if chain.is_empty() {
        return Err(unreadable("a certificate", certificate, "no certificate found".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|it| unreadable("a private key", key, it.to_string()))?;
    let private = provider
        .key_provider
        .load_private_key(private)
        .map_err(|it| unreadable("a private key", key, it.to_string()))?;
    let certified = CertifiedKey::new(chain, private);
    match certified.keys_match() {
        // A kind of key whose public half the library can't tell is taken as it is.
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {
            Ok(certified)
        }
        Err(_) => Err(TlsError::Apart { certificate: certificate.clone(), key: key.clone() }),
    }
}

fn prints(config: &TlsConfig) -> [Print; 2] {
    let print = |it: Metadata| (it.ino(), it.mtime(), it.mtime_nsec(), it.size());
    [&config.certificate, &config.key].map(|it| std::fs::metadata(it).ok().map(print))
}

/// When the first certificate in the PEM file at `path` ends.
///
/// # Errors
///
/// [`TlsError::Unreadable`]: there is none.
pub fn expiry(path: &Path) -> Result<Timestamp, TlsError> {
    let unreadable = |reason: String| {
        let (what, path) = ("a certificate", path.to_owned());
        TlsError::Unreadable { what, path, reason }
    };
    let certificate =
        CertificateDer::from_pem_file(path).map_err(|it| unreadable(it.to_string()))?;
    let (_, parsed) = x509_parser::parse_x509_certificate(&certificate)
        .map_err(|it| unreadable(it.to_string()))?;
    Ok(Timestamp::from_secs(parsed.validity().not_after.timestamp()))
}

/// How long before its end a certificate should be exchanged.
pub const EXPIRES_SOON: Duration = Duration::from_hours(30 * 24);
