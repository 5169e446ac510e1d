//! Table: kinds of keys, as CreateKey is asked for them. One kind is built.
//!
//! Source: KMS API Reference, CreateKey.

use crate::access::{ENCRYPT_DECRYPT, SYMMETRIC};
use crate::exception::Exception;

/// The model's `KeyUsageType`.
pub(crate) const USAGES: &[&str] = &[
    "SIGN_VERIFY",
    ENCRYPT_DECRYPT,
    "GENERATE_VERIFY_MAC",
    "KEY_AGREEMENT",
    "ENCAPSULATE_DECAPSULATE",
];

/// The model's `OriginType`.
pub(crate) const ORIGINS: &[&str] = &["AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"];

/// The model's `KeySpec`.
pub(crate) const SPECS: &[&str] = &[
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    SYMMETRIC,
    "HMAC_224",
    "HMAC_256",
    "HMAC_384",
    "HMAC_512",
    "SM2",
    "ML_DSA_44",
    "ML_DSA_65",
    "ML_DSA_87",
    "ECC_NIST_EDWARDS25519",
    "ML_KEM_512",
    "ML_KEM_768",
    "ML_KEM_1024",
];

/// What kind of key is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// `KeySpec`, and the name it had before.
    pub(crate) specs: [Option<&'a str>; 2],
    pub(crate) usage: Option<&'a str>,
    pub(crate) origin: Option<&'a str>,
    /// Whether it is to be in a key store of its own.
    pub(crate) elsewhere: bool,
    pub(crate) multi_region: bool,
}

impl Wanted<'_> {
    /// The `KeySpec`.
    pub(crate) fn spec(&self) -> &str {
        self.specs.into_iter().flatten().next().unwrap_or(SYMMETRIC)
    }

    /// The `KeyUsage`.
    pub(crate) fn usage(&self) -> &str {
        self.usage.unwrap_or(ENCRYPT_DECRYPT)
    }

    /// The `Origin`.
    pub(crate) fn origin(&self) -> &str {
        self.origin.unwrap_or("AWS_KMS")
    }

    /// Whether it is a symmetric encryption key with material made here or brought along.
    pub(crate) fn check(&self) -> Result<(), Exception> {
        let (spec, usage, origin) = (self.spec(), self.usage(), self.origin());
        let invalid = |it: &str| Err(Exception::Invalid(it.to_owned()));
        let unsupported = |it: String| Err(Exception::Unsupported(it));
        if self.specs.iter().all(Option::is_some) {
            return invalid(
                "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. \
                 CustomerMasterKeySpec is deprecated.",
            );
        }
        if spec != SYMMETRIC && self.usage.is_none() {
            return invalid(
                "You must specify a KeyUsage value for all KMS keys except for symmetric \
                 encryption keys.",
            );
        }
        if spec != SYMMETRIC {
            return unsupported(format!("KeySpec {spec} is not supported."));
        }
        if usage != ENCRYPT_DECRYPT {
            return invalid(&format!("KeyUsage {usage} is not compatible with KeySpec {spec}"));
        }
        if !matches!(origin, "AWS_KMS" | "EXTERNAL") || self.elsewhere {
            return unsupported(format!("Origin {origin} is not supported."));
        }
        if self.multi_region {
            return unsupported("Multi-Region keys are not supported.".to_owned());
        }
        Ok(())
    }
}
