//! Rows that say when something falls due for a key.

use crate::KmsKey;
use base::{AccountId, Region, Timestamp};
use serde::{Deserialize, Serialize};
use store::path::{Path, components};
use store::{Table, Txn};

/// What falls due when. The key of the row says all of it, so a damaged row can be written anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Due {
    pub(crate) at: Timestamp,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) key: String,
}

store::json_record!(Due, 1);

/// What falls due, soonest first, over all partitions.
pub(crate) const DUE: Table<Due, Due> = Table::new(|it| {
    let at = format!("{:012x}", it.at.millis());
    Path::new("key-due").with(at).with(&it.account).with(&it.region).with(&it.key).key()
});

impl service::due::Due for Due {
    const TABLE: Table<Self, Self> = DUE;
    const PREFIX: &'static str = "key-due/";

    fn at(self, instant: Timestamp) -> Self {
        Self { at: instant, ..self }
    }

    fn of_key(key: &str) -> Option<Self> {
        let parts = components(key)?;
        let [_, at, account, region, id] = parts.as_slice() else { return None };
        let (account, region, key_id) = (account.clone(), region.clone(), id.clone());
        let at = Timestamp::from_millis(i64::from_str_radix(at, 16).ok()?);
        let due = Self { at, account, region, key: key_id };
        Some(due).filter(|it| it.owner().is_some() && DUE.key(it) == key)
    }
}

impl Due {
    /// That something falls due for `key` at `at`.
    pub(crate) fn of(key: &KmsKey, at: Timestamp) -> Self {
        let place = key.place();
        let (account, region) = (place.account().to_owned(), place.region().to_owned());
        Self { at, account, region, key: key.id.clone() }
    }

    /// The account and Region, if that is what they are.
    pub(crate) fn owner(&self) -> Option<(AccountId, Region)> {
        Some((self.account.parse().ok()?, self.region.parse().ok()?))
    }

    pub(crate) fn save(&self, txn: &mut Txn<'_>) -> Result<(), store::Error> {
        txn.save(&DUE, self, self)
    }

    pub(crate) fn remove(&self, txn: &mut Txn<'_>) {
        txn.remove(&DUE, self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use service::due::Due as _;

    #[test]
    fn a_key_says_what_its_row_says() {
        let key = "key-due/019c1234abcd/111122223333/eu-west-1/0d9c8b7a";
        let due = Due::of_key(key).expect("a key");
        assert_eq!((DUE.key(&due).as_str(), due.at.millis()), (key, 0x019c_1234_abcd));
        for other in [
            "",
            "key-due/",
            "key-due/019c1234abcd/111122223333/eu-west-1",
            "key-due/19c1234abcd/111122223333/eu-west-1/x",
            "key-due/019c1234abcd/nobody/eu-west-1/x",
            "key-due/019c1234abcd/111122223333/EU/x",
            "due/019c1234abcd/111122223333/eu-west-1/x",
        ] {
            assert_eq!(Due::of_key(other), None, "{other}");
        }
    }
}
