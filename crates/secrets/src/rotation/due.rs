//! Rows that say when a rotation is to be looked at: a table of its own, so that it holds up no removal.

use crate::secret::{Place, SecretId};
use base::{AccountId, Region, Timestamp};
use serde::{Deserialize, Serialize};
use store::Table;
use store::path::{Path, components};

/// When which secret's rotation is to be looked at. The key says all of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Due {
    /// When.
    pub at: Timestamp,
    /// The owner.
    pub account: AccountId,
    /// Where it lives.
    pub region: Region,
    /// The secret.
    pub secret: SecretId,
}

store::json_record!(Due, 1);

/// What rotates when, soonest first, over all partitions.
pub(crate) const DUE: Table<Due, Due> = Table::new(|it| {
    let at = format!("{:012x}", it.at.millis().max(0));
    let path = Path::new("rotation-due").with(at).with(&it.account).with(&it.region);
    path.with(it.secret.as_str()).key()
});

impl Due {
    pub(super) fn place(&self) -> Place {
        Place { account: self.account.clone(), region: self.region.clone() }
    }
}

impl service::due::Due for Due {
    const TABLE: Table<Self, Self> = DUE;
    const PREFIX: &'static str = "rotation-due/";

    fn at(self, instant: Timestamp) -> Self {
        Self { at: instant, ..self }
    }

    fn of_key(key: &str) -> Option<Self> {
        let parts = components(key)?;
        let [_, at, account, region, secret] = parts.as_slice() else { return None };
        let due = Self {
            at: Timestamp::from_millis(i64::from_str_radix(at, 16).ok()?),
            account: account.parse().ok()?,
            region: region.parse().ok()?,
            secret: SecretId(secret.clone()),
        };
        Some(due).filter(|it| DUE.key(it) == key)
    }
}
