//! Certificates, bundles and revocation lists.

use anywhere::{Certificate, authorities, revocations};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Takes `input` for a certificate in DER, for a bundle of authorities and for revocation lists.
///
/// What is a certificate has a serial number in digits and a key, and comes back from its header.
pub fn certificate(input: &[u8]) {
    if let Ok(found) = Certificate::parse(&STANDARD.encode(input)) {
        assert!(!found.serial().is_empty() && found.serial().bytes().all(|it| it.is_ascii_digit()));
        assert!(!found.public_key().is_empty());
    }
    if let Ok(text) = str::from_utf8(input) {
        let _either = Certificate::parse(text);
        assert!(!authorities(text).is_ok_and(|it| it.is_empty() || it.len() > 10));
    }
    assert!(!revocations(input).is_ok_and(|it| it.is_empty() || it.len() > 10));
}
