//! Which certificates an issuer may show: those of a known authority, or of one whose thumbprint was given.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;

/// Takes a certificate if a known authority vouches for it, or else one that a thumbprint names.
///
/// A thumbprint names a certificate, it proves nothing by itself: the chain to it is checked like any other,
/// and so are the host's name and the time. SHA-1 is IAM's choice; to abuse it, a second certificate of a
/// given digest would have to be found, which nobody can.
///
/// Source: IAM User Guide, "Obtain the thumbprint for an OpenID Connect identity provider".
#[derive(Debug)]
pub(super) struct Voucher {
    provider: Arc<CryptoProvider>,
    /// `None` if no authority is known.
    usual: Option<Arc<WebPkiServerVerifier>>,
    thumbprints: Vec<String>,
}

impl Voucher {
    pub(super) fn new(
        provider: &Arc<CryptoProvider>,
        roots: &Arc<RootCertStore>,
        thumbprints: &[String],
    ) -> Self {
        let usual = verifier(provider, Arc::clone(roots));
        Self { provider: Arc::clone(provider), usual, thumbprints: thumbprints.to_vec() }
    }

    /// The certificate among `shown` that a thumbprint names, as the only authority.
    fn named(&self, shown: &[&CertificateDer<'_>]) -> Option<Arc<WebPkiServerVerifier>> {
        let is_named = |it: &&&CertificateDer<'_>| {
            let print = hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, it).as_ref());
            self.thumbprints.contains(&print)
        };
        let mut roots = RootCertStore::empty();
        roots.add((*shown.iter().find(is_named)?).clone().into_owned()).ok()?;
        verifier(&self.provider, Arc::new(roots))
    }
}

fn verifier(
    provider: &Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
) -> Option<Arc<WebPkiServerVerifier>> {
    WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider)).build().ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|it| [it >> 4, it & 15]).map(digit).collect()
}

fn digit(it: u8) -> char {
    char::from_digit(u32::from(it), 16).unwrap_or('0')
}

impl ServerCertVerifier for Voucher {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let unknown = || Err(Error::InvalidCertificate(CertificateError::UnknownIssuer));
        let usual = self.usual.as_ref();
        let outcome =
            usual.map_or_else(unknown, |it| it.verify_server_cert(shown, between, name, ocsp, now));
        let Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) = outcome else {
            return outcome;
        };
        let all: Vec<_> = between.iter().rev().chain([shown]).collect();
        let named = self.named(&all);
        named.map_or(outcome, |it| it.verify_server_cert(shown, between, name, ocsp, now))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, shown, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, shown, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
