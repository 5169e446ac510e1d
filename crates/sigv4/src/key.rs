//! The key that signs: one secret, narrowed to one day, Region and service.

use crate::TERMINATOR;
use aws_lc_rs::{constant_time, hmac};
use base::Sensitive;
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The 32 bytes that sign for one access key on one day in one Region at one service.
///
/// Wiped when dropped, never printed. Good for caching in place of the secret: it is worth
/// nothing tomorrow or at another service.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SigningKey {
    bytes: [u8; 32],
    /// Whether anybody holds this key; see [`SigningKey::dummy`].
    #[zeroize(skip)]
    genuine: bool,
}

impl SigningKey {
    /// Narrows `secret` to the scope that a request was signed for.
    ///
    /// `date` is `YYYYMMDD`; all three come from [`Scoped`](crate::Scoped), as signed.
    ///
    /// Source: IAM User Guide, "Create a signed AWS API request", step 4.
    pub fn derive(secret: &Sensitive, date: &str, region: &str, service: &str) -> Self {
        let mut seed = Zeroizing::new(Vec::with_capacity(4 + secret.len()));
        seed.extend_from_slice(b"AWS4");
        seed.extend_from_slice(secret.expose());
        let mut bytes = [0; 32];
        mac(&seed, date.as_bytes(), &mut bytes);
        for element in [region, service, TERMINATOR] {
            let key = Zeroizing::new(bytes);
            mac(&*key, element.as_bytes(), &mut bytes);
        }
        Self { bytes, genuine: true }
    }

    /// A key nobody holds, to verify with when the access key is unknown; see
    /// [`Scoped::reject_unknown_key`](crate::Scoped::reject_unknown_key).
    ///
    /// Costs as much as a real one and accepts no signature, not even one made with its own
    /// bytes.
    pub fn dummy() -> Self {
        Self { bytes: [0x5A; 32], genuine: false }
    }

    /// The signature of `text`.
    pub(crate) fn sign(&self, text: &[u8]) -> [u8; 32] {
        let mut signature = [0; 32];
        mac(&self.bytes, text, &mut signature);
        signature
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

/// HMAC-SHA-256 of `text` under `key`, into `out`.
fn mac(key: &[u8], text: &[u8], out: &mut [u8; 32]) {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    #[expect(clippy::expect_used, reason = "fails only if `out` is shorter than a SHA-256 tag")]
    hmac::sign_to_buffer(&key, text, out).expect("32 bytes hold the tag");
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
        let key = SigningKey::derive(&secret(), "20150830", "us-east-1", "iam");
        let expected = "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9";
        assert_eq!(hex::encode(&key.bytes), *expected.as_bytes());
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
        let key = SigningKey { bytes: [0xAB; 32], genuine: true };
        assert_eq!(format!("{key:?}"), format!("{:?}", SigningKey::dummy()));
    }
}
