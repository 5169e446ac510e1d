//! What a certificate says of its holder. Nothing of it is believed yet.

use crate::attributes;
use aws_lc_rs::digest::{SHA256, digest};
use base::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use x509_parser::certificate::X509Certificate;
use x509_parser::parse_x509_certificate;
use x509_parser::x509::X509Version;

/// The certificate of one who wants a session, as its header carries it.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub(crate) der: Vec<u8>,
    /// In decimal digits, as it stands in a credential scope.
    serial: String,
    /// In hex digits, two for each byte, as it names sessions.
    pub(crate) serial_hex: String,
    public_key: Vec<u8>,
    pub(crate) subject: String,
    pub(crate) issuer: String,
    /// SHA-256 of the subject's bytes: who the subject is, whatever certificate it shows.
    pub(crate) subject_hash: [u8; 32],
    /// The first common name of the subject.
    pub(crate) common_name: Option<String>,
    /// The tags of a session: `x509Subject/CN` and so on.
    pub(crate) tags: BTreeMap<String, String>,
    valid: (i64, i64),
}

/// Why a certificate can't be anybody's, whoever has signed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is one of an authority.
    #[error("Incorrect basic constraints for end-entity certificate")]
    Authority,
    /// Its time is over.
    #[error("Certificate has expired")]
    Expired,
    /// It is no certificate.
    #[error("Invalid signing certificate")]
    Malformed,
    /// Its time has not come.
    #[error("Certificate is not yet valid")]
    TooEarly,
    /// Its key is not for signatures.
    #[error("Incorrect key usage for end-entity certificate")]
    Usage,
    /// It is older than the extensions that say what it is for.
    #[error("Unsupported certificate version")]
    Version,
}

impl Certificate {
    /// Reads the value of `X-Amz-X509`: DER in base64.
    ///
    /// # Errors
    ///
    /// [`Unfit`], but for its time.
    pub fn parse(header: &str) -> Result<Self, Unfit> {
        Self::from_der(decode(header).ok_or(Unfit::Malformed)?)
    }

    fn from_der(der: Vec<u8>) -> Result<Self, Unfit> {
        let (rest, parsed) = parse_x509_certificate(&der).map_err(|_| Unfit::Malformed)?;
        let serial = parsed.raw_serial();
        let is_positive = serial.first().is_some_and(|it| *it < 0x80);
        if !rest.is_empty() || !is_positive || serial.len() > LONGEST_SERIAL {
            return Err(Unfit::Malformed);
        }
        check_kind(&parsed)?;
        let valid = parsed.validity();
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, parsed.subject().as_raw()).as_ref());
        Ok(Self {
            serial: parsed.tbs_certificate.serial.to_string(),
            serial_hex: hex(serial),
            public_key: parsed.public_key().raw.to_vec(),
            subject: parsed.subject().to_string(),
            issuer: parsed.issuer().to_string(),
            subject_hash: hash,
            common_name: attributes::common_name(parsed.subject()),
            tags: attributes::tags(&parsed),
            valid: (valid.not_before.timestamp(), valid.not_after.timestamp()),
            der,
        })
    }

    /// The serial number in decimal digits.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// The `SubjectPublicKeyInfo`, in DER.
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// Checks that it is valid at `now`.
    pub(crate) fn check_time(&self, now: Timestamp) -> Result<(), Unfit> {
        match now.secs() {
            now if now < self.valid.0 => Err(Unfit::TooEarly),
            now if now > self.valid.1 => Err(Unfit::Expired),
            _ => Ok(()),
        }
    }
}

/// Version 3, not an authority's, and for signatures.
fn check_kind(parsed: &X509Certificate<'_>) -> Result<(), Unfit> {
    if parsed.version() != X509Version::V3 {
        return Err(Unfit::Version);
    }
    let constraints = parsed.basic_constraints().map_err(|_| Unfit::Malformed)?;
    if constraints.is_some_and(|it| it.value.ca) {
        return Err(Unfit::Authority);
    }
    let usage = parsed.key_usage().map_err(|_| Unfit::Malformed)?;
    if usage.is_some_and(|it| it.value.digital_signature()) { Ok(()) } else { Err(Unfit::Usage) }
}

/// The intermediate certificates in the value of `X-Amz-X509-Chain`, each as DER.
///
/// # Errors
///
/// [`Unfit::Malformed`]: one is no base64 or too long, or there are too many.
pub(crate) fn chain(header: Option<&str>) -> Result<Vec<Vec<u8>>, Unfit> {
    let Some(header) = header.filter(|it| !it.is_empty()) else { return Ok(Vec::new()) };
    if header.split(',').count() > MOST_INTERMEDIATES {
        return Err(Unfit::Malformed);
    }
    header.split(',').map(|it| decode(it.trim_ascii()).ok_or(Unfit::Malformed)).collect()
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let fits = (1..=LONGEST).contains(&text.len());
    STANDARD.decode(text).ok().filter(|_| fits)
}

fn hex(serial: &[u8]) -> String {
    use std::fmt::Write;
    let zeros = serial.iter().take_while(|it| **it == 0).count().min(serial.len() - 1);
    serial.iter().skip(zeros).fold(String::new(), |mut out, byte| {
        let _infallible = write!(out, "{byte:02x}");
        out
    })
}

/// In base64.
const LONGEST: usize = 24 * 1024;
/// In bytes, with a zero that says it is positive. Source: RFC 5280, 4.1.2.2.
const LONGEST_SERIAL: usize = 21;
const MOST_INTERMEDIATES: usize = 5;
