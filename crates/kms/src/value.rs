//! Secret values: each under a data key of its own.

use crate::codec::{Reader, Writer};
use crate::data_key::wrap_data_key;
use crate::{Error, KmsKey, MaterialId, Place, Scope, WrappedDataKey};
use crate::{generate_data_key, open_data_key, partition::located};
use base::Sensitive;
use envelope::{Aad, Label, message};
use store::Txn;

/// What a value is bound to besides the scope's account and Region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding<'a> {
    /// The secret's ARN, with its six random characters.
    pub secret_arn: &'a str,
    /// The id of the version that holds the value.
    pub version_id: &'a str,
    /// What kind of value it is.
    pub kind: Kind,
}

/// How a value was given and is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `SecretBinary`.
    Binary,
    /// `SecretString`.
    String,
}

/// A sealed value: ciphertext, and its data key wrapped by one or more KMS keys.
///
/// More than one after the secret's key was changed: then any of them opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    data_keys: Vec<WrappedDataKey>,
    ciphertext: Vec<u8>,
}

/// Seals `value` under a fresh data key of `key`, bound to `binding` and the scope's place.
///
/// # Errors
///
/// - [`Error::Seal`]: the value is longer than anything can be sealed.
/// - Those of [`generate_data_key`].
pub async fn seal(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    key: &KmsKey,
    binding: &Binding<'_>,
    value: &Sensitive,
) -> Result<Sealed, Error> {
    let (data_key, wrapped) = generate_data_key(txn, scope, key, &binding.context()).await?;
    let ciphertext = envelope::seal_once(data_key, &binding.aad(scope), value.expose())?;
    Ok(Sealed { data_keys: vec![wrapped], ciphertext })
}

/// The value in `sealed`, if it was sealed for exactly this `binding` and place.
///
/// # Errors
///
/// - [`Error::Damaged`]: changed, or moved from another secret, version, account or Region.
/// - Those of [`open_data_key`]. With several data keys, the first one's error if none opens.
pub async fn open(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    sealed: &Sealed,
    binding: &Binding<'_>,
) -> Result<Sensitive, Error> {
    open_under(txn, scope, (sealed, &|_| true), binding).await
}

/// The same, by those KMS keys only whose ARN `may` says yes to.
///
/// # Errors
///
/// As [`open`].
pub async fn open_under(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    (sealed, may): (&Sealed, &(dyn Fn(&str) -> bool + Send + Sync)),
    binding: &Binding<'_>,
) -> Result<Sensitive, Error> {
    let context = binding.context();
    let mut failure = None;
    for wrapped in sealed.data_keys.iter().filter(|it| may(&it.key_arn)) {
        match open_data_key(txn, scope, wrapped, &context).await {
            Ok(key) => {
                let opened = message::open_once(&key, &binding.aad(scope), &sealed.ciphertext);
                return opened.map_err(|reason| binding.damaged(reason));
            }
            Err(Error::Store(error)) => return Err(Error::Store(error)),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.unwrap_or_else(|| binding.damaged(message::OpenError::Foreign)))
}

/// `sealed` with its data key wrapped by `key`, too: from then on either key opens it, `key` first. Of the
/// keys before, the one that comes first stays.
///
/// # Errors
///
/// - Those of [`open_data_key`], by the key that opens it now.
/// - Those of [`generate_data_key`], for `key`.
pub async fn seal_also(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    (sealed, key): (&Sealed, &KmsKey),
    binding: &Binding<'_>,
) -> Result<Sealed, Error> {
    let context = binding.context();
    let first = sealed.data_keys.first();
    let first = first.ok_or_else(|| binding.damaged(message::OpenError::Foreign))?;
    let data_key = open_data_key(txn, scope, first, &context).await?;
    let wrapped = wrap_data_key(txn, scope, key, (&data_key, &context)).await?;
    let data_keys = vec![wrapped, first.clone()];
    Ok(Sealed { data_keys, ciphertext: sealed.ciphertext.clone() })
}

impl Sealed {
    /// The ARNs of the KMS keys, any of which opens this, in the order they are tried.
    pub fn key_arns(&self) -> impl Iterator<Item = &str> {
        self.data_keys.iter().map(|it| it.key_arn.as_str())
    }

    /// The stored form. Names its own version; [`Sealed::from_bytes`] reads it for ever.
    pub fn to_bytes(&self) -> Vec<u8> {
        // At most `MAX_DATA_KEYS`, as `seal` and `from_bytes` make it.
        let count = u8::try_from(self.data_keys.len()).unwrap_or(u8::MAX);
        let mut out = Writer::default().raw(&[VERSION, count]);
        for WrappedDataKey { key_arn, material, blob } in &self.data_keys {
            out = out.run(key_arn.as_bytes()).raw(material.as_bytes()).run(blob);
        }
        out.run(&self.ciphertext).done()
    }

    /// Reads [`Sealed::to_bytes`]'s form; `None` if the bytes are anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let [VERSION, count] = reader.raw()? else { return None };
        if count == 0 || MAX_DATA_KEYS < count {
            return None;
        }
        let mut data_keys = Vec::with_capacity(count.into());
        for _ in 0..count {
            let key_arn = reader.text(MAX_ARN)?.to_owned();
            let material = MaterialId::from_bytes(reader.raw()?);
            let blob = reader.run(MAX_BLOB)?.to_vec();
            data_keys.push(WrappedDataKey { key_arn, material, blob });
        }
        let ciphertext = reader.run(message::MAX_PLAINTEXT + message::OVERHEAD_ONCE)?.to_vec();
        reader.end()?;
        Some(Self { data_keys, ciphertext })
    }
}

impl Binding<'_> {
    /// The encryption context, as AWS documents it for Secrets Manager.
    fn context(&self) -> [(&str, &str); 2] {
        [("SecretARN", self.secret_arn), ("SecretVersionId", self.version_id)]
    }

    fn aad(&self, scope: &Scope<'_>) -> Aad {
        let kind = match self.kind {
            Kind::Binary => "binary",
            Kind::String => "string",
        };
        let place = Place::in_region(scope.account, scope.region);
        let aad = located(Label::Value, place).field(self.secret_arn).field(self.version_id);
        aad.field(kind).number(SCHEMA)
    }

    fn damaged(&self, reason: message::OpenError) -> Error {
        let Self { secret_arn, version_id, .. } = self;
        Error::Damaged { what: format!("version `{version_id}` of `{secret_arn}`"), reason }
    }
}

const VERSION: u8 = 1;
/// What the plaintext is: 1, the bytes of the value.
const SCHEMA: u64 = 1;
const MAX_DATA_KEYS: u8 = 8;
const MAX_ARN: usize = 2048;
const MAX_BLOB: usize = 6144;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sealed() -> impl Strategy<Value = Sealed> {
        let wrapped = ("[a-z:/]{0,80}", any::<[u8; 32]>(), any::<Vec<u8>>());
        (prop::collection::vec(wrapped, 1..=8), any::<Vec<u8>>()).prop_map(
            |(wrapped, ciphertext)| {
                let data_keys = wrapped.into_iter().map(|(key_arn, material, blob)| {
                    WrappedDataKey { key_arn, material: MaterialId::from_bytes(material), blob }
                });
                Sealed { data_keys: data_keys.collect(), ciphertext }
            },
        )
    }

    #[test]
    fn bytes_never_change_under_their_version() {
        let wrapped = WrappedDataKey {
            key_arn: "arn".to_owned(),
            material: MaterialId::from_bytes([7; 32]),
            blob: b"blob".to_vec(),
        };
        let sealed = Sealed { data_keys: vec![wrapped], ciphertext: b"ct".to_vec() };
        let expected =
            [b"\x01\x01\0\0\0\x03arn".as_slice(), &[7; 32], b"\0\0\0\x04blob\0\0\0\x02ct"].concat();
        assert_eq!(sealed.to_bytes(), expected);
    }

    #[test]
    fn impossible_bytes_are_refused() {
        let no_key = b"\x01\0\0\0\0\x02ct";
        let nine = [&[1, 9][..], &[0; 500]].concat();
        let huge = b"\x01\x01\xff\xff\xff\xff";
        for bytes in [&b""[..], b"\x02\x01", no_key, &nine, huge] {
            assert_eq!(Sealed::from_bytes(bytes), None, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn survives_whole_and_not_cut(sealed in sealed()) {
            let bytes = sealed.to_bytes();
            for cut in 0..bytes.len() {
                prop_assert_eq!(Sealed::from_bytes(&bytes[..cut]), None);
            }
            prop_assert_eq!(Sealed::from_bytes(&[&bytes[..], b"x"].concat()), None);
            prop_assert_eq!(Sealed::from_bytes(&bytes), Some(sealed));
        }

        #[test]
        fn garbage_is_refused_without_panic(bytes: Vec<u8>) {
            if let Some(sealed) = Sealed::from_bytes(&bytes) {
                prop_assert_eq!(sealed.to_bytes(), bytes);
            }
        }
    }
}
