//! The keys that sign heads of the journal and check them.

use crate::Error;
use crate::hash::{hex, unhex};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base::{Entropy, Sensitive};
use std::fmt;
use std::str::FromStr;

/// The Ed25519 key that signs heads.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// A new key, as PKCS#8 (version 2, DER): what [`SigningKey::from_bytes`] reads.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "any 32 bytes are a key, and every key has this form"
    )]
    pub fn generate(entropy: &dyn Entropy) -> Sensitive {
        let mut seed = Sensitive::new(vec![0; 32]);
        entropy.fill(seed.expose_mut());
        let key = Ed25519KeyPair::from_seed_unchecked(seed.expose()).ok();
        let form = key.and_then(|it| it.to_pkcs8().ok()).expect("32 bytes are a key");
        Sensitive::from(form.as_ref())
    }

    /// The key from its PKCS#8 form.
    ///
    /// # Errors
    ///
    /// - [`Error::Key`]: it isn't one.
    pub fn from_bytes(pkcs8: &Sensitive) -> Result<Self, Error> {
        Ed25519KeyPair::from_pkcs8(pkcs8.expose()).map(Self).map_err(|_| Error::Key)
    }

    /// The key that checks what this one signs.
    pub fn public(&self) -> PublicKey {
        let mut key = PublicKey([0; 32]);
        let bytes = self.0.public_key().as_ref();
        key.0.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        key
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        let made = self.0.sign(message);
        signature.iter_mut().zip(made.as_ref()).for_each(|(to, from)| *to = *from);
        signature
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SigningKey({})", self.public())
    }
}

/// The key that checks heads, printed as `ed25519 ` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    pub(crate) fn confirms(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ed25519 {}", hex(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for PublicKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let digits = text.strip_prefix("ed25519 ").ok_or(Error::Key)?;
        unhex(digits.as_bytes()).map(Self).ok_or(Error::Key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::SystemEntropy;

    #[test]
    fn a_key_survives_its_form_and_confirms_only_its_own() {
        let bytes = SigningKey::generate(&SystemEntropy);
        let key = SigningKey::from_bytes(&bytes).expect("a key");
        let other = SigningKey::from_bytes(&SigningKey::generate(&SystemEntropy)).expect("a key");
        let public: PublicKey = key.public().to_string().parse().expect("a public key");
        assert_eq!(public, key.public());
        assert!(public.confirms(b"x", &key.sign(b"x")));
        assert!(!public.confirms(b"y", &key.sign(b"x")));
        assert!(!public.confirms(b"x", &other.sign(b"x")));
        assert!(!format!("{key:?}").contains(&hex(&bytes.expose()[16..48])));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for bytes in [&b""[..], b"ed25519", &[0x30; 83]] {
            assert!(SigningKey::from_bytes(&Sensitive::from(bytes)).is_err());
        }
        for text in ["", "ed25519 ", "ed25519 00", &format!("rsa {}", "0".repeat(64))] {
            assert!(text.parse::<PublicKey>().is_err(), "{text}");
        }
    }
}
