//! Signatures by the private key of a certificate: what is signed is the same, only the key differs.
//!
//! Source: IAM Roles Anywhere User Guide, "The authentication signing process".

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P521_SHA256_ASN1,
    RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};

/// How a certificate's key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// On the curve P-256, P-384 or P-521.
    Ecdsa,
    /// With PKCS #1 v1.5 and 2048 to 8192 bits.
    Rsa,
}

impl Scheme {
    /// The scheme by its name on the wire.
    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        [Self::Ecdsa, Self::Rsa].into_iter().find(|it| it.name().as_bytes() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ecdsa => "AWS4-X509-ECDSA-SHA256",
            Self::Rsa => "AWS4-X509-RSA-SHA256",
        }
    }

    /// Whether `signature` of `text` was made with the private key to `public_key`, a
    /// `SubjectPublicKeyInfo` in DER.
    pub(crate) fn signed(self, public_key: &[u8], text: &[u8], signature: &[u8]) -> bool {
        // A key is on one curve: the others don't take it.
        let algorithms: &[&'static dyn VerificationAlgorithm] = match self {
            Self::Ecdsa => {
                &[&ECDSA_P256_SHA256_ASN1, &ECDSA_P384_SHA256_ASN1, &ECDSA_P521_SHA256_ASN1]
            }
            Self::Rsa => &[&RSA_PKCS1_2048_8192_SHA256],
        };
        let mut keys = algorithms.iter().map(|it| UnparsedPublicKey::new(*it, public_key));
        keys.any(|key| key.verify(text, signature).is_ok())
    }
}
