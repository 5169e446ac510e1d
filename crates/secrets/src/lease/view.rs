//! Leases as those see them who look after this server.

use super::look::page;
use super::rows::{by_id, leases, leases_of};
use super::work::Task;
use super::{Due, End, Lease, State};
use crate::lookup;
use crate::secret::Place;
use crate::stages::VersionId;
use base::Timestamp;
use std::ops::Bound;
use store::Txn;

/// A page of all leases, those first that are to be looked at first; and where the next page begins.
///
/// # Errors
///
/// The store's.
pub async fn all(
    txn: &mut Txn<'_>,
    after: Option<&Due>,
    limit: usize,
) -> Result<(Vec<Task>, Option<Due>), store::Error> {
    let dues = page(txn, after, limit).await?;
    let next = dues.last().filter(|_| dues.len() == limit).cloned();
    let mut found = Vec::with_capacity(dues.len());
    for due in dues {
        let Some(id) = &due.lease else { continue };
        let place = due.place();
        let lease = txn.find(&leases(), &(&place, &due.secret, id)).await?;
        found.extend(lease.map(|lease| Task { place, lease }));
    }
    Ok((found, next))
}

/// All leases of the secret that somebody at `own` calls `given`; `None` if there is no such secret.
///
/// # Errors
///
/// The store's.
pub async fn of_secret(
    txn: &mut Txn<'_>,
    own: &Place,
    given: &str,
) -> Result<Option<Vec<Task>>, store::Error> {
    let Some((place, name, complete)) = lookup::named(given, own) else { return Ok(None) };
    let secret = lookup::by_name(txn, &place, name).await?;
    let Some(secret) = secret.filter(|it| complete.is_none_or(|arn| it.arn == arn)) else {
        return Ok(None);
    };
    let mut range = leases_of(&place, &secret.id);
    let mut found = Vec::new();
    loop {
        let page = txn.page::<Lease>(range.clone(), 256, false).await?;
        let last = page.rows.last().map(|(key, _)| key.clone());
        let tasks = page.rows.into_iter().map(|(_, lease)| Task { place: place.clone(), lease });
        found.extend(tasks);
        match last {
            Some(key) if page.more => range.from = Bound::Excluded(key),
            _ => return Ok(Some(found)),
        }
    }
}

/// The lease with the id `id`.
///
/// # Errors
///
/// The store's.
pub async fn named(txn: &mut Txn<'_>, id: &str) -> Result<Option<Task>, store::Error> {
    let found = by_id(txn, &VersionId(id.to_owned())).await?;
    Ok(found.map(|(place, lease)| Task { place, lease }))
}

/// Has the lease of `of` end now, in `txn`: its user is removed soon after. `false` if it ends already, or is gone.
///
/// # Errors
///
/// The store's.
pub async fn revoke(txn: &mut Txn<'_>, of: &Task, now: Timestamp) -> Result<bool, store::Error> {
    let Task { place, lease } = of;
    let found = txn.find(&leases(), &(place, &lease.secret, &lease.id)).await?;
    let Some(before) = found.filter(|it| it.state != State::Ending) else { return Ok(false) };
    let mut lease = before.clone();
    lease.ends(End::Revoked, now);
    lease.save(txn, place, &before)?;
    Ok(true)
}
