//! The rows of leases, which change together.

use super::{DUE, Lease};
use crate::Error;
use crate::secret::{Place, SecretId};
use crate::stages::VersionId;
use crate::version::Version;
use base::{AccountId, Region};
use serde::{Deserialize, Serialize};
use store::path::Path;
use store::{KeyRange, Table, Txn};

/// Which lease somebody has.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Held(pub(crate) VersionId);

store::json_record!(Held, 1);

/// Where a lease is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Whereabouts {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) secret: SecretId,
}

store::json_record!(Whereabouts, 1);

/// How many leases a secret has, those that are to be removed included.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Count(u32);

store::json_record!(Count, 1);

/// Leases, by secret.
pub(crate) fn leases<'a>() -> Table<(&'a Place, &'a SecretId, &'a VersionId), Lease> {
    Table::new(|(place, secret, id)| of(place, "lease", secret).with(id.as_str()).key())
}

/// Their passwords, as values are kept.
pub(crate) fn sealed<'a>() -> Table<(&'a Place, &'a SecretId, &'a VersionId), Version> {
    Table::new(|(place, secret, id)| of(place, "lease-value", secret).with(id.as_str()).key())
}

/// Which lease of a secret the holder with this unique id has.
pub(crate) fn holders<'a>() -> Table<(&'a Place, &'a SecretId, &'a str), Held> {
    Table::new(|(place, secret, holder)| of(place, "lease-holder", secret).with(holder).key())
}

/// Where the lease with this id is.
pub(crate) const BY_ID: Table<VersionId, Whereabouts> =
    Table::new(|id| Path::new("lease-id").with(id.as_str()).key());

fn counts<'a>() -> Table<(&'a Place, &'a SecretId), Count> {
    Table::new(|(place, secret)| of(place, "lease-count", secret).key())
}

fn of(place: &Place, table: &str, secret: &SecretId) -> Path {
    place.path(table).with(secret.as_str())
}

/// The keys of all leases of `secret`.
pub(crate) fn leases_of(place: &Place, secret: &SecretId) -> KeyRange {
    KeyRange::prefix(&of(place, "lease", secret).below())
}

/// The lease with this id, and where it is.
pub(crate) async fn by_id(
    txn: &mut Txn<'_>,
    id: &VersionId,
) -> Result<Option<(Place, Lease)>, store::Error> {
    let Some(found) = txn.find(&BY_ID, id).await? else { return Ok(None) };
    let Whereabouts { account, region, secret } = found;
    let place = Place { account, region };
    let lease = txn.find(&leases(), &(&place, &secret, id)).await?;
    Ok(lease.map(|it| (place, it)))
}

impl Lease {
    /// Writes the rows of a lease that is asked for, as its holder's, unless there are `most` already.
    pub(super) async fn insert(
        &self,
        txn: &mut Txn<'_>,
        place: &Place,
        most: u32,
    ) -> Result<(), Error> {
        let key = (place, &self.secret);
        let Count(count) = txn.find(&counts(), &key).await?.unwrap_or_default();
        if count >= most {
            return Err(Error::LeaseQuota);
        }
        txn.save(&counts(), &key, &Count(count + 1))?;
        let (account, region) = (place.account.clone(), place.region.clone());
        let found = Whereabouts { account, region, secret: self.secret.clone() };
        txn.save(&BY_ID, &self.id, &found)?;
        let holder = (place, &self.secret, self.holder.id.as_str());
        txn.save(&holders(), &holder, &Held(self.id.clone()))?;
        let due = self.due(place);
        txn.save(&DUE, &due, &due)?;
        txn.save(&leases(), &(place, &self.secret, &self.id), self)?;
        Ok(())
    }

    /// Writes what differs from `before`, the lease as it was loaded.
    pub(super) fn save(
        &self,
        txn: &mut Txn<'_>,
        place: &Place,
        before: &Self,
    ) -> Result<(), store::Error> {
        let (old, new) = (before.due(place), self.due(place));
        if old != new {
            txn.remove(&DUE, &old);
            txn.save(&DUE, &new, &new)?;
        }
        txn.save(&leases(), &(place, &self.secret, &self.id), self)
    }

    /// Removes every row of the lease.
    pub(super) async fn remove(
        &self,
        txn: &mut Txn<'_>,
        place: &Place,
    ) -> Result<(), store::Error> {
        let key = (place, &self.secret);
        let Count(count) = txn.find(&counts(), &key).await?.unwrap_or_default();
        match count.saturating_sub(1) {
            0 => txn.remove(&counts(), &key),
            left => txn.save(&counts(), &key, &Count(left))?,
        }
        let holder = (place, &self.secret, self.holder.id.as_str());
        if txn.find(&holders(), &holder).await?.is_some_and(|it| it.0 == self.id) {
            txn.remove(&holders(), &holder);
        }
        txn.remove(&BY_ID, &self.id);
        txn.remove(&DUE, &self.due(place));
        txn.remove(&sealed(), &(place, &self.secret, &self.id));
        txn.remove(&leases(), &(place, &self.secret, &self.id));
        Ok(())
    }
}
