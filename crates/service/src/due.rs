//! Work that falls due without a request: found by a table in the order of instants, never by looking at all
//! there is.

use base::Timestamp;
use std::ops::Bound;
use store::{Backend, KeyRange, Record, Table, Txn};

/// A row that says when something falls due. Its key says all that the row does, so a damaged row can be
/// written anew.
pub trait Due: Record + Clone + Send + Sync {
    /// What falls due, soonest first, over all partitions.
    const TABLE: Table<Self, Self>;
    /// What the keys of [`Due::TABLE`] start with.
    const PREFIX: &'static str;

    /// The same thing, due at another instant.
    fn at(self, instant: Timestamp) -> Self;

    /// What the row at `key` says, if `key` is one of [`Due::TABLE`].
    fn of_key(key: &str) -> Option<Self>;
}

/// Damaged rows that are set aside in one transaction.
const PORTION: usize = 100;

/// What falls due first.
///
/// # Errors
///
/// [`store::Error::Corrupt`]: the rows that stand first were damaged. They are set aside, so that the next call
/// finds what stands behind them.
pub async fn first<D: Due>(
    txn: &mut Txn<'_>,
    backend: &dyn Backend,
) -> Result<Option<D>, store::Error> {
    let found = first_in(txn, KeyRange::prefix(D::PREFIX)).await;
    if matches!(found, Err(store::Error::Corrupt { .. })) {
        mend::<D>(backend, D::PREFIX).await?;
    }
    found
}

/// Up to `limit` rows of `range`, which lies in the table, soonest first.
///
/// # Errors
///
/// [`store::Error::Corrupt`]: a row was damaged. It is set aside, with those behind it that are, too.
pub async fn page<D: Due>(
    txn: &mut Txn<'_>,
    backend: &dyn Backend,
    range: KeyRange,
    limit: usize,
) -> Result<Vec<D>, store::Error> {
    let found = txn.page::<D>(range, limit, false).await;
    if let Err(store::Error::Corrupt { key, .. }) = &found {
        mend::<D>(backend, key).await?;
    }
    Ok(found?.rows.into_iter().map(|(_, due)| due).collect())
}

/// Lets others go before `due`, which is looked at again at `instant`.
///
/// # Errors
///
/// The store's.
pub async fn postpone<D: Due>(
    backend: &dyn Backend,
    due: D,
    instant: Timestamp,
) -> Result<(), store::Error> {
    let mut txn = store::begin(backend);
    txn.remove(&D::TABLE, &due);
    let later = due.at(instant);
    txn.save(&D::TABLE, &later, &later)?;
    txn.commit().await
}

async fn first_in<D: Due>(txn: &mut Txn<'_>, range: KeyRange) -> Result<Option<D>, store::Error> {
    let page = txn.page::<D>(range, 1, false).await?;
    Ok(page.rows.into_iter().next().map(|(_, due)| due))
}

/// Sets the damaged rows aside that stand from `key` on before the first whole one. Those whose keys still tell what they
/// said are written anew: what they lead to says what is to be done.
async fn mend<D: Due>(backend: &dyn Backend, key: &str) -> Result<(), store::Error> {
    let mut txn = store::begin(backend);
    let from = Bound::Included(key.to_owned());
    let mut range = KeyRange { from, ..KeyRange::prefix(D::PREFIX) };
    for _ in 0..PORTION {
        let found = first_in::<D>(&mut txn, range.clone()).await;
        let Err(store::Error::Corrupt { key, .. }) = found else { break };
        anew::<D>(&mut txn, &key).await?;
        range.from = Bound::Excluded(key);
    }
    txn.commit().await
}

/// Sets the damaged row at `key` aside, and writes it anew if its key tells what it said.
async fn anew<D: Due>(txn: &mut Txn<'_>, key: &str) -> Result<(), store::Error> {
    txn.set_aside(key).await?;
    match D::of_key(key) {
        Some(due) => txn.save(&D::TABLE, &due, &due),
        None => Ok(()),
    }
}
