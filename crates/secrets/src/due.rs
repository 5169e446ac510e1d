//! Rows that say when something falls due for a secret.

use crate::secret::SecretId;
use base::{AccountId, Region, Timestamp};
use serde::{Deserialize, Serialize};
use store::Table;
use store::path::{Path, components};

/// What falls due when. The key says all of it, so a damaged row can be written anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Due {
    pub(crate) at: Timestamp,
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) secret: SecretId,
}

store::json_record!(Due, 1);

/// What falls due, soonest first, over all partitions.
pub(crate) const DUE: Table<Due, Due> = Table::new(|it| {
    let at = format!("{:012x}", it.at.millis());
    Path::new("due").with(at).with(&it.account).with(&it.region).with(it.secret.as_str()).key()
});

impl service::due::Due for Due {
    const TABLE: Table<Self, Self> = DUE;
    const PREFIX: &'static str = "due/";

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

#[cfg(test)]
mod tests {
    use super::*;
    use service::due::Due as _;

    #[test]
    fn a_key_says_what_its_row_says() {
        let key = "due/019c1234abcd/111122223333/eu-west-1/019c000000001234abcd";
        let due = Due::of_key(key).expect("a key");
        assert_eq!(DUE.key(&due), key);
        assert_eq!(
            (due.at.millis(), due.secret.as_str()),
            (0x019c_1234_abcd, "019c000000001234abcd")
        );
        for other in [
            "",
            "due/",
            "due/019c1234abcd/111122223333/eu-west-1",
            "due/019c1234abcd/111122223333/eu-west-1/x/y",
            "due/19c1234abcd/111122223333/eu-west-1/x",
            "due/019C1234ABCD/111122223333/eu-west-1/x",
            "due/+19c1234abcd/111122223333/eu-west-1/x",
            "due/019c1234abcd/nobody/eu-west-1/x",
            "due/019c1234abcd/111122223333/EU/x",
            "late/019c1234abcd/111122223333/eu-west-1/x",
        ] {
            assert_eq!(Due::of_key(other), None, "{other}");
        }
    }
}
