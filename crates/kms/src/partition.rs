//! Partition keys: one per account and Region, wrapped by the root key.

use crate::root::recovery;
use crate::rows::{
    AnyRow, CurrentRow, KEKS, KekRow, ROOT, ROTATION, current_generations, kek_key, kek_range,
    material_range,
};
use crate::{Error, Scope};
use base::{AccountId, Arn, Partition, Region};
use envelope::{Aad, Key, Keyring, Label, RootError, RootKey};
use std::sync::Arc;
use store::Txn;

/// Whose partition key: an account's in a Region, an account's own, or the store's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    account: &'a str,
    region: &'a str,
}

impl<'a> Place<'a> {
    /// What `account` keeps in `region`.
    pub fn in_region(account: &'a AccountId, region: &'a Region) -> Self {
        Self { account: account.as_str(), region: region.as_str() }
    }

    /// What `account` keeps outside all Regions, such as access keys.
    pub fn global(account: &'a AccountId) -> Self {
        Self { account: account.as_str(), region: "global" }
    }

    /// What belongs to no account, such as the key that signs the trail.
    pub fn store() -> Place<'static> {
        Place { account: "store", region: "global" }
    }

    /// The account and Region in the ARN of a KMS key, and the key's id.
    pub(crate) fn of_key(arn: &'a str) -> Option<(Self, &'a str)> {
        let Arn { service, region, account, resource, .. } = Arn::parse(arn).ok()?;
        let id = resource.strip_prefix("key/").filter(|_| service == "kms")?;
        Some((Self { account, region }, id))
    }

    /// The ARN of what KMS keeps here as `resource`, such as `alias/app`.
    pub(crate) fn arn(self, resource: &str) -> String {
        let Self { account, region } = self;
        let partition = region.parse().map(|it| Partition::of(&it));
        let partition = partition.as_ref().map_or("aws", Partition::as_str);
        format!("arn:{partition}:kms:{region}:{account}:{resource}")
    }

    /// What `account` keeps in `region`, both as they stand in an ARN.
    pub(crate) fn named(account: &'a str, region: &'a str) -> Self {
        Self { account, region }
    }

    pub(crate) fn account(self) -> &'a str {
        self.account
    }

    pub(crate) fn region(self) -> &'a str {
        self.region
    }
}

/// A key-encryption key, ready for use.
#[derive(Clone, Debug)]
pub struct PartitionKey {
    /// Counts the keys of this partition from 1; stored beside all that is sealed.
    pub generation: u32,
    /// The key.
    pub key: Arc<Key>,
}

/// The key that seals what is new in `place`. The first use makes it, in this transaction.
///
/// # Errors
///
/// - [`Error::Damaged`], [`Error::Root`]: the key exists and doesn't open.
/// - [`Error::Missing`]: the key must have existed, and is gone. A new one is never made then.
/// - [`Error::NotInitialized`]: no root key has been chosen yet.
pub async fn partition_key(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    place: Place<'_>,
) -> Result<PartitionKey, Error> {
    match txn.find(&current_generations(), &place).await? {
        Some(CurrentRow { generation }) => {
            let key = load_generation(txn, scope.keyring, place, generation).await?;
            Ok(PartitionKey { generation, key })
        }
        None => create(txn, scope, place).await,
    }
}

/// The key of `generation`, which must exist.
pub(crate) async fn load_generation(
    txn: &mut Txn<'_>,
    keyring: &Keyring,
    place: Place<'_>,
    generation: u32,
) -> Result<Arc<Key>, Error> {
    let row = txn.find(&KEKS, &kek_key(place, generation)).await?;
    let row = row.ok_or_else(|| Error::Missing { what: describe(place, generation) })?;
    open_row(keyring, place, generation, &row)
}

/// The key in `row`, which was found as `generation` of `place`.
pub(crate) fn open_row(
    keyring: &Keyring,
    place: Place<'_>,
    generation: u32,
    row: &KekRow,
) -> Result<Arc<Key>, Error> {
    let aad = wrap_aad(place, generation, &row.root);
    let key = keyring.unwrap_by_root(&row.root, &aad, &row.wrapped);
    key.map_err(|error| match error {
        RootError::Open(reason) => Error::Damaged { what: describe(place, generation), reason },
        other => Error::Root(other),
    })
}

/// Opens the canary of `row` with the row's own key: proof that the key is the one that seals.
pub(crate) fn check_canary(
    key: &Key,
    place: Place<'_>,
    generation: u32,
    row: &KekRow,
) -> Result<(), Error> {
    let opened = envelope::open(key, &canary_aad(place, generation), &row.canary);
    match opened {
        Ok(_) => Ok(()),
        Err(reason) => Err(Error::Damaged { what: describe(place, generation), reason }),
    }
}

/// The place and generation in the key of a partition key's row.
pub(crate) fn parse_row_key(components: &[String]) -> Option<(Place<'_>, u32)> {
    let [_, account, region, generation] = components else { return None };
    Some((Place { account, region }, generation.parse().ok()?))
}

pub(crate) fn wrap_aad(place: Place<'_>, generation: u32, root: &str) -> Aad {
    located(Label::Kek, place).number(generation.into()).field(root)
}

/// A label and the place, as all bindings of this crate begin.
pub(crate) fn located(label: Label, place: Place<'_>) -> Aad {
    Aad::new(label).field(place.account).field(place.region)
}

async fn create(
    txn: &mut Txn<'_>,
    scope: &Scope<'_>,
    place: Place<'_>,
) -> Result<PartitionKey, Error> {
    refuse_over_existing(txn, place).await?;
    let root = wrapping_root(txn, scope.keyring).await?;
    let (generation, key) = (FIRST, Key::random(scope.entropy));
    let row = KekRow {
        root: root.id().to_owned(),
        created: scope.now,
        wrapped: root.wrap(&wrap_aad(place, generation, root.id()), &key, scope.entropy)?,
        canary: envelope::seal(&key, &canary_aad(place, generation), CANARY, scope.entropy)?,
    };
    txn.save(&KEKS, &kek_key(place, generation), &row)?;
    txn.save(&current_generations(), &place, &CurrentRow { generation })?;
    recovery::copy_new(txn, scope, (place, generation), (&key, &row)).await?;
    Ok(PartitionKey { generation, key: Arc::new(key) })
}

/// Without the row that names the current generation nothing of the partition's keys may exist.
async fn refuse_over_existing(txn: &mut Txn<'_>, place: Place<'_>) -> Result<(), Error> {
    for range in [kek_range(place), material_range(place)] {
        if !txn.page::<AnyRow>(range, 1, false).await?.rows.is_empty() {
            return Err(Error::Missing { what: describe(place, FIRST) });
        }
    }
    Ok(())
}

/// The root key that new partition keys are wrapped by, as the store says.
///
/// INVARIANT: read in the transaction that wraps. The begin and the end of a change of the root key
/// write the same rows, so no key is left behind under the old root.
async fn wrapping_root(txn: &mut Txn<'_>, keyring: &Keyring) -> Result<Arc<dyn RootKey>, Error> {
    let id = match txn.find(&ROTATION, &()).await? {
        Some(rotation) => rotation.to,
        None => txn.find(&ROOT, &()).await?.ok_or(Error::NotInitialized)?.id,
    };
    let root = keyring.roots().find(&id).map(Arc::clone);
    root.ok_or(Error::Root(RootError::Unknown { id }))
}

fn canary_aad(place: Place<'_>, generation: u32) -> Aad {
    located(Label::Canary, place).number(generation.into())
}

fn describe(place: Place<'_>, generation: u32) -> String {
    format!("partition key `{}/{}/{generation}`", place.account, place.region)
}

/// The known text in every canary.
pub(crate) const CANARY: &[u8] = b"strongroom canary";
const FIRST: u32 = 1;
