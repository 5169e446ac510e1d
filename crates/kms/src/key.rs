//! KMS keys and their material.

use crate::codec::hex;
use crate::due::Due;
use crate::import::Import;
use crate::material;
use crate::policies::{Compiled, KeyPolicy};
use crate::rows::{AliasRow, aliases, keys};
use crate::{Error, Place, Scope};
use base::{Entropy, Timestamp, Uuid};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use store::Txn;

/// A KMS key, without its material.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KmsKey {
    /// A UUID.
    pub id: String,
    /// `arn:aws:kms:{region}:{account}:key/{id}`.
    pub arn: String,
    /// Name of the alias under which AWS manages it, without `alias/`; none for customers' keys.
    pub alias: Option<String>,
    /// Whether it may be used.
    pub state: KeyState,
    /// Who decides about it.
    pub manager: Manager,
    /// When it was made.
    pub created: Timestamp,
    /// The material that encrypts; older material still decrypts. None before the first import.
    pub material: Option<MaterialId>,
    /// What its owner says of it.
    #[serde(default)]
    pub description: String,
    /// Its tags, by name.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Names of the aliases that lead to it, without `alias/`.
    #[serde(default)]
    pub aliases: BTreeSet<String>,
    /// Where its material comes from.
    #[serde(default)]
    pub origin: Origin,
    /// The end of it, once that is scheduled.
    #[serde(default)]
    pub deletion: Option<Deletion>,
    /// Automatic rotation, while it is switched on.
    #[serde(default)]
    pub rotation: Option<Rotation>,
    /// All its material, oldest first; nothing in rows from before rotation, which have one.
    #[serde(default)]
    pub(crate) materials: Vec<MaterialNote>,
    /// Its policy; none for keys that AWS manages, whose policy is fixed.
    #[serde(default)]
    pub(crate) policy: Option<KeyPolicy>,
    #[serde(skip)]
    pub(crate) compiled: Compiled,
}

store::json_record!(KmsKey, 2);

/// Where a key's material comes from.
///
/// Source: KMS API Reference, `Origin`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Origin {
    /// It was made here.
    #[default]
    AwsKms,
    /// It was brought along.
    External,
}

impl Origin {
    /// The name on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::AwsKms => "AWS_KMS",
            Self::External => "EXTERNAL",
        }
    }
}

/// When a key ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// The `DeletionDate`: from then on its material is gone.
    pub date: Timestamp,
    /// The waiting period that was asked for, in days.
    pub days: u16,
}

/// How a key gets new material by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// Days between two rotations, 90 to 2560.
    pub days: u16,
    /// The `NextRotationDate`.
    pub next: Timestamp,
}

/// What is told of one material of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MaterialNote {
    pub(crate) id: MaterialId,
    pub(crate) since: Timestamp,
    /// What replaced the one before by it; nothing for the first.
    pub(crate) by: Option<RotationType>,
    /// What is kept of its import; nothing for what was made here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) import: Option<Import>,
}

/// What made a key rotate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum RotationType {
    Automatic,
    OnDemand,
}

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
        return create_managed(txn, scope, name).await.map(Arc::new);
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
    KmsKey { state, ..KmsKey::clone(&key) }.save(txn)?;
    Ok(())
}

impl KmsKey {
    /// A new key; with its first material, saved in this transaction, unless that is to be brought along.
    ///
    /// # Errors
    ///
    /// Those of [`crate::partition_key`].
    pub(crate) async fn create(
        txn: &mut Txn<'_>,
        scope: &Scope<'_>,
        id: Uuid,
        (manager, origin): (Manager, Origin),
    ) -> Result<Self, Error> {
        let place = Place::in_region(scope.account, scope.region);
        let id = id.to_string();
        let arn = place.arn(&format!("key/{id}"));
        let material = match origin {
            Origin::AwsKms => Some(material::create(txn, scope, &arn).await?),
            Origin::External => None,
        };
        let state = if material.is_some() { KeyState::Enabled } else { KeyState::PendingImport };
        let first = |id| MaterialNote { id, since: scope.now, by: None, import: None };
        Ok(Self {
            id,
            arn,
            alias: None,
            state,
            manager,
            created: scope.now,
            material,
            description: String::new(),
            tags: BTreeMap::new(),
            aliases: BTreeSet::new(),
            origin,
            deletion: None,
            rotation: None,
            materials: material.map(first).into_iter().collect(),
            policy: None,
            compiled: Compiled::default(),
        })
    }

    /// Writes the key to its row.
    pub(crate) fn save(&self, txn: &mut Txn<'_>) -> Result<(), store::Error> {
        match Place::of_key(&self.arn) {
            Some(row) => txn.save(&keys(), &row, self),
            None => Ok(()),
        }
    }

    /// The account and Region it belongs to.
    pub(crate) fn place(&self) -> Place<'_> {
        Place::of_key(&self.arn).map_or(Place::store(), |it| it.0)
    }

    /// The names of all aliases that lead to it, with `alias/`.
    pub(crate) fn alias_names(&self) -> impl Iterator<Item = String> {
        let names = self.alias.iter().filter(|it| !self.aliases.contains(*it));
        names.chain(&self.aliases).map(|it| format!("alias/{it}"))
    }

    /// All its material, oldest first.
    pub(crate) fn history(&self) -> Vec<MaterialNote> {
        if self.materials.is_empty() {
            let first = |id| MaterialNote { id, since: self.created, by: None, import: None };
            return self.material.map(first).into_iter().collect();
        }
        self.materials.clone()
    }

    /// The material that encrypts.
    ///
    /// # Errors
    ///
    /// - [`Error::KeyUnusable`]: none was imported so far.
    pub(crate) fn current(&self) -> Result<MaterialId, Error> {
        let missing =
            || Error::KeyUnusable { arn: self.arn.clone(), state: KeyState::PendingImport };
        self.material.ok_or_else(missing)
    }

    /// Whether the key's state lets it be used.
    pub(crate) fn require_usable(&self) -> Result<(), Error> {
        match self.state {
            KeyState::Enabled => Ok(()),
            state => Err(Error::KeyUnusable { arn: self.arn.clone(), state }),
        }
    }
}

/// The key behind `alias`, which doesn't exist yet.
async fn create_managed(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    alias: &str,
) -> Result<KmsKey, Error> {
    let place = Place::in_region(scope.account, scope.region);
    let id = Uuid::random(scope.entropy);
    let mut key = KmsKey::create(txn, scope, id, (Manager::Aws, Origin::AwsKms)).await?;
    key.alias = Some(alias.to_owned());
    let row = AliasRow { key_id: key.id.clone(), created: scope.now, updated: None };
    txn.save(&aliases(), &(place, alias), &row)?;
    let next = scope.now.plus(YEAR);
    key.rotation = Some(Rotation { days: 365, next });
    Due::of(&key, next).save(txn)?;
    key.save(txn)?;
    Ok(key)
}

/// How often keys that AWS manages rotate.
const YEAR: Duration = Duration::from_hours(365 * 24);
