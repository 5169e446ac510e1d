//! When access keys and roles were last used: to the quarter of an hour, and written when nobody waits for it.

use crate::access_key::find_key;
use crate::entities::roles;
use base::{AccountId, Timestamp};
use serde::{Deserialize, Serialize};
use service::{Caller, Kind};
use std::time::Duration;
use store::path::Path;
use store::{KeyRange, Table, Txn};

/// A use of an access key or a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUse {
    /// When.
    pub at: Timestamp,
    /// The service that was called, as signatures name it: `secretsmanager`.
    pub service: String,
    /// The Region that was signed for.
    pub region: String,
}

/// Within this time after a use no other is noted.
pub const USE_PERIOD: Duration = Duration::from_mins(15);

store::json_record!(LastUse, 1);

/// By account and what was used: an access key's id, or a role's.
const fn uses<'a>() -> Table<(&'a AccountId, &'a str), LastUse> {
    Table::new(|(account, id)| Path::new("a").with(account).with("last-use").with(id).key())
}

/// What `caller` has used whose last use is kept: its long-term access key, or the role it is a session of.
pub fn used_by(caller: &Caller) -> Option<&str> {
    match (&caller.kind, &caller.session) {
        (Kind::RoleSession { role_id, .. }, _) => Some(role_id),
        (_, None) => Some(&caller.access_key_id),
        _ => None,
    }
}

/// Notes that `caller` has used its access key or its role, if that is still there.
///
/// # Errors
///
/// The store's.
pub async fn note_use(
    txn: &mut Txn<'_>,
    caller: &Caller,
    last: &LastUse,
) -> Result<(), store::Error> {
    let Some(id) = used_by(caller) else { return Ok(()) };
    let account = &caller.account;
    let is_there = match &caller.kind {
        Kind::RoleSession { .. } => {
            let role = txn.find_shared(&roles(), &(account, &*caller.user_name)).await?;
            role.is_some_and(|it| it.id == id)
        }
        _ => find_key(txn, id).await?.is_some(),
    };
    if is_there { txn.save(&uses(), &(account, id), last) } else { Ok(()) }
}

/// The last use of the access key or role `id` of `account`, if there was any.
pub(crate) async fn find(
    txn: &mut Txn<'_>,
    account: &AccountId,
    id: &str,
) -> Result<Option<LastUse>, store::Error> {
    txn.find(&uses(), &(account, id)).await
}

/// Forgets the last use of the access key or role `id`, which is deleted.
pub(crate) fn forget(txn: &mut Txn<'_>, account: &AccountId, id: &str) {
    txn.remove(&uses(), &(account, id));
}

/// The last uses of all access keys and roles of `account`, by their ids.
pub(crate) async fn all(
    txn: &mut Txn<'_>,
    account: &AccountId,
) -> Result<Vec<(String, LastUse)>, store::Error> {
    let prefix = Path::new("a").with(account).with("last-use").below();
    let page = txn.page::<LastUse>(KeyRange::prefix(&prefix), MOST, false).await?;
    let id = |key: &str| key.strip_prefix(&prefix).unwrap_or_default().to_owned();
    Ok(page.rows.into_iter().map(|(key, it)| (id(&key), it)).collect())
}

/// No account has more access keys and roles.
const MOST: usize = 12_000;
