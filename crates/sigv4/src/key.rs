//! The key that signs: one secret, narrowed to one day, Region and service.

use crate::TERMINATOR;
use aws_lc_rs::{constant_time, hmac};
use base::Sensitive;
use std::fmt;
use zeroize::Zeroizing;

/// What signs for one access key on one day in one Region at one service.
///
/// Wiped when dropped, never printed. Good for caching in place of the secret: it is worth
/// nothing tomorrow or at another service.
pub struct SigningKey {
    /// Set up once; the library wipes it.
    key: hmac::Key,
    /// Whether anybody holds this key; see [`SigningKey::dummy`].
    genuine: bool,
}

impl SigningKey {
    /// Narrows `secret` to the scope that a request was signed for.
    ///
    /// `date` is `YYYYMMDD`; all three come from [`Scoped`](crate::Scoped), as signed.
    ///
    /// Source: IAM User Guide, "Create a signed AWS API request", step 4.
    pub fn derive(secret: &Sensitive, date: &str, region: &str, service: &str) -> Self {
        Self::of(&narrowed(secret, [date, region, service, TERMINATOR]), true)
    }

    /// A key nobody holds, to verify with when the access key is unknown; see
    /// [`Scoped::reject_unknown_key`](crate::Scoped::reject_unknown_key).
    ///
    /// Costs as much as a real one and accepts no signature, not even one made with its own
    /// bytes.
    pub fn dummy() -> Self {
        Self::of(&[0x5A; 32], false)
    }

    /// The signature of `text`.
    pub(crate) fn sign(&self, text: &[u8]) -> [u8; 32] {
        let mut signature = [0; 32];
        tag(&self.key, text, &mut signature);
        signature
    }

    fn of(bytes: &[u8; 32], genuine: bool) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, bytes), genuine }
    }

    /// Whether `signature` is this key's under `text`; takes the same time wherever it differs.
    pub(crate) fn signed(&self, text: &[u8], signature: &[u8; 32]) -> bool {
        let expected = self.sign(text);
        constant_time::verify_slices_are_equal(&expected, signature).is_ok() & self.genuine
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SigningKey(••••)")
    }
}

/// The bytes of the key: `AWS4` and the secret, narrowed by each element in turn.
fn narrowed(secret: &Sensitive, elements: [&str; 4]) -> Zeroizing<[u8; 32]> {
    let mut seed = Zeroizing::new(Vec::with_capacity(4 + secret.len()));
    seed.extend_from_slice(b"AWS4");
    seed.extend_from_slice(secret.expose());
    let mut bytes = Zeroizing::new([0; 32]);
    let [date, narrower @ ..] = elements;
    mac(&seed, date.as_bytes(), &mut bytes);
    for element in narrower {
        let key = bytes.clone();
        mac(&*key, element.as_bytes(), &mut bytes);
    }
    bytes
}

/// HMAC-SHA-256 of `text` under `key`, into `out`.
fn mac(key: &[u8], text: &[u8], out: &mut [u8; 32]) {
    tag(&hmac::Key::new(hmac::HMAC_SHA256, key), text, out);
}

fn tag(key: &hmac::Key, text: &[u8], out: &mut [u8; 32]) {
    #[expect(clippy::expect_used, reason = "fails only if `out` is shorter than a SHA-256 tag")]
    hmac::sign_to_buffer(key, text, out).expect("32 bytes hold the tag");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    fn secret() -> Sensitive {
        Sensitive::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned())
    }

    /// Observed: AWS General Reference, "Examples of how to derive a signing key".
    #[test]
    fn derives_the_documented_example() {
        let bytes = narrowed(&secret(), ["20150830", "us-east-1", "iam", TERMINATOR]);
        let expected = "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9";
        assert_eq!(hex::encode(&bytes), *expected.as_bytes());
    }

    #[test]
    fn each_element_matters() {
        let keys = [
            SigningKey::derive(&secret(), "20150830", "us-east-1", "kms"),
            SigningKey::derive(&secret(), "20150831", "us-east-1", "kms"),
            SigningKey::derive(&secret(), "20150830", "us-east-2", "kms"),
            SigningKey::derive(&secret(), "20150830", "us-east-1", "ssm"),
            SigningKey::derive(&Sensitive::default(), "20150830", "us-east-1", "kms"),
        ];
        for (place, key) in keys.iter().enumerate() {
            assert!(key.signed(b"text", &key.sign(b"text")));
            let others = keys.iter().skip(place + 1);
            assert!(others.clone().all(|other| !other.signed(b"text", &key.sign(b"text"))));
        }
    }

    #[test]
    fn the_dummy_accepts_nothing() {
        let dummy = SigningKey::dummy();
        assert!(!dummy.signed(b"text", &dummy.sign(b"text")));
    }

    #[test]
    fn debug_shows_nothing() {
        let key = SigningKey::of(&[0xAB; 32], true);
        assert_eq!(format!("{key:?}"), format!("{:?}", SigningKey::dummy()));
    }
}
