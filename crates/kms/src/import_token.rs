//! Import tokens: the private half of a wrapping key, on its way with the client.
//!
//! The wrapping key isn't stored here: the token holds it, sealed under the partition key and bound to the KMS
//! key. So nothing has to be kept, found and removed for imports that never come, a token works at each node
//! and after a restart, and pairs can't be mixed up. What is given up: a token can't be called back within its
//! day, and whoever keeps a token, what was sent with it *and* the partition key could read the material even
//! after it was deleted. Only its sender has the first two.

use crate::exception::Exception;
use crate::{Error, KmsKey, Purpose, Scope, open_local, seal_local};
use base::{Sensitive, Timestamp};
use envelope::transport::{Modulus, Wrapping, WrappingKey};
use std::time::Duration;
use store::Txn;

/// How long a token and its public key are good for.
pub(crate) const LIFETIME: Duration = Duration::from_hours(24);

/// The model's `AlgorithmSpec`.
pub(crate) const ALGORITHMS: &[&str] = &[
    "RSAES_PKCS1_V1_5",
    "RSAES_OAEP_SHA_1",
    "RSAES_OAEP_SHA_256",
    "RSA_AES_KEY_WRAP_SHA_1",
    "RSA_AES_KEY_WRAP_SHA_256",
    "SM2PKE",
];

/// What we take of it. AWS takes PKCS #1 v1.5 no longer, either.
const TAKEN: [(&str, Wrapping); 4] = [
    ("RSAES_OAEP_SHA_1", Wrapping::OaepSha1),
    ("RSAES_OAEP_SHA_256", Wrapping::OaepSha256),
    ("RSA_AES_KEY_WRAP_SHA_1", Wrapping::AesOaepSha1),
    ("RSA_AES_KEY_WRAP_SHA_256", Wrapping::AesOaepSha256),
];

/// The model's `WrappingKeySpec`.
pub(crate) const SPECS: &[&str] = &["RSA_2048", "RSA_3072", "RSA_4096", "SM2"];

/// The algorithm called `name`, if it is one we take.
pub(crate) fn wrapping(name: &str) -> Result<Wrapping, Exception> {
    let known = TAKEN.iter().find(|it| it.0 == name).map(|it| it.1);
    known.ok_or_else(|| unsupported("WrappingAlgorithm", name))
}

/// The length of a wrapping key of the kind `name`.
pub(crate) fn modulus(name: &str) -> Result<Modulus, Exception> {
    match name {
        "RSA_2048" => Ok(Modulus::Bits2048),
        "RSA_3072" => Ok(Modulus::Bits3072),
        "RSA_4096" => Ok(Modulus::Bits4096),
        _ => Err(unsupported("WrappingKeySpec", name)),
    }
}

/// What a token holds.
pub(crate) struct ImportToken {
    pub(crate) wrapping: Wrapping,
    pub(crate) ends: Timestamp,
    pub(crate) key: WrappingKey,
}

impl ImportToken {
    /// The token as bytes for imports into `key`.
    pub(crate) async fn seal(
        &self,
        txn: &mut Txn<'_>,
        scope: &Scope<'_>,
        key: &KmsKey,
    ) -> Result<Vec<u8>, Exception> {
        let private = self.key.private_der().ok_or(FAILED)?;
        let ends = self.ends.millis().to_be_bytes();
        let head = [self.wrapping as u8];
        let plain = Sensitive::new([&head[..], &ends, private.expose()].concat());
        Ok(seal_local(txn, scope, key.place(), purpose(key), &plain).await?)
    }

    /// What `bytes` hold, if they are a token for `key` that is still good.
    ///
    /// # Errors
    ///
    /// - [`Exception::ExpiredToken`]: its day is over.
    /// - [`Exception::InvalidToken`]: of another key, or no token.
    pub(crate) async fn open(
        txn: &mut Txn<'_>,
        scope: &Scope<'_>,
        key: &KmsKey,
        bytes: &[u8],
    ) -> Result<Self, Exception> {
        let opened = open_local(txn, scope, key.place(), purpose(key), bytes).await;
        let plain = opened.map_err(|error| match error {
            error @ (Error::Root(_) | Error::Store(_)) => error.into(),
            // The bytes name the partition key: they may be anybody's.
            _ => Exception::InvalidToken,
        })?;
        let token = Self::read(&plain).ok_or(Exception::InvalidToken)?;
        if token.ends <= scope.now { Err(Exception::ExpiredToken) } else { Ok(token) }
    }

    fn read(plain: &Sensitive) -> Option<Self> {
        let ([wrapping], rest) = plain.expose().split_first_chunk()?;
        let wrapping = TAKEN.iter().map(|it| it.1).find(|it| *it as u8 == *wrapping)?;
        let (ends, private) = rest.split_first_chunk()?;
        let ends = Timestamp::from_millis(i64::from_be_bytes(*ends));
        let key = WrappingKey::from_private_der(&Sensitive::from(private))?;
        Some(Self { wrapping, ends, key })
    }
}

fn purpose(key: &KmsKey) -> Purpose<'_> {
    Purpose { what: "import-token", whose: &key.id }
}

fn unsupported(member: &str, name: &str) -> Exception {
    Exception::Unsupported(format!("{member} {name} is not supported."))
}

/// The crypto library failed.
pub(crate) const FAILED: Exception = Exception::Keys(Error::Seal(envelope::SealError::Failed));
