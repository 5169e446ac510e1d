//! How a session begins, whoever it is for.

use super::Error;
use super::answer::TemporaryCredentials;
use super::limits::number;
use crate::session::{self, Claims, Principal};
use base::{AccountId, Timestamp};
use service::Call;
use std::time::Duration;
use store::Txn;
use wire::members::Integer;

/// Claims of `principal` of `account`, good for `lifetime` seconds from now on.
pub(super) fn claims(
    call: &Call<'_>,
    account: &AccountId,
    principal: Principal,
    lifetime: u64,
) -> Claims {
    let end = call.now.plus(Duration::from_secs(lifetime));
    // To the second, as the answer shows it.
    let end = Timestamp::from_secs(end.secs());
    Claims::new(account, principal, call.now, end)
}

/// Credentials for `claims`, and how much of the room for policies and tags is taken, in percent.
pub(super) async fn issue(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    claims: &Claims,
    least: Option<Integer>,
) -> Result<(TemporaryCredentials, Option<usize>), Error> {
    let Call { keyring, entropy, now, region, .. } = *call;
    let scope = kms::Scope { keyring, entropy, now, account: &claims.account, region };
    let least = number(least).and_then(|it| usize::try_from(it).ok()).unwrap_or_default();
    let issued = session::issue(txn, &scope, claims, least).await?;
    let packed = issued.packed;
    Ok((TemporaryCredentials::new(issued), packed))
}
