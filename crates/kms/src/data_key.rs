//! Data keys: made and wrapped by a KMS key, used once.

use crate::material;
use crate::{Error, KmsKey, MaterialId, Scope, load_key};
use envelope::{Aad, Key, Label};
use store::Txn;

/// A data key as it is stored: wrapped, with the names of what opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedDataKey {
    pub(crate) key_arn: String,
    pub(crate) material: MaterialId,
    pub(crate) blob: Vec<u8>,
}

impl WrappedDataKey {
    /// The ARN of the KMS key that wrapped it.
    pub fn key_arn(&self) -> &str {
        &self.key_arn
    }

    /// The material of that key that did.
    pub fn material(&self) -> MaterialId {
        self.material
    }
}

/// A fresh data key, plain and wrapped by `key`, bound to `context`.
///
/// `context` is an encryption context: pairs of names and values, in any order.
///
/// # Errors
///
/// - [`Error::KeyUnusable`]: the state of `key` forbids it.
/// - [`Error::Damaged`], [`Error::Missing`], [`Error::Root`]: the key's material can't be had.
pub async fn generate_data_key(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    key: &KmsKey,
    context: &[(&str, &str)],
) -> Result<(Key, WrappedDataKey), Error> {
    let data_key = Key::random(scope.entropy);
    let wrapped = wrap_data_key(txn, scope, key, (&data_key, context)).await?;
    Ok((data_key, wrapped))
}

/// `data_key`, wrapped by `key` and bound to `context`.
///
/// # Errors
///
/// As [`generate_data_key`].
pub(crate) async fn wrap_data_key(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    key: &KmsKey,
    (data_key, context): (&Key, &[(&str, &str)]),
) -> Result<WrappedDataKey, Error> {
    key.require_usable()?;
    let (arn, id) = (&key.arn, key.current()?);
    let material = material::load(txn, scope, arn, id).await?;
    let blob = envelope::wrap(&material, &aad(arn, id, context), data_key, scope.entropy)?;
    Ok(WrappedDataKey { key_arn: arn.clone(), material: id, blob })
}

/// The data key in `wrapped`, if its KMS key may be used and `context` is the one it was bound to.
///
/// # Errors
///
/// - [`Error::Damaged`]: changed, or another context.
/// - [`Error::KeyNotFound`], [`Error::KeyUnusable`]: its KMS key is gone, or its state forbids it.
/// - [`Error::Missing`], [`Error::Root`]: the key's material can't be had.
pub async fn open_data_key(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    wrapped: &WrappedDataKey,
    context: &[(&str, &str)],
) -> Result<Key, Error> {
    let WrappedDataKey { key_arn, material: id, blob } = wrapped;
    load_key(txn, key_arn).await?;
    let material = material::load(txn, scope, key_arn, *id).await?;
    envelope::unwrap(&material, &aad(key_arn, *id, context), blob).map_err(|reason| {
        Error::Damaged { what: format!("a data key under key `{key_arn}`"), reason }
    })
}

/// What all that a KMS key encrypts is bound to.
pub(crate) fn aad(arn: &str, id: MaterialId, context: &[(&str, &str)]) -> Aad {
    Aad::new(Label::Ciphertext).field(arn).field(id.as_bytes()).context(context)
}
