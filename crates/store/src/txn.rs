//! Optimistic transactions.

use crate::table::{decode, encode};
use crate::{Backend, Commit, Error, KeyRange, Record, Revision, Rows, Snapshot, Table};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

/// Starts a transaction. Nothing is read before the first `find` or `page`.
pub fn begin(backend: &dyn Backend) -> Txn<'_> {
    Txn { backend, snapshot: None, reads: Vec::new(), ranges: Vec::new(), writes: BTreeMap::new() }
}

/// Reads one snapshot, gathers writes, and commits them if nothing it has read has changed.
///
/// Sees its own writes. Dropping it before [`Txn::commit`] leaves no trace.
pub struct Txn<'a> {
    backend: &'a dyn Backend,
    snapshot: Option<Box<dyn Snapshot>>,
    reads: Vec<String>,
    ranges: Vec<KeyRange>,
    writes: BTreeMap<String, Option<Vec<u8>>>,
}

/// One page of rows: each with its key, in the order asked for.
#[derive(Debug)]
pub struct Page<V> {
    /// Keys and values.
    pub rows: Vec<(String, V)>,
    /// Whether rows remain after the last one.
    pub more: bool,
}

impl Txn<'_> {
    /// The value of `key`'s row, if there is one.
    pub async fn find<K: ?Sized, V: Record>(
        &mut self,
        table: &Table<K, V>,
        key: &K,
    ) -> Result<Option<V>, Error> {
        let key = table.key(key);
        if let Some(written) = self.writes.get(&key) {
            return written.as_deref().map(|row| decode(&key, row)).transpose();
        }
        let row = self.snapshot().await?.get(&key).await?;
        let value = row.map(|row| decode(&key, &row)).transpose();
        self.reads.push(key);
        value
    }

    /// The value of `key`'s row, as [`Txn::find`] gives it, but shared with other readers: for rows that
    /// are read for many requests, which then need not be fetched and taken apart again.
    pub async fn find_shared<K: ?Sized, V: Record + Send + Sync + 'static>(
        &mut self,
        table: &Table<K, V>,
        key: &K,
    ) -> Result<Option<Arc<V>>, Error> {
        let key = table.key(key);
        if let Some(written) = self.writes.get(&key) {
            return written.as_deref().map(|row| decode(&key, row).map(Arc::new)).transpose();
        }
        let value = self.shared(&key).await;
        self.reads.push(key);
        value
    }

    async fn shared<V: Record + Send + Sync + 'static>(
        &mut self,
        key: &str,
    ) -> Result<Option<Arc<V>>, Error> {
        let memo = self.backend.memo();
        let snapshot = self.snapshot().await?;
        let at = snapshot.revision();
        let known = memo.and_then(|it| it.find(key, at)).and_then(|it| it.downcast().ok());
        if known.is_some() {
            return Ok(known);
        }
        let Some(row) = snapshot.get(key).await? else { return Ok(None) };
        let value = Arc::new(decode::<V>(key, &row)?);
        if let Some(memo) = memo {
            memo.keep(key, at, Arc::clone(&value) as _, row.len());
        }
        Ok(Some(value))
    }

    /// The value of `key`'s row, without relying on it: a later change is no conflict.
    ///
    /// For estimates over many rows, such as a sum of counters.
    pub async fn glance<K: ?Sized, V: Record>(
        &mut self,
        table: &Table<K, V>,
        key: &K,
    ) -> Result<Option<V>, Error> {
        let key = table.key(key);
        let row = self.snapshot().await?.get(&key).await?;
        row.map(|row| decode(&key, &row)).transpose()
    }

    /// Whether there is a row at `key`, whatever it holds.
    pub async fn exists(&mut self, key: &str) -> Result<bool, Error> {
        if let Some(written) = self.writes.get(key) {
            return Ok(written.is_some());
        }
        let found = self.snapshot().await?.get(key).await?.is_some();
        self.reads.push(key.to_owned());
        Ok(found)
    }

    /// Up to `limit` rows whose keys lie in `range`, ascending, or descending if `reverse`.
    pub async fn page<V: Record>(
        &mut self,
        range: KeyRange,
        limit: usize,
        reverse: bool,
    ) -> Result<Page<V>, Error> {
        let rows = self.rows((&range, V::HEAD), limit.saturating_add(1), reverse).await?;
        let more = rows.len() > limit;
        // The transaction relies only on the rows it was given.
        self.ranges.push(match (rows.get(limit), reverse) {
            (None, _) => range,
            (Some((past, _)), false) => KeyRange { to: Bound::Excluded(past.clone()), ..range },
            (Some((past, _)), true) => KeyRange { from: Bound::Excluded(past.clone()), ..range },
        });
        let rows = rows
            .into_iter()
            .take(limit)
            .map(|(key, row)| decode(&key, &row).map(|value| (key, value)))
            .collect::<Result<_, _>>()?;
        Ok(Page { rows, more })
    }

    /// Writes `value` to `key`'s row.
    pub fn save<K: ?Sized, V: Record>(
        &mut self,
        table: &Table<K, V>,
        key: &K,
        value: &V,
    ) -> Result<(), Error> {
        let key = table.key(key);
        let row = encode(&key, value)?;
        self.writes.insert(key, Some(row));
        Ok(())
    }

    /// Removes `key`'s row, if there is one.
    pub fn remove<K: ?Sized, V: Record>(&mut self, table: &Table<K, V>, key: &K) {
        self.writes.insert(table.key(key), None);
    }

    /// Moves the row at `key`, whatever it holds, to `quarantine/{key}`.
    ///
    /// For a row that can't be decoded and is in the way: nothing is lost, and only people look there.
    pub async fn set_aside(&mut self, key: &str) -> Result<(), Error> {
        let row = match self.writes.get(key) {
            Some(written) => written.clone(),
            None => self.snapshot().await?.get(key).await?,
        };
        self.reads.push(key.to_owned());
        if let Some(row) = row {
            self.writes.insert(format!("quarantine/{key}"), Some(row));
            self.writes.insert(key.to_owned(), None);
        }
        Ok(())
    }

    /// Forgets all writes; what was read stays remembered.
    pub fn discard_writes(&mut self) {
        self.writes.clear();
    }

    /// Begins anew: forgets what was read and written, and lets go of the snapshot. For who waits long before
    /// it answers, and has read all it needs.
    pub fn release(&mut self) {
        *self = begin(self.backend);
    }

    /// Whether `commit` would change anything.
    pub fn writes_anything(&self) -> bool {
        !self.writes.is_empty()
    }

    /// Applies the writes, durably. A transaction that wrote nothing ends without asking.
    pub async fn commit(self) -> Result<(), Error> {
        if self.writes.is_empty() {
            return Ok(());
        }
        let seen = self.snapshot.as_ref().map_or(Revision(u64::MAX), |it| it.revision());
        // What is kept for readers alone needn't be kept any more: a backend in memory would copy it.
        drop(self.snapshot);
        let commit = Commit {
            seen,
            reads: self.reads,
            ranges: self.ranges,
            writes: self.writes.into_iter().collect(),
        };
        self.backend.commit(commit).await.map(drop)
    }

    /// The rows of `range` in the snapshot, overlaid with what this transaction has written.
    async fn rows(
        &mut self,
        (range, head): (&KeyRange, usize),
        limit: usize,
        reverse: bool,
    ) -> Result<Rows, Error> {
        let own: Vec<_> = self
            .writes
            .iter()
            .filter(|(key, _)| range.contains(key))
            .map(|(key, row)| (key.clone(), row.clone()))
            .collect();
        // Each own write hides at most one row of the snapshot.
        let asked = limit.saturating_add(own.len());
        let stored = self.snapshot().await?.scan_heads(range, asked, reverse, head).await?;
        if own.is_empty() {
            return Ok(stored);
        }
        let complete = stored.len() < asked;
        let edge = stored.last().map(|(key, _)| key.clone());
        let mut merged: BTreeMap<_, _> =
            stored.into_iter().map(|(key, row)| (key, Some(row))).collect();
        merged.extend(own.into_iter().filter(|(key, _)| match &edge {
            Some(edge) if !complete => (key <= edge) != reverse || key == edge,
            _ => true,
        }));
        let live = merged.into_iter().filter_map(|(key, row)| row.map(|row| (key, row)));
        Ok(if reverse { live.rev().take(limit).collect() } else { live.take(limit).collect() })
    }

    async fn snapshot(&mut self) -> Result<&dyn Snapshot, Error> {
        if self.snapshot.is_none() {
            self.snapshot = Some(self.backend.snapshot().await?);
        }
        self.snapshot.as_deref().ok_or_else(|| Error::Unavailable("no snapshot".into()))
    }
}

impl fmt::Debug for Txn<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Txn")
            .field("reads", &self.reads)
            .field("writes", &self.writes.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod properties {
    use super::*;
    use crate::backends::memory::Memory;
    use proptest::prelude::*;

    struct Row(u8);

    impl Record for Row {
        const SCHEMA: u16 = 1;

        fn encode(&self) -> Result<Vec<u8>, String> {
            Ok(vec![self.0])
        }

        fn decode(_schema: u16, bytes: &[u8]) -> Result<Self, String> {
            bytes.first().map(|it| Self(*it)).ok_or_else(|| "empty".to_owned())
        }
    }

    const ROWS: Table<str, Row> = Table::new(|key: &str| key.to_owned());

    type Written = BTreeMap<String, Option<u8>>;

    fn written() -> impl Strategy<Value = Written> {
        prop::collection::btree_map("[a-d]{0,2}", prop::option::weighted(0.6, any::<u8>()), 0..14)
    }

    fn bound() -> impl Strategy<Value = Bound<String>> {
        prop_oneof![
            "[a-d]{0,2}".prop_map(Bound::Included),
            "[a-d]{0,2}".prop_map(Bound::Excluded),
            Just(Bound::Unbounded),
        ]
    }

    fn write(txn: &mut Txn<'_>, rows: &Written) {
        for (key, row) in rows {
            match row {
                Some(row) => txn.save(&ROWS, key, &Row(*row)).expect("encodes"),
                None => txn.remove(&ROWS, key),
            }
        }
    }

    /// The rows of `range` in the order asked for, page by page, and how many pages it took.
    async fn pages(
        txn: &mut Txn<'_>,
        range: &KeyRange,
        limit: usize,
        reverse: bool,
    ) -> Vec<(String, u8)> {
        let (mut all, mut rest) = (Vec::new(), range.clone());
        loop {
            let page = txn.page::<Row>(rest.clone(), limit, reverse).await.expect("readable");
            assert!(page.rows.len() <= limit && (page.rows.len() == limit || !page.more));
            all.extend(page.rows.into_iter().map(|(key, Row(row))| (key, row)));
            let Some((last, _)) = all.last().filter(|_| page.more) else { return all };
            let past = Bound::Excluded(last.clone());
            *(if reverse { &mut rest.to } else { &mut rest.from }) = past;
        }
    }

    proptest! {
        /// A transaction sees the store with its own writes laid over it, like one map over another.
        #[test]
        fn own_writes_lie_over_the_store(
            stored in written(),
            own in written(),
            from in bound(),
            to in bound(),
            limit in 1usize..6,
            reverse in any::<bool>(),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let range = KeyRange { from, to };
            let (seen, after) = runtime.block_on(async {
                let memory = Memory::new();
                let mut txn = begin(&memory);
                write(&mut txn, &stored);
                txn.commit().await.expect("blind");
                let mut txn = begin(&memory);
                write(&mut txn, &own);
                let seen = pages(&mut txn, &range, limit, reverse).await;
                txn.commit().await.expect("alone");
                (seen, pages(&mut begin(&memory), &range, limit, reverse).await)
            });
            let mut model = stored;
            model.extend(own);
            let mut expected: Vec<_> = model
                .into_iter()
                .filter_map(|(key, row)| Some((key, row?)))
                .filter(|(key, _)| range.contains(key))
                .collect();
            if reverse {
                expected.reverse();
            }
            prop_assert_eq!(&seen, &expected);
            prop_assert_eq!(after, expected, "after the commit");
        }
    }
}
