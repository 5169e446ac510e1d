//! An ordered, transactional key-value store.
//!
//! Read [`Backend`] first (what a store must be able to do), then [`Txn`] (how services use it),
//! then [`Table`] (how values get their types). Backends live in [`backends`]; all of them pass
//! [`suite`].
//!
//! Invariants:
//!
//! - A transaction reads one snapshot and commits only if nothing it has read has changed since.
//! - When `commit` has answered `Ok`, the writes are on disk (for backends that have one).
//! - Keys are readable paths, ordered bytewise; values begin with their schema number.
//!
//! Nothing here knows what is stored.

pub mod backends;
pub mod backup;
mod conflicts;
mod error;
mod memo;
pub mod path;
pub mod suite;
mod table;
mod txn;

use async_trait::async_trait;
use std::fmt;
use std::ops::Bound;

pub use error::Error;
pub use memo::Memo;
pub use table::{Record, Table};
#[doc(hidden)]
pub use table::{from_json, to_json};
pub use txn::{Page, Txn, begin};

/// Counts commits: each successful commit that writes has a higher revision than the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(pub u64);

/// An ordered, transactional key-value store.
///
/// Implementations are cheap to share; all methods take `&self` and may be called from many tasks.
#[async_trait]
pub trait Backend: Send + Sync + fmt::Debug {
    /// Everything committed until now, unchanged by later commits.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error>;

    /// Applies `commit.writes` at once and durably, if nothing in `commit.reads` has changed since
    /// `commit.seen`.
    ///
    /// # Errors
    ///
    /// - [`Error::Conflict`]: something that was read has changed; nothing was applied.
    /// - [`Error::Full`]: no space; nothing was applied, and reads go on.
    /// - [`Error::Unavailable`]: it is unknown whether the writes were applied.
    async fn commit(&self, commit: Commit) -> Result<Revision, Error>;

    /// Rows taken apart for earlier readers, if the backend keeps any: then it tells the memo of each
    /// commit before that commit's snapshot can be had.
    fn memo(&self) -> Option<&Memo> {
        None
    }
}

/// A consistent view of the store at one revision.
#[async_trait]
pub trait Snapshot: Send + Sync {
    /// The revision of the last commit this view contains.
    fn revision(&self) -> Revision;

    /// The value at `key`.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error>;

    /// Up to `limit` rows of `range`, ascending by key, or descending if `reverse`.
    async fn scan(&self, range: &KeyRange, limit: usize, reverse: bool) -> Result<Rows, Error> {
        self.scan_heads(range, limit, reverse, usize::MAX).await
    }

    /// The same, with only the first `head` bytes of each value: the rest isn't copied.
    async fn scan_heads(
        &self,
        range: &KeyRange,
        limit: usize,
        reverse: bool,
        head: usize,
    ) -> Result<Rows, Error>;
}

/// Keys with their values, in the order asked for.
pub type Rows = Vec<(String, Vec<u8>)>;

/// A run of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// Where it starts.
    pub from: Bound<String>,
    /// Where it ends.
    pub to: Bound<String>,
}

/// What a transaction asks the backend to do.
#[derive(Default)]
pub struct Commit {
    /// The revision of the snapshot that was read.
    pub seen: Revision,
    /// Keys whose value, or absence, the transaction relies on.
    pub reads: Vec<String>,
    /// Ranges whose rows, or absence of rows, the transaction relies on.
    pub ranges: Vec<KeyRange>,
    /// Rows to write (`Some`) or to remove (`None`); each key once.
    pub writes: Vec<(String, Option<Vec<u8>>)>,
}

impl Commit {
    /// Bytes of all it writes, for bounds on what waits.
    pub(crate) fn bytes(&self) -> usize {
        let row = |(key, row): &(String, Option<Vec<u8>>)| {
            key.len().saturating_add(row.as_ref().map_or(0, Vec::len))
        };
        self.writes.iter().map(row).fold(0, usize::saturating_add)
    }
}

impl fmt::Debug for Commit {
    /// Keys only: rows hold what must not be printed.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written: Vec<_> = self.writes.iter().map(|(key, _)| key).collect();
        out.debug_struct("Commit")
            .field("seen", &self.seen)
            .field("reads", &self.reads)
            .field("ranges", &self.ranges)
            .field("writes", &written)
            .finish()
    }
}

impl KeyRange {
    /// All keys that start with `prefix`.
    pub fn prefix(prefix: &str) -> Self {
        Self { from: Bound::Included(prefix.to_owned()), to: path::after_prefix(prefix) }
    }

    /// Whether `key` lies in the range.
    pub fn contains(&self, key: &str) -> bool {
        let starts = match &self.from {
            Bound::Included(from) => from.as_str() <= key,
            Bound::Excluded(from) => from.as_str() < key,
            Bound::Unbounded => true,
        };
        let ends = match &self.to {
            Bound::Included(to) => key <= to.as_str(),
            Bound::Excluded(to) => key < to.as_str(),
            Bound::Unbounded => true,
        };
        starts && ends
    }

    /// Whether no key can lie in the range, as after the last key of a page that had it all.
    pub(crate) fn is_empty(&self) -> bool {
        match (&self.from, &self.to) {
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
            (Bound::Included(from), Bound::Included(to)) => from > to,
            (
                Bound::Included(from) | Bound::Excluded(from),
                Bound::Included(to) | Bound::Excluded(to),
            ) => from >= to,
        }
    }

    /// Both ends as maps and tables take them. Ask [`KeyRange::is_empty`] first: they panic.
    pub(crate) fn bounds(&self) -> (Bound<&str>, Bound<&str>) {
        (self.from.as_ref().map(String::as_str), self.to.as_ref().map(String::as_str))
    }
}
