//! The material of KMS keys: made, loaded, replaced, destroyed.

use crate::key::{KmsKey, MaterialNote, RotationType};
use crate::partition::{load_generation, located};
use crate::rows::{AnyRow, MaterialRow, materials, materials_of};
use crate::{Error, MaterialId, Place, Scope, partition_key};
use envelope::{Aad, Key, Label};
use std::sync::Arc;
use store::{Table, Txn};

/// Fresh material for the key called `arn`, wrapped and saved in this transaction.
pub(crate) async fn create(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    arn: &str,
) -> Result<MaterialId, Error> {
    let id = MaterialId::random(scope.entropy);
    put(txn, scope, (arn, id), &Key::random(scope.entropy)).await?;
    Ok(id)
}

/// Saves `material` as `id` of the key called `arn`, wrapped, in this transaction.
pub(crate) async fn put(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    (arn, id): (&str, MaterialId),
    material: &Key,
) -> Result<(), Error> {
    let (place, key_id) = located_key(arn)?;
    let kek = partition_key(txn, scope, place).await?;
    let wrapped = envelope::wrap(&kek.key, &aad(place, arn, id), material, scope.entropy)?;
    let row = MaterialRow { generation: kek.generation, created: scope.now, wrapped };
    Ok(txn.save(&materials(), &(place, key_id, id), &row)?)
}

/// Takes the material `id` of `key` out of the store. The keyring may still remember it: see
/// [`maintenance`](crate::maintenance).
pub(crate) fn remove(txn: &mut Txn<'_>, key: &KmsKey, id: MaterialId) {
    txn.remove(&materials(), &(key.place(), key.id.as_str(), id));
}

/// Gives `key` new material, which encrypts from now on. The caller saves the key.
pub(crate) async fn rotate(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    key: &mut KmsKey,
    by: RotationType,
) -> Result<(), Error> {
    key.materials = key.history();
    let id = create(txn, scope, &key.arn).await?;
    key.material = Some(id);
    key.materials.push(MaterialNote { id, since: scope.now, by: Some(by), import: None });
    Ok(())
}

/// The material `id` of the key called `arn`, unwrapped.
pub(crate) async fn load(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    arn: &str,
    id: MaterialId,
) -> Result<Arc<Key>, Error> {
    let (place, key_id) = located_key(arn)?;
    let aad = aad(place, arn, id);
    // The key's own row, read by every caller, says whether it may be used: shredding a key must also
    // make the keyring forget.
    if let Some(material) = scope.keyring.remembered(&aad) {
        return Ok(material);
    }
    let row = txn.find(&materials(), &(place, key_id, id)).await?;
    let row = row.ok_or_else(|| Error::Missing { what: describe(arn, id) })?;
    let kek = load_generation(txn, scope.keyring, place, row.generation).await?;
    let material = scope.keyring.unwrap_only(&kek, &aad, &row.wrapped);
    material.map_err(|reason| Error::Damaged { what: describe(arn, id), reason })
}

/// Removes up to `limit` materials of `key`; tells whether some are left.
pub(crate) async fn destroy(
    txn: &mut Txn<'_>,
    key: &KmsKey,
    limit: usize,
) -> Result<bool, store::Error> {
    const ROWS: Table<str, AnyRow> = Table::new(ToOwned::to_owned);
    let page = txn.page::<AnyRow>(materials_of(key.place(), &key.id), limit, false).await?;
    for (row, _) in &page.rows {
        txn.remove(&ROWS, row);
    }
    Ok(page.more)
}

fn located_key(arn: &str) -> Result<(Place<'_>, &str), Error> {
    Place::of_key(arn).ok_or_else(|| Error::KeyNotFound { arn: arn.to_owned() })
}

fn aad(place: Place<'_>, arn: &str, id: MaterialId) -> Aad {
    located(Label::Material, place).field(arn).field(id.as_bytes())
}

fn describe(arn: &str, id: MaterialId) -> String {
    format!("material `{id}` of key `{arn}`")
}
