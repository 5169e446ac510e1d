//! The last step: the signature itself.

use crate::canonical::{Canonical, Host, has_default_port};
use crate::check::Scoped;
use crate::claim::Signature;
use crate::hex;
use crate::instant::Instant;
use crate::key::SigningKey;
use crate::rejection::Rejection;
use crate::request::{Request, body_hash};

/// Proof that a request was signed by the holder of the key it was verified with.
///
/// Only [`Scoped::verify`] and [`Scoped::verify_certificate`] make one.
#[derive(Debug)]
#[must_use = "a signature was checked for a reason"]
pub struct Verified {
    _made_here: (),
}

impl Scoped<'_> {
    /// Checks that the holder of `key` signed exactly this request.
    ///
    /// The comparison takes the same time wherever the first wrong byte is. A default port in
    /// `host` may or may not have been signed.
    ///
    /// # Errors
    ///
    /// [`Rejection::Mismatch`]: another key, a changed request, or one that was never canonical;
    /// all look alike.
    pub fn verify(&self, key: &SigningKey) -> Result<Verified, Rejection> {
        let Signature::Secret(Some(signature)) = self.presented().claim.signature else {
            return Err(Rejection::Mismatch);
        };
        self.verify_with(|text| key.signed(text, &signature))
    }

    /// Checks that the holder of the private key to `public_key`, a certificate's
    /// `SubjectPublicKeyInfo` in DER, signed exactly this request. Whose certificate it is, and
    /// whether anybody trusts it, is the caller's to ask.
    ///
    /// # Errors
    ///
    /// [`Rejection::Mismatch`], as [`Scoped::verify`]; also for a key of another kind than the
    /// request's algorithm says, and for RSA keys below 2048 bits.
    pub fn verify_certificate(&self, public_key: &[u8]) -> Result<Verified, Rejection> {
        let Signature::Certificate(scheme, signature) = &self.presented().claim.signature else {
            return Err(Rejection::Mismatch);
        };
        self.verify_with(|text| scheme.signed(public_key, text, signature))
    }

    /// Asks `is_right` about each text that may have been signed.
    fn verify_with(&self, is_right: impl Fn(&[u8]) -> bool) -> Result<Verified, Rejection> {
        let presented = self.presented();
        if !is_canonical(&presented.claim.signed_headers) || !has_promised_body(&presented.request)
        {
            return Err(Rejection::Mismatch);
        }
        let mut buffer = Vec::with_capacity(BUFFER);
        let mut is_signed = |host| {
            buffer.clear();
            self.write_canonical(host, &mut buffer);
            let hash = body_hash(&buffer);
            buffer.clear();
            self.write_text(&hash, &mut buffer);
            is_right(&buffer)
        };
        if is_signed(Host::AsReceived)
            || has_default_port(&presented.request) && is_signed(Host::WithoutDefaultPort)
        {
            return Ok(Verified { _made_here: () });
        }
        Err(Rejection::Mismatch)
    }

    /// The answer to an access key that doesn't exist or is inactive, after as much work as
    /// [`Scoped::verify`] does, so that its time doesn't tell which ones exist.
    ///
    /// That holds where keys are cached; finding a key for the first time takes longer.
    pub fn reject_unknown_key(&self) -> Rejection {
        drop(self.verify(&SigningKey::dummy()));
        Rejection::UnknownKey
    }

    /// What should have been signed, as AWS appends it to [`Rejection::Mismatch`]'s message.
    ///
    /// Holds the signed headers, a session token among them: for the caller itself at most, and
    /// only where an operator has asked for it.
    pub fn explain(&self) -> String {
        let (mut canonical, mut text) = (Vec::new(), Vec::new());
        self.write_canonical(Host::AsReceived, &mut canonical);
        self.write_text(&body_hash(&canonical), &mut text);
        format!(
            "\n\nThe Canonical String for this request should have been\n'{}'\n\n\
             The String-to-Sign should have been\n'{}'\n",
            String::from_utf8_lossy(&canonical),
            String::from_utf8_lossy(&text),
        )
    }

    fn write_canonical(&self, host: Host, out: &mut Vec<u8>) {
        let presented = self.presented();
        let canonical = Canonical {
            request: &presented.request,
            path: &presented.path,
            parameters: &presented.parameters,
            signed_headers: &presented.claim.signed_headers,
            host,
        };
        canonical.write(out);
    }

    fn write_text(&self, canonical_hash: &[u8; 32], out: &mut Vec<u8>) {
        let presented = self.presented();
        let scope = presented.claim.credential.split_once('/').map_or("", |it| it.1);
        let algorithm = presented.claim.signature.algorithm();
        write_string_to_sign(algorithm, &presented.signed_at, scope, canonical_hash, out);
    }
}

/// Appends the text that is signed: algorithm, instant, scope and the canonical request's hash.
///
/// `scope` is `YYYYMMDD/region/service/aws4_request`.
pub(crate) fn write_string_to_sign(
    algorithm: &str,
    signed_at: &Instant,
    scope: &str,
    canonical_hash: &[u8; 32],
    out: &mut Vec<u8>,
) {
    for line in [algorithm, signed_at.basic(), scope] {
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    out.extend_from_slice(&hex::encode(canonical_hash));
}

/// Whether the list of signed headers is what a signer writes: lower case, sorted, none twice,
/// none empty, and no more than a request can have.
fn is_canonical(signed_headers: &str) -> bool {
    let in_alphabet = |it: u8| it.is_ascii_graphic() && !it.is_ascii_uppercase();
    signed_headers.bytes().all(in_alphabet)
        && signed_headers.split(';').is_sorted_by(|one, next| one < next)
        && !signed_headers.starts_with(';') // only the first could be empty
        && signed_headers.bytes().filter(|it| *it == b';').count() < MOST_SIGNED_HEADERS
}

/// Whether `x-amz-content-sha256`, if present, is the hash of the body that came.
///
/// `UNSIGNED-PAYLOAD` and `STREAMING-…` are none.
fn has_promised_body(request: &Request<'_>) -> bool {
    let mut promised = request.values("x-amz-content-sha256");
    promised.all(|it| it == hex::encode(&request.body_hash))
}

/// Holds the canonical request of any SDK's usual call.
const BUFFER: usize = 1024;
/// Each costs a search among the headers that came.
const MOST_SIGNED_HEADERS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_order_of_signed_headers() {
        for (list, canonical) in [
            ("host", true),
            ("content-type;host;x-amz-date", true),
            (":authority;x-amz-date", true),
            ("host;content-type", false),
            ("host;host", false),
            ("Host", false),
            ("host;X-Amz-Date", false),
            (";host", false),
            ("host;", false),
            ("host;;x", false),
            ("", true), // never gets here: `host` must be in it
            ("host;x y", false),
            ("host;x\ny", false),
            ("host;\u{e4}", false),
        ] {
            assert_eq!(is_canonical(list), canonical, "{list:?}");
        }
        let many = |count| (0..count).map(|it| format!("x{it:04}")).collect::<Vec<_>>().join(";");
        assert!(is_canonical(&many(MOST_SIGNED_HEADERS)));
        assert!(!is_canonical(&many(MOST_SIGNED_HEADERS + 1)));
    }
}
