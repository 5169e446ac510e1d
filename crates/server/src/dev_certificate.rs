//! The certificate of `strongroom dev`: a local authority whose key is thrown away at once.
//!
//! Clients trust `tls/ca.pem`. Since its key signs one certificate and is kept nowhere, trusting it
//! is trusting this server only. Some weeks before the end both are made anew.

use crate::config::TlsConfig;
use crate::tls::{EXPIRES_SOON, expiry};
use base::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Makes the certificate that `config` names and `ca.pem` beside it, unless they are there and last
/// for some weeks. Gives the path of `ca.pem`.
pub(crate) fn ensure(config: &TlsConfig, now: Timestamp) -> io::Result<PathBuf> {
    let folder = config.certificate.parent().unwrap_or(Path::new("."));
    let authority = folder.join("ca.pem");
    let lasts = expiry(&config.certificate).is_ok_and(|it| now.plus(EXPIRES_SOON) < it);
    if lasts && authority.exists() && config.key.exists() {
        return Ok(authority);
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let made = make(now).map_err(io::Error::other)?;
    // The certificate is last: where it is and lasts, the others are there.
    write(&authority, &made.authority)?;
    write(&config.key, &made.key)?;
    write(&config.certificate, &made.certificate)?;
    Ok(authority)
}

struct Made {
    authority: String,
    certificate: String,
    key: String,
}

fn make(now: Timestamp) -> Result<Made, rcgen::Error> {
    let mut authority = params("Strongroom local authority", now)?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_key = KeyPair::generate()?;
    let authority_pem = authority.self_signed(&authority_key)?.pem();
    let issuer = Issuer::new(authority, authority_key);

    let mut leaf = params("Strongroom on this machine", now)?;
    for name in ["localhost", "localhost.localdomain"] {
        leaf.subject_alt_names.push(rcgen::SanType::DnsName(name.try_into()?));
    }
    for address in ["127.0.0.1", "::1"] {
        leaf.subject_alt_names.extend(address.parse().ok().map(rcgen::SanType::IpAddress));
    }
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = leaf.signed_by(&key, &issuer)?.pem();
    Ok(Made { authority: authority_pem, certificate, key: key.serialize_pem() })
}

fn params(name: &str, now: Timestamp) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let day = |at: Timestamp| {
        let number = |pattern| at.format(pattern).parse().unwrap_or(1);
        let year = at.format("%Y").parse().unwrap_or(1970);
        rcgen::date_time_ymd(year, number("%m"), number("%d"))
    };
    params.not_before = day(now.minus(Duration::from_hours(24)));
    params.not_after = day(now.plus(LIFETIME));
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// Replaces the file at `path`, readable by its owner only.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)
}

/// What operating systems still accept of an authority that a user trusts.
const LIFETIME: Duration = Duration::from_hours(800 * 24);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::Certificates;

    #[test]
    fn is_made_once_and_anew_before_its_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = TlsConfig {
            certificate: folder.path().join("tls/cert.pem"),
            key: folder.path().join("tls/key.pem"),
            reload_interval: Duration::ZERO,
        };
        let now = Timestamp::from_secs(1_800_000_000);
        let authority = ensure(&config, now).expect("made");
        let first = std::fs::read(&authority).expect("there");
        Certificates::load(config.clone()).expect("fits");
        let end = expiry(&config.certificate).expect("readable");
        assert_eq!(end, now.plus(LIFETIME).day());

        ensure(&config, now.plus(Duration::from_hours(700 * 24))).expect("kept");
        assert_eq!(std::fs::read(&authority).expect("there"), first);
        ensure(&config, end.minus(EXPIRES_SOON)).expect("made");
        assert_ne!(std::fs::read(&authority).expect("there"), first);
    }
}
