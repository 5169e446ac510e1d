//! Ending the sessions of a role, without a row for any of them.

use super::last;
use crate::Error;
use crate::entities::{self, Role, roles};
use base::{AccountId, Arn, Entropy, Timestamp};
use std::time::Duration;
use store::Txn;

/// Ends all sessions of the role `arn` that were issued up to `now`, from the next request on; returns the
/// role's account and unique id.
///
/// # Errors
///
/// [`Error::RoleUnknown`]: there is no such role. [`Error::Store`].
pub async fn revoke(
    txn: &mut Txn<'_>,
    entropy: &dyn Entropy,
    arn: &str,
    now: Timestamp,
) -> Result<(AccountId, String), Error> {
    let unknown = || Error::RoleUnknown(arn.to_owned());
    let account = Arn::parse(arn).ok().and_then(|it| it.account()).ok_or_else(unknown)?;
    let name = last(arn);
    let role = txn.find_shared(&roles(), &(&account, name)).await?.filter(|it| it.arn == arn);
    let mut role = Role::clone(&*role.ok_or_else(unknown)?);
    // What is issued in this very millisecond may have been before.
    role.revoked = Some(now.plus(Duration::from_millis(1)));
    txn.save(&roles(), &(&account, name), &role)?;
    entities::changed(txn, &account, entropy)?;
    Ok((account, role.id))
}
