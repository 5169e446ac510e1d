//! Ciphertext blobs: what Encrypt gives and Decrypt takes.
//!
//! ```text
//! "SR" ‖ version (1) ‖ algorithm (1) ‖ account (8) ‖ key id (16) ‖ material id (32) ‖ sealed message
//! ```
//!
//! The account is a number, big-endian; the key id is a UUID's bytes. The sealed message is
//! [`envelope::seal`]'s, bound to the key's ARN, the material and the encryption context: a header that was
//! changed leads to another key or material, under which the message doesn't open. 138 bytes longer than
//! the plaintext.

use crate::codec::{Reader, Writer, hex};
use crate::exception::Exception;
use crate::{Error, KmsKey, MaterialId, Place, Scope, data_key, material};
use base::{AccountId, Region, Sensitive};
use store::Txn;

/// A blob taken apart. Nothing of it is to be believed before it has opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ciphertext<'a> {
    account: AccountId,
    key_id: [u8; 16],
    material: MaterialId,
    sealed: &'a [u8],
}

const MAGIC: [u8; 2] = *b"SR";
const VERSION: u8 = 1;
/// AES-256-GCM under a key derived for the message; the key id is a UUID.
const SYMMETRIC: u8 = 1;

impl<'a> Ciphertext<'a> {
    /// Takes `blob` apart; `None` if its head is not one of ours.
    pub fn parse(blob: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(blob);
        if reader.raw()? != MAGIC || reader.raw()? != [VERSION, SYMMETRIC] {
            return None;
        }
        let account = AccountId::from_number(u64::from_be_bytes(reader.raw()?))?;
        let (key_id, material) = (reader.raw()?, MaterialId::from_bytes(reader.raw()?));
        Some(Self { account, key_id, material, sealed: reader.0 })
    }

    /// The blob as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let head = Writer::default().raw(&MAGIC).raw(&[VERSION, SYMMETRIC]);
        let head = head.raw(&self.account.number().to_be_bytes()).raw(&self.key_id);
        head.raw(self.material.as_bytes()).raw(self.sealed).done()
    }

    /// The ARN of the key that it says it was encrypted under, if that is one of `region`.
    pub fn key_arn(&self, region: &Region) -> String {
        let digits = hex::encode(&self.key_id);
        let mut id = String::with_capacity(36);
        for (place, digit) in digits.chars().enumerate() {
            if matches!(place, 8 | 12 | 16 | 20) {
                id.push('-');
            }
            id.push(digit);
        }
        Place::in_region(&self.account, region).arn(&format!("key/{id}"))
    }

    /// The material that it says it was encrypted under.
    pub fn material(&self) -> MaterialId {
        self.material
    }

    /// The plaintext, if it was encrypted under `key`, bound to `context`.
    pub(crate) async fn open(
        &self,
        txn: &mut Txn<'_>,
        scope: &Scope<'_>,
        key: &KmsKey,
        context: &[(&str, &str)],
    ) -> Result<Sensitive, Exception> {
        if !key.history().iter().any(|it| it.id == self.material) {
            return Err(Exception::InvalidCiphertext);
        }
        let material = material::load(txn, scope, &key.arn, self.material).await?;
        let aad = data_key::aad(&key.arn, self.material, context);
        envelope::open(&material, &aad, self.sealed).map_err(|_| Exception::InvalidCiphertext)
    }
}

/// The blob that holds `plaintext` under the current material of `key`, bound to `context`.
pub(crate) async fn encrypt(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    key: &KmsKey,
    context: &[(&str, &str)],
    plaintext: &Sensitive,
) -> Result<Sensitive, Exception> {
    let unusable = || Error::KeyNotFound { arn: key.arn.clone() };
    let account = key.place().account().parse().map_err(|_| unusable())?;
    let key_id = hex::decode(&key.id.replace('-', "")).and_then(|it| it.try_into().ok());
    let key_id = key_id.ok_or_else(unusable)?;
    let id = key.current()?;
    let material = material::load(txn, scope, &key.arn, id).await?;
    let aad = data_key::aad(&key.arn, id, context);
    let sealed = envelope::seal(&material, &aad, plaintext.expose(), scope.entropy);
    let sealed = sealed.map_err(Error::Seal)?;
    let blob = Ciphertext { account, key_id, material: id, sealed: &sealed };
    Ok(Sensitive::new(blob.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_head_says_key_and_material() {
        let blob = [
            b"SR\x01\x01".as_slice(),
            &111_122_223_333_u64.to_be_bytes(),
            &[0x12; 16],
            &[7; 32],
            b"sealed",
        ]
        .concat();
        let read = Ciphertext::parse(&blob).expect("a blob");
        let region = "eu-west-1".parse().expect("valid");
        assert_eq!(
            read.key_arn(&region),
            "arn:aws:kms:eu-west-1:111122223333:key/12121212-1212-1212-1212-121212121212"
        );
        assert_eq!(read.material(), MaterialId::from_bytes([7; 32]));
        assert_eq!(read.sealed, b"sealed");
        for cut in 0..60 {
            assert_eq!(Ciphertext::parse(&blob[..cut]), None, "{cut}");
        }
        let mut impossible = blob.clone();
        impossible[4] = 0xff;
        assert_eq!(Ciphertext::parse(&impossible), None, "an account has 12 digits");
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_unchanged(tail: Vec<u8>, cut in 0usize..200) {
            let blob = [b"SR\x01\x01\0\0\0\0".as_slice(), &tail].concat();
            let blob = &blob[..cut.min(blob.len())];
            if let Some(read) = Ciphertext::parse(blob) {
                prop_assert_eq!(read.to_bytes(), blob);
            }
        }
    }
}
