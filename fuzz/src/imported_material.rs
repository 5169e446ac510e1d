//! Wrapped key material, and wrapping keys, of ImportKeyMaterial.

use base::Sensitive;
use envelope::transport::{Modulus, Wrapping, WrappingKey};
use std::sync::OnceLock;

/// Takes `input` for wrapped material, and for the private key of a token.
///
/// Nobody has wrapped anything for our key, so nothing comes out. A wrapping key that is read is one that can
/// be written.
pub fn imported_material(input: &[u8]) {
    static KEY: OnceLock<WrappingKey> = OnceLock::new();
    let key = KEY.get_or_init(|| WrappingKey::generate(Modulus::Bits2048).expect("made"));
    for wrapping in [
        Wrapping::OaepSha1,
        Wrapping::OaepSha256,
        Wrapping::AesOaepSha1,
        Wrapping::AesOaepSha256,
    ] {
        assert!(key.unwrap(wrapping, input).is_err(), "{wrapping:?}");
    }
    if let Some(read) = WrappingKey::from_private_der(&Sensitive::from(input)) {
        assert!(read.private_der().is_some() && read.public_der().is_some());
    }
}
