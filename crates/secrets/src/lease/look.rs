//! What the worker of leases looks at before it begins anything: rows of what is due, and what they lead to.

use super::rows::leases;
use super::{DUE, Due};
use crate::rotation::work::Work;
use base::Timestamp;
use std::ops::Bound;
use std::time::Duration;
use store::{KeyRange, Txn};

const PREFIX: &str = <Due as service::due::Due>::PREFIX;

/// Up to `limit` rows of what is due at `work.now`, soonest first: those after `after`, or else those that fell due after
/// `since`.
///
/// # Errors
///
/// The store's. [`store::Error::Corrupt`]: a row was damaged. It is set aside, and isn't in the way of the next call.
pub async fn due_now(
    work: Work<'_>,
    (since, after): (Option<Timestamp>, Option<&Due>),
    limit: usize,
) -> Result<Vec<Due>, store::Error> {
    let from = match (after, since) {
        (Some(after), _) => Bound::Excluded(DUE.key(after)),
        (None, Some(since)) => Bound::Included(later_than(since)),
        (None, None) => KeyRange::prefix(PREFIX).from,
    };
    rows(work, KeyRange { from, to: Bound::Excluded(later_than(work.now)) }, limit).await
}

/// When the first thing after `work.now` falls due.
///
/// # Errors
///
/// As of [`due_now`].
pub async fn next(work: Work<'_>) -> Result<Option<Timestamp>, store::Error> {
    let from = Bound::Included(later_than(work.now));
    let found = rows(work, KeyRange { from, ..KeyRange::prefix(PREFIX) }, 1).await?;
    Ok(found.first().map(|it| it.at))
}

/// The first key of what falls due after `instant`.
fn later_than(instant: Timestamp) -> String {
    let from = instant.plus(Duration::from_millis(1));
    format!("{PREFIX}{:012x}", from.millis().max(0))
}

async fn rows(work: Work<'_>, range: KeyRange, limit: usize) -> Result<Vec<Due>, store::Error> {
    let backend = work.ports.backend;
    service::due::page(&mut store::begin(backend), backend, range, limit).await
}

/// Up to `limit` rows of what is to be looked at after `after`, soonest first.
pub(super) async fn page(
    txn: &mut Txn<'_>,
    after: Option<&Due>,
    limit: usize,
) -> Result<Vec<Due>, store::Error> {
    let mut range = KeyRange::prefix(PREFIX);
    if let Some(after) = after {
        range.from = Bound::Excluded(DUE.key(after));
    }
    let rows = txn.page::<Due>(range, limit, false).await?.rows;
    Ok(rows.into_iter().map(|(_, due)| due).collect())
}

/// The server that `due` leads to, as far as it is known: `host:port`.
///
/// # Errors
///
/// The store's. A lease that is damaged leads nowhere.
pub async fn target(work: Work<'_>, due: &Due) -> Result<String, store::Error> {
    let nowhere = || due.account.to_string();
    let Some(id) = &due.lease else { return Ok(nowhere()) };
    let mut txn = store::begin(work.ports.backend);
    let found = match txn.find_shared(&leases(), &(&due.place(), &due.secret, id)).await {
        Err(store::Error::Corrupt { .. }) => None,
        found => found?,
    };
    Ok(found.map_or_else(nowhere, |it| {
        let port = it.server.port.map(|it| it.to_string()).unwrap_or_default();
        format!("{}:{port}", it.server.host.to_ascii_lowercase())
    }))
}

/// Whether there is something to be done at once for what `due` leads to, now that it was looked at.
///
/// # Errors
///
/// The store's.
pub async fn is_due(work: Work<'_>, due: &Due) -> Result<bool, store::Error> {
    // Those that it has ended are.
    let Some(id) = &due.lease else { return Ok(true) };
    let mut txn = store::begin(work.ports.backend);
    let lease = txn.find_shared(&leases(), &(&due.place(), &due.secret, id)).await?;
    Ok(lease.is_some_and(|it| it.at <= work.now))
}
