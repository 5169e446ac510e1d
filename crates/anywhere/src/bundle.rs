//! What an account uploads: certificates of authorities in PEM, and revocation lists.

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use webpki::BorrowedCertRevocationList;
use x509_parser::parse_x509_certificate;
use x509_parser::x509::X509Version;

/// The certificates in `pem`, as DER: at least one, each of version 3 and an authority's.
///
/// # Errors
///
/// What is wrong, for the wire.
pub fn authorities(pem: &str) -> Result<Vec<Vec<u8>>, &'static str> {
    if has_private_key(pem) {
        return Err("A certificate bundle must not have a private key");
    }
    let mut found = Vec::new();
    for section in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let der = section.map_err(|_| NO_CERTIFICATES)?;
        check_authority(&der)?;
        found.push(der.to_vec());
    }
    match found.len() {
        0 => Err(NO_CERTIFICATES),
        1..=MOST => Ok(found),
        _ => Err("A certificate bundle has at most 10 certificates"),
    }
}

/// The revocation lists in `data`, PEM or one in DER, as DER: at least one, each of version 2.
///
/// # Errors
///
/// What is wrong, for the wire.
pub fn revocations(data: &[u8]) -> Result<Vec<Vec<u8>>, &'static str> {
    let sections = CertificateRevocationListDer::pem_slice_iter(data).take(MOST + 1);
    let mut found: Vec<Vec<u8>> = sections
        .map(|it| it.map(|it| it.to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|_| NO_LIST)?;
    if found.is_empty() {
        found.push(data.to_vec());
    }
    let is_list = |it: &Vec<u8>| BorrowedCertRevocationList::from_der(it).is_ok();
    let fits = found.len() <= MOST && found.iter().all(is_list);
    if fits { Ok(found) } else { Err(NO_LIST) }
}

/// Whether `pem` seems to have one.
pub(crate) fn has_private_key(pem: &str) -> bool {
    pem.contains("PRIVATE KEY")
}

fn check_authority(der: &CertificateDer<'_>) -> Result<(), &'static str> {
    let (rest, parsed) = parse_x509_certificate(der).map_err(|_| NO_CERTIFICATES)?;
    if !rest.is_empty() || webpki::anchor_from_trusted_cert(der).is_err() {
        return Err(NO_CERTIFICATES);
    }
    if parsed.version() != X509Version::V3 {
        return Err("Unsupported certificate version");
    }
    let constraints = parsed.basic_constraints().map_err(|_| NO_CERTIFICATES)?;
    if !constraints.is_some_and(|it| it.value.ca) {
        return Err("Incorrect basic constraints for CA certificate");
    }
    let usage = parsed.key_usage().map_err(|_| NO_CERTIFICATES)?;
    if usage.is_some_and(|it| !it.value.key_cert_sign()) {
        return Err("Incorrect key usage for CA certificate");
    }
    Ok(())
}

const NO_CERTIFICATES: &str = "Invalid certificate bundle";
const NO_LIST: &str = "Invalid certificate revocation list";
const MOST: usize = 10;
