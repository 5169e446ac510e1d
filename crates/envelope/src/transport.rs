//! How a key that was made elsewhere travels here: wrapped by an RSA key made for it.
//!
//! The one thing of this crate whose randomness isn't handed in: the RSA key's primes come from the crypto
//! library's own generator, which takes no other.
//!
//! Source: RFC 8017 §7.1 (OAEP), RFC 5649 (AES key wrap with padding); KMS Developer Guide, "Select a wrapping
//! algorithm".

use crate::Key;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey,
    PrivateDecryptingKey,
};
use base::Sensitive;

/// How long the modulus of a wrapping key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modulus {
    /// 2048 bits.
    Bits2048,
    /// 3072 bits.
    Bits3072,
    /// 4096 bits.
    Bits4096,
}

/// How the sender wraps its key. The numbers are kept in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapping {
    /// The key itself by RSAES-OAEP, with SHA-1 in both places.
    OaepSha1 = 1,
    /// The same with SHA-256.
    OaepSha256,
    /// An AES-256 key by RSAES-OAEP with SHA-1, and behind it the key by AES key wrap with padding.
    AesOaepSha1,
    /// The same with SHA-256.
    AesOaepSha256,
}

/// Why nothing came out. It says no more, for whoever tries out ciphertexts learns from each word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a wrapped key of 32 bytes")]
pub struct NotAKey;

/// An RSA key that unwraps what was wrapped by its public half.
pub struct WrappingKey(PrivateDecryptingKey);

impl WrappingKey {
    /// A fresh key. Takes a tenth of a second to some seconds: not for an async task.
    ///
    /// `None` if the crypto library failed.
    pub fn generate(modulus: Modulus) -> Option<Self> {
        PrivateDecryptingKey::generate(match modulus {
            Modulus::Bits2048 => KeySize::Rsa2048,
            Modulus::Bits3072 => KeySize::Rsa3072,
            Modulus::Bits4096 => KeySize::Rsa4096,
        })
        .map(Self)
        .ok()
    }

    /// The key as PKCS #8, to be sealed.
    pub fn private_der(&self) -> Option<Sensitive> {
        let der: Pkcs8V1Der<'_> = self.0.as_der().ok()?;
        Some(Sensitive::from(der.as_ref()))
    }

    /// The key that [`WrappingKey::private_der`] has written.
    pub fn from_private_der(der: &Sensitive) -> Option<Self> {
        PrivateDecryptingKey::from_pkcs8(der.expose()).map(Self).ok()
    }

    /// The public half as a DER-encoded `SubjectPublicKeyInfo`.
    pub fn public_der(&self) -> Option<Vec<u8>> {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der().ok()?;
        Some(der.as_ref().to_vec())
    }

    /// The key in `sealed`, which was wrapped by the public half.
    ///
    /// # Errors
    ///
    /// - [`NotAKey`]: wrapped otherwise, changed, or not 32 bytes long.
    pub fn unwrap(&self, wrapping: Wrapping, sealed: &[u8]) -> Result<Key, NotAKey> {
        let oaep = match wrapping {
            Wrapping::OaepSha1 | Wrapping::AesOaepSha1 => &OAEP_SHA1_MGF1SHA1,
            Wrapping::OaepSha256 | Wrapping::AesOaepSha256 => &OAEP_SHA256_MGF1SHA256,
        };
        match wrapping {
            Wrapping::OaepSha1 | Wrapping::OaepSha256 => self.open(oaep, sealed),
            Wrapping::AesOaepSha1 | Wrapping::AesOaepSha256 => {
                let (head, tail) =
                    sealed.split_at_checked(self.0.key_size_bytes()).ok_or(NotAKey)?;
                let wrapper = self.open(oaep, head)?;
                let kek = AesKek::new(&AES_256, wrapper.expose()).map_err(|_| NotAKey)?;
                // Padded to whole blocks of eight, and one in front; anything longer is no key.
                if tail.len() != Key::LEN + 8 {
                    return Err(NotAKey);
                }
                let mut out = Sensitive::new(vec![0; Key::LEN + 8]);
                let opened = kek.unwrap_with_padding(tail, out.expose_mut());
                key(opened.map_err(|_| NotAKey)?)
            }
        }
    }

    /// The 32 bytes that `sealed` holds by OAEP.
    fn open(&self, oaep: &'static OaepAlgorithm, sealed: &[u8]) -> Result<Key, NotAKey> {
        let rsa = OaepPrivateDecryptingKey::new(self.0.clone()).map_err(|_| NotAKey)?;
        let mut out = Sensitive::new(vec![0; rsa.min_output_size()]);
        let opened = rsa.decrypt(oaep, sealed, out.expose_mut(), None);
        key(opened.map_err(|_| NotAKey)?)
    }
}

impl std::fmt::Debug for WrappingKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "WrappingKey({} bits)", self.0.key_size_bits())
    }
}

fn key(bytes: &[u8]) -> Result<Key, NotAKey> {
    let bytes: &[u8; Key::LEN] = bytes.try_into().map_err(|_| NotAKey)?;
    Ok(Key::fill_with(|it| it.copy_from_slice(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rsa::{OaepPublicEncryptingKey, PublicEncryptingKey};

    const ALL: [Wrapping; 4] =
        [Wrapping::OaepSha1, Wrapping::OaepSha256, Wrapping::AesOaepSha1, Wrapping::AesOaepSha256];

    fn oaep(public: &[u8], wrapping: Wrapping, plain: &[u8]) -> Vec<u8> {
        let algorithm = match wrapping {
            Wrapping::OaepSha1 | Wrapping::AesOaepSha1 => &OAEP_SHA1_MGF1SHA1,
            Wrapping::OaepSha256 | Wrapping::AesOaepSha256 => &OAEP_SHA256_MGF1SHA256,
        };
        let public = PublicEncryptingKey::from_der(public).expect("a public key");
        let public = OaepPublicEncryptingKey::new(public).expect("a public key");
        let mut out = vec![0; public.ciphertext_size()];
        public.encrypt(algorithm, plain, &mut out, None).expect("fits").to_vec()
    }

    fn sent(public: &[u8], wrapping: Wrapping, plain: &[u8]) -> Vec<u8> {
        if matches!(wrapping, Wrapping::OaepSha1 | Wrapping::OaepSha256) {
            return oaep(public, wrapping, plain);
        }
        let kek = AesKek::new(&AES_256, &[9; 32]).expect("a key");
        let mut out = vec![0; plain.len() + 15];
        let tail = kek.wrap_with_padding(plain, &mut out).expect("fits");
        [oaep(public, wrapping, &[9; 32]), tail.to_vec()].concat()
    }

    #[test]
    fn a_key_arrives_by_each_algorithm_and_by_no_other() {
        let made = WrappingKey::generate(Modulus::Bits2048).expect("made");
        let public = made.public_der().expect("written");
        let kept = made.private_der().expect("written");
        let read = WrappingKey::from_private_der(&kept).expect("read");
        for wrapping in ALL {
            let sealed = sent(&public, wrapping, &[7; 32]);
            assert_eq!(read.unwrap(wrapping, &sealed).expect("opens").expose(), &[7; 32]);
            for other in ALL.into_iter().filter(|it| *it != wrapping) {
                assert_eq!(read.unwrap(other, &sealed).err(), Some(NotAKey), "{other:?}");
            }
            for length in [0, 16, 31, 33, 64] {
                let odd = vec![7; length];
                if length == 0
                    && matches!(wrapping, Wrapping::AesOaepSha1 | Wrapping::AesOaepSha256)
                {
                    continue; // nothing can't be wrapped that way
                }
                let sealed = sent(&public, wrapping, &odd);
                assert_eq!(read.unwrap(wrapping, &sealed).err(), Some(NotAKey), "{length}");
            }
            for cut in [0, 1, 255, 256, 257, sealed.len() - 1] {
                let cut = &sealed[..cut.min(sealed.len() - 1)];
                assert_eq!(read.unwrap(wrapping, cut).err(), Some(NotAKey));
            }
            let mut changed = sealed.clone();
            *changed.last_mut().expect("some") ^= 1;
            assert_eq!(read.unwrap(wrapping, &changed).err(), Some(NotAKey));
        }
        assert_eq!(format!("{made:?}"), "WrappingKey(2048 bits)");
    }

    #[test]
    fn other_bytes_are_no_wrapping_key() {
        for bytes in [&b""[..], b"x", &[0x30, 0x82, 0xff, 0xff]] {
            assert!(WrappingKey::from_private_der(&Sensitive::from(bytes)).is_none());
        }
    }
}
