//! KMS keys and their material.

use crate::codec::hex;
use crate::partition::{load_generation, located};
use crate::rows::{AliasRow, MaterialRow, aliases, keys, materials};
use crate::{Error, Place, Scope, partition_key};
use base::{Entropy, Partition, Timestamp, Uuid};
use envelope::{Aad, Key, Label};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use store::Txn;

/// A KMS key, without its material.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KmsKey {
    /// A UUID.
    pub id: String,
    /// `arn:aws:kms:{region}:{account}:key/{id}`.
    pub arn: String,
    /// Name of the alias it was made with, without `alias/`.
    pub alias: Option<String>,
    /// Whether it may be used.
    pub state: KeyState,
    /// Who decides about it.
    pub manager: Manager,
    /// When it was made.
    pub created: Timestamp,
    /// The material that encrypts; older material still decrypts.
    pub material: MaterialId,
}

store::json_record!(KmsKey, 1);

/// Whether a KMS key may be used. Only an enabled key may.
///
/// Source: KMS API Reference, `KeyState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyState {
    /// Not ready yet.
    Creating,
    /// Switched off; can be switched on again.
    Disabled,
    /// The normal state.
    Enabled,
    /// Will be deleted.
    PendingDeletion,
    /// Has no material.
    PendingImport,
    /// Will be deleted when its replicas are.
    PendingReplicaDeletion,
    /// Its key store can't be reached.
    Unavailable,
    /// Its primary Region is being changed.
    Updating,
}

impl fmt::Display for KeyState {
    /// The words KMS uses in `{arn} is ….`
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Creating => "creating",
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::PendingDeletion | Self::PendingReplicaDeletion => "pending deletion",
            Self::PendingImport => "pending import",
            Self::Unavailable => "unavailable",
            Self::Updating => "updating",
        })
    }
}

/// Who decides about a KMS key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Manager {
    /// The service that made it, such as `aws/secretsmanager`.
    Aws,
    /// The account.
    Customer,
}

/// Names one material of a KMS key: 32 random bytes, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MaterialId([u8; 32]);

impl MaterialId {
    pub(crate) fn random(entropy: &dyn Entropy) -> Self {
        Self(entropy.bytes())
    }

    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl TryFrom<String> for MaterialId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = hex::decode(&text).and_then(|it| it.try_into().ok());
        bytes.map(Self).ok_or("not 64 hexadecimal digits")
    }
}

impl From<MaterialId> for String {
    fn from(id: MaterialId) -> Self {
        hex::encode(&id.0)
    }
}

impl fmt::Display for MaterialId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for MaterialId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// The key of the scope's account and Region that AWS manages under the alias `name`, such as
/// `aws/secretsmanager`. The first use makes it, in this transaction.
///
/// # Errors
///
/// - [`Error::KeyUnusable`]: it exists and isn't enabled.
/// - [`Error::Missing`]: its alias exists and it doesn't.
/// - Those of [`partition_key`], when it has to be made.
pub async fn managed_key(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    name: &str,
) -> Result<Arc<KmsKey>, Error> {
    let place = Place::in_region(scope.account, scope.region);
    let Some(alias) = txn.find_shared(&aliases(), &(place, name)).await? else {
        return create(txn, scope, name).await.map(Arc::new);
    };
    let key = txn.find_shared(&keys(), &(place, alias.key_id.as_str())).await?;
    let key = key.ok_or_else(|| Error::Missing { what: format!("the key of `alias/{name}`") })?;
    key.require_usable()?;
    Ok(key)
}

/// The KMS key called `arn`, in whatever state.
pub async fn find_key(txn: &mut Txn<'_>, arn: &str) -> Result<Option<Arc<KmsKey>>, Error> {
    match Place::of_key(arn) {
        Some(found) => Ok(txn.find_shared(&keys(), &found).await?.filter(|it| it.arn == arn)),
        None => Ok(None),
    }
}

/// The KMS key called `arn`, if it may be used.
///
/// # Errors
///
/// - [`Error::KeyNotFound`]: no such key.
/// - [`Error::KeyUnusable`]: its state forbids it.
pub async fn load_key(txn: &mut Txn<'_>, arn: &str) -> Result<Arc<KmsKey>, Error> {
    let key = find_key(txn, arn).await?;
    let key = key.ok_or_else(|| Error::KeyNotFound { arn: arn.to_owned() })?;
    key.require_usable()?;
    Ok(key)
}

/// Puts the key called `arn` into `state`, in this transaction.
///
/// This is the effect that EnableKey, DisableKey and ScheduleKeyDeletion have in common, without their
/// rules: who may, and from which state to which, is for the caller to know.
///
/// # Errors
///
/// - [`Error::KeyNotFound`]: no such key.
pub async fn set_state(txn: &mut Txn<'_>, arn: &str, state: KeyState) -> Result<(), Error> {
    let missing = || Error::KeyNotFound { arn: arn.to_owned() };
    let key = find_key(txn, arn).await?.ok_or_else(missing)?;
    let row = Place::of_key(arn).ok_or_else(missing)?;
    txn.save(&keys(), &row, &KmsKey { state, ..KmsKey::clone(&key) })?;
    Ok(())
}

impl KmsKey {
    /// Whether the key's state lets it be used.
    pub(crate) fn require_usable(&self) -> Result<(), Error> {
        match self.state {
            KeyState::Enabled => Ok(()),
            state => Err(Error::KeyUnusable { arn: self.arn.clone(), state }),
        }
    }
}

/// The material `id` of the key called `arn`, unwrapped.
pub(crate) async fn load_material(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    arn: &str,
    id: MaterialId,
) -> Result<Arc<Key>, Error> {
    let (place, key_id) =
        Place::of_key(arn).ok_or_else(|| Error::KeyNotFound { arn: arn.to_owned() })?;
    let aad = material_aad(place, arn, id);
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

async fn create(txn: &mut Txn<'_>, scope: &Scope<'_>, alias: &str) -> Result<KmsKey, Error> {
    let place = Place::in_region(scope.account, scope.region);
    let (id, material) =
        (Uuid::random(scope.entropy).to_string(), MaterialId::random(scope.entropy));
    let partition = Partition::of(scope.region);
    let arn = format!("arn:{partition}:kms:{}:{}:key/{id}", scope.region, scope.account);

    let kek = partition_key(txn, scope, place).await?;
    let fresh = Key::random(scope.entropy);
    let aad = material_aad(place, &arn, material);
    let wrapped = envelope::wrap(&kek.key, &aad, &fresh, scope.entropy)?;
    let row = MaterialRow { generation: kek.generation, created: scope.now, wrapped };
    txn.save(&materials(), &(place, id.as_str(), material), &row)?;

    let (state, manager) = (KeyState::Enabled, Manager::Aws);
    let (alias_row, created) = (AliasRow { key_id: id.clone(), created: scope.now }, scope.now);
    txn.save(&aliases(), &(place, alias), &alias_row)?;
    let key = KmsKey { id, arn, alias: Some(alias.to_owned()), state, manager, created, material };
    txn.save(&keys(), &(place, key.id.as_str()), &key)?;
    Ok(key)
}

fn material_aad(place: Place<'_>, arn: &str, id: MaterialId) -> Aad {
    located(Label::Material, place).field(arn).field(id.as_bytes())
}

fn describe(arn: &str, id: MaterialId) -> String {
    format!("material `{id}` of key `{arn}`")
}
