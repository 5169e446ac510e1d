//! Rows that say when a lease is to be looked at: a table of its own, so that it holds up nothing else.

use crate::rotation;
use crate::secret::{Place, SecretId};
use crate::stages::VersionId;
use base::{AccountId, Region, Timestamp};
use serde::{Deserialize, Serialize};
use store::path::{Path, components};
use store::{Table, Txn};

/// When which lease is to be looked at, or all leases of a secret. The key says all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// When.
    pub at: Timestamp,
    /// The owner of the secret.
    pub account: AccountId,
    /// Where it lives.
    pub region: Region,
    /// The secret, or what was one.
    pub secret: SecretId,
    /// The lease; `None`: those of all who may not have one any more.
    pub lease: Option<VersionId>,
}

store::json_record!(Due, 1);

/// What is to be looked at when, soonest first, over all partitions.
pub(crate) const DUE: Table<Due, Due> = Table::new(|it| {
    let at = format!("{:012x}", it.at.millis().max(0));
    let path = Path::new("lease-due").with(at).with(&it.account).with(&it.region);
    path.with(it.secret.as_str()).with(it.lease.as_ref().map_or(ALL, VersionId::as_str)).key()
});

/// Stands for all leases of a secret: no lease's id is so short.
const ALL: &str = "all";

/// Has all leases of `secret` looked at soon: some may not stay.
pub(crate) fn sweep(
    txn: &mut Txn<'_>,
    place: &Place,
    secret: &SecretId,
) -> Result<(), store::Error> {
    let due = Due {
        at: Timestamp::default(),
        account: place.account.clone(),
        region: place.region.clone(),
        secret: secret.clone(),
        lease: None,
    };
    txn.save(&DUE, &due, &due)
}

impl Due {
    /// What a queue takes it for: something to be done to one thing at a time.
    pub fn queued(&self) -> rotation::Due {
        let lease = self.lease.as_ref().map_or(ALL, VersionId::as_str);
        rotation::Due {
            at: self.at,
            account: self.account.clone(),
            region: self.region.clone(),
            secret: SecretId(format!("{}/{lease}", self.secret.as_str())),
        }
    }

    /// What [`Due::queued`] was made of.
    pub fn of_queued(queued: &rotation::Due) -> Option<Self> {
        let (secret, lease) = queued.secret.as_str().rsplit_once('/')?;
        Some(Self {
            at: queued.at,
            account: queued.account.clone(),
            region: queued.region.clone(),
            secret: SecretId(secret.to_owned()),
            lease: (lease != ALL).then(|| VersionId(lease.to_owned())),
        })
    }

    pub(crate) fn place(&self) -> Place {
        Place { account: self.account.clone(), region: self.region.clone() }
    }
}

impl service::due::Due for Due {
    const TABLE: Table<Self, Self> = DUE;
    const PREFIX: &'static str = "lease-due/";

    fn at(self, instant: Timestamp) -> Self {
        Self { at: instant, ..self }
    }

    fn of_key(key: &str) -> Option<Self> {
        let parts = components(key)?;
        let [_, at, account, region, secret, lease] = parts.as_slice() else { return None };
        let due = Self {
            at: Timestamp::from_millis(i64::from_str_radix(at, 16).ok()?),
            account: account.parse().ok()?,
            region: region.parse().ok()?,
            secret: SecretId(secret.clone()),
            lease: (lease != ALL).then(|| VersionId(lease.clone())),
        };
        Some(due).filter(|it| DUE.key(it) == key)
    }
}
