//! Sealed messages, byte by byte.
//!
//! ```text
//! derived     D6 ‖ 01 ‖ salt (32) ‖ commitment (16) ‖ nonce (12) ‖ ciphertext ‖ tag (16)
//! single-use  D6 ‖ 02 ‖ nonce (12) ‖ ciphertext ‖ tag (16)
//! ```
//!
//! **Derived** ([`seal`]) is for keys that seal many messages. Each message has a key of its own,
//! and a commitment to the sealing key, both by SP 800-108 KBKDF in counter mode with
//! HMAC-SHA-256 over `label ‖ 00 ‖ D6 01 ‖ salt ‖ length in bits (u32, big-endian)`. The label is
//! the [`Label`](crate::Label)'s text for the key (256 bits) and `commit` for the commitment
//! (128 bits). So the limit of 2³² random nonces for one key never comes near, and a message can't
//! open under two keys, as plain AES-GCM would allow.
//!
//! **Single-use** ([`seal_once`]) is for data keys: the key is consumed by its only message, so
//! nothing has to be derived. The nonce is drawn inside the crypto module.
//!
//! Both: AES-256-GCM, with the bytes of [`Aad`] as associated data.
//!
//! Source: NIST SP 800-38D §8.3, SP 800-108r1 §4.1; Bellare and Hoang, "Efficient schemes for
//! committing authenticated encryption". Vectors: `tests/vectors/envelope/`.

use crate::{Aad, Key};
use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, Nonce, RandomizedNonceKey, UnboundKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::kdf::{
    KbkdfCtrHmacAlgorithm, KbkdfCtrHmacAlgorithmId, get_kbkdf_ctr_hmac_algorithm, kbkdf_ctr_hmac,
};
use base::{Entropy, Sensitive};
use zeroize::Zeroizing;

/// The most bytes one message may hold.
pub const MAX_PLAINTEXT: usize = 128 * 1024;

/// How many bytes [`seal`] adds.
pub const OVERHEAD: usize = 2 + SALT + COMMITMENT + NONCE + TAG;

/// How many bytes [`seal_once`] adds.
pub const OVERHEAD_ONCE: usize = 2 + NONCE + TAG;

/// Why nothing was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The crypto library refused; it does so for no input we know.
    #[error("the crypto library failed")]
    Failed,
    /// The plaintext is over [`MAX_PLAINTEXT`] or the binding over [`Aad::MAX_LEN`].
    #[error("too long to be sealed")]
    TooLong,
}

/// Why nothing was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The bytes, or what they are bound to, are not those that were sealed.
    #[error("the sealed bytes, or the place they are bound to, have changed")]
    Changed,
    /// Not a sealed message: too short, too long, or a construction this program doesn't know.
    #[error("not a sealed message that this program knows")]
    Foreign,
    /// Sealed under another key.
    #[error("sealed under another key")]
    OtherKey,
}

/// Seals `plaintext` under `key`, bound to `aad`. The key may seal any number of messages.
///
/// # Errors
///
/// - [`SealError::TooLong`]: the plaintext or the binding is beyond its bound.
pub fn seal(
    key: &Key,
    aad: &Aad,
    plaintext: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, SealError> {
    check_lengths(aad, plaintext)?;
    let salt: [u8; SALT] = entropy.bytes();
    let nonce: [u8; NONCE] = entropy.bytes();
    let secrets = PerMessage::derive(key, aad.label().as_str(), &salt);
    let PerMessage { key, commitment } = secrets.ok_or(SealError::Failed)?;

    let mut out = Vec::with_capacity(OVERHEAD + plaintext.len());
    out.extend_from_slice(&[MAGIC, DERIVED]);
    out.extend_from_slice(&salt);
    out.extend_from_slice(&commitment);
    out.extend_from_slice(&nonce);
    let start = out.len();
    out.resize(start + plaintext.len() + TAG, 0);
    let (_, sealed) = out.split_at_mut(start);
    let (ciphertext, tag) = sealed.split_at_mut(plaintext.len());
    aes(&key)
        .and_then(|aes| {
            let nonce = Nonce::assume_unique_for_key(nonce);
            let aad = aws_lc_rs::aead::Aad::from(aad.as_bytes());
            aes.seal_out_of_place_scatter(nonce, aad, plaintext, ciphertext, &[], tag).ok()
        })
        .ok_or(SealError::Failed)?;
    Ok(out)
}

/// Opens what [`seal`] has sealed.
///
/// The commitment is compared first, in constant time; only then is anything decrypted.
///
/// # Errors
///
/// - [`OpenError::Changed`]: altered, or bound to something else.
/// - [`OpenError::Foreign`]: no message of [`seal`].
/// - [`OpenError::OtherKey`]: the commitment is to another key.
pub fn open(key: &Key, aad: &Aad, sealed: &[u8]) -> Result<Sensitive, OpenError> {
    let body = Body::derived(key, aad, sealed)?;
    let mut plaintext = Sensitive::new(vec![0; body.ciphertext.len()]);
    body.open_into(aad, plaintext.expose_mut())?;
    Ok(plaintext)
}

/// Seals the bytes of `inner` under `key`.
///
/// # Errors
///
/// As [`seal`].
pub fn wrap(
    key: &Key,
    aad: &Aad,
    inner: &Key,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, SealError> {
    seal(key, aad, inner.expose(), entropy)
}

/// Opens what [`wrap`] has sealed.
///
/// # Errors
///
/// As [`open`]; [`OpenError::Foreign`] too if the content is no key.
pub fn unwrap(key: &Key, aad: &Aad, sealed: &[u8]) -> Result<Key, OpenError> {
    let body = Body::derived(key, aad, sealed)?;
    if body.ciphertext.len() != Key::LEN {
        return Err(OpenError::Foreign);
    }
    let mut inner = Key::fill_with(|_| ());
    body.open_into(aad, inner.expose_mut())?;
    Ok(inner)
}

/// Seals `plaintext` under a data key, which is used up.
///
/// # Errors
///
/// As [`seal`].
#[expect(clippy::needless_pass_by_value, reason = "the key must not seal a second message")]
pub fn seal_once(key: Key, aad: &Aad, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
    check_lengths(aad, plaintext)?;
    let mut out = Zeroizing::new(Vec::with_capacity(OVERHEAD_ONCE + plaintext.len()));
    out.extend_from_slice(&[MAGIC, SINGLE_USE]);
    out.extend_from_slice(&[0; NONCE]);
    out.extend_from_slice(plaintext);

    let aes = RandomizedNonceKey::new(&AES_256_GCM, key.expose()).map_err(|_| SealError::Failed)?;
    let (header, body) = out.split_at_mut(2 + NONCE);
    let aad = aws_lc_rs::aead::Aad::from(aad.as_bytes());
    let (nonce, tag) = aes.seal_in_place_separate_tag(aad, body).map_err(|_| SealError::Failed)?;
    for (to, from) in header.iter_mut().skip(2).zip(nonce.as_ref()) {
        *to = *from;
    }
    out.extend_from_slice(tag.as_ref());
    Ok(std::mem::take(&mut *out))
}

/// Opens what [`seal_once`] has sealed.
///
/// # Errors
///
/// - [`OpenError::Changed`]: altered, bound to something else, or under another key: which of the
///   three can't be told without a commitment.
/// - [`OpenError::Foreign`]: no message of [`seal_once`].
pub fn open_once(key: &Key, aad: &Aad, sealed: &[u8]) -> Result<Sensitive, OpenError> {
    let body = Body::single_use(key, aad, sealed).ok_or(OpenError::Foreign)?;
    let mut plaintext = Sensitive::new(vec![0; body.ciphertext.len()]);
    body.open_into(aad, plaintext.expose_mut())?;
    Ok(plaintext)
}

/// 16 bytes that tell keys apart and tell nothing about them.
///
/// The same key and `purpose` always give the same bytes.
pub fn fingerprint(key: &Key, purpose: &str) -> Option<[u8; 16]> {
    let mut out = [0; 16];
    derive(key, purpose, &[0; SALT], &mut out)?;
    Some(out)
}

/// A sealed message taken apart, with the key that opens it.
struct Body<'a> {
    key: Zeroizing<[u8; Key::LEN]>,
    nonce: [u8; NONCE],
    ciphertext: &'a [u8],
    tag: &'a [u8; TAG],
}

impl<'a> Body<'a> {
    fn derived(key: &Key, aad: &Aad, sealed: &'a [u8]) -> Result<Self, OpenError> {
        let parts = || {
            let ([magic, construction], rest) = sealed.split_first_chunk()?;
            let (salt, rest) = rest.split_first_chunk::<SALT>()?;
            let (commitment, rest) = rest.split_first_chunk::<COMMITMENT>()?;
            let known = (*magic, *construction) == (MAGIC, DERIVED);
            (known && bounded(aad, sealed)).then_some((salt, commitment, rest))
        };
        let (salt, commitment, rest) = parts().ok_or(OpenError::Foreign)?;
        let secrets = PerMessage::derive(key, aad.label().as_str(), salt);
        let secrets = secrets.ok_or(OpenError::Foreign)?;
        verify_slices_are_equal(&secrets.commitment, commitment)
            .map_err(|_| OpenError::OtherKey)?;
        Self::split(secrets.key, rest).ok_or(OpenError::Foreign)
    }

    fn single_use(key: &Key, aad: &Aad, sealed: &'a [u8]) -> Option<Self> {
        let ([magic, construction], rest) = sealed.split_first_chunk()?;
        let known = (*magic, *construction) == (MAGIC, SINGLE_USE);
        if !known || !bounded(aad, sealed) {
            return None;
        }
        Self::split(Zeroizing::new(*key.expose()), rest)
    }

    fn split(key: Zeroizing<[u8; Key::LEN]>, rest: &'a [u8]) -> Option<Self> {
        let (nonce, rest) = rest.split_first_chunk()?;
        let (ciphertext, tag) = rest.split_last_chunk()?;
        Some(Self { key, nonce: *nonce, ciphertext, tag })
    }

    /// `out` must be as long as the ciphertext; it is zeros when this fails.
    fn open_into(&self, aad: &Aad, out: &mut [u8]) -> Result<(), OpenError> {
        let opened = aes(&self.key).and_then(|aes| {
            let nonce = Nonce::assume_unique_for_key(self.nonce);
            let aad = aws_lc_rs::aead::Aad::from(aad.as_bytes());
            aes.open_separate_gather(nonce, aad, self.ciphertext, self.tag, out).ok()
        });
        opened.ok_or_else(|| {
            out.fill(0);
            OpenError::Changed
        })
    }
}

/// What KBKDF makes of a key and a message's salt.
struct PerMessage {
    key: Zeroizing<[u8; Key::LEN]>,
    commitment: [u8; COMMITMENT],
}

impl PerMessage {
    fn derive(key: &Key, label: &str, salt: &[u8; SALT]) -> Option<Self> {
        let mut message = Self { key: Zeroizing::default(), commitment: [0; COMMITMENT] };
        derive(key, label, salt, &mut *message.key)?;
        derive(key, "commit", salt, &mut message.commitment)?;
        Some(message)
    }
}

fn derive(key: &Key, label: &str, salt: &[u8; SALT], out: &mut [u8]) -> Option<()> {
    let bits = u32::try_from(out.len()).ok()?.checked_mul(8)?;
    let mut info = Vec::with_capacity(64);
    info.extend_from_slice(label.as_bytes());
    info.extend_from_slice(&[0, MAGIC, DERIVED]);
    info.extend_from_slice(salt);
    info.extend_from_slice(&bits.to_be_bytes());
    kbkdf_ctr_hmac(KBKDF?, key.expose(), &info, out).ok()
}

fn aes(key: &[u8; Key::LEN]) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key).ok().map(LessSafeKey::new)
}

fn check_lengths(aad: &Aad, plaintext: &[u8]) -> Result<(), SealError> {
    let fits = plaintext.len() <= MAX_PLAINTEXT && aad.as_bytes().len() <= Aad::MAX_LEN;
    fits.then_some(()).ok_or(SealError::TooLong)
}

fn bounded(aad: &Aad, sealed: &[u8]) -> bool {
    sealed.len() <= MAX_PLAINTEXT + OVERHEAD && aad.as_bytes().len() <= Aad::MAX_LEN
}

const MAGIC: u8 = 0xD6;
const DERIVED: u8 = 1;
const SINGLE_USE: u8 = 2;
const SALT: usize = 32;
const COMMITMENT: usize = 16;
const NONCE: usize = 12;
const TAG: usize = 16;
const KBKDF: Option<&KbkdfCtrHmacAlgorithm> =
    get_kbkdf_ctr_hmac_algorithm(KbkdfCtrHmacAlgorithmId::Sha256);

#[cfg(test)]
mod tests;
