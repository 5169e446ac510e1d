//! Rows taken apart, kept for the next reader.
//!
//! A row that is read for every request need not be fetched and taken apart each time. What is kept here was
//! read at some revision and holds until a commit writes its key: the backend tells of each commit
//! before anyone can see it. So a reader never gets a value that its snapshot does not have.

use crate::Revision;
use quick_cache::Weighter;
use quick_cache::unsync::Cache;
use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A value of some record type.
pub(crate) type Value = Arc<dyn Any + Send + Sync>;

/// A bounded set of rows in the form their readers use; the least useful go first.
pub struct Memo {
    shards: [Mutex<Shard>; SHARDS],
}

struct Shard {
    rows: Cache<Box<str>, Kept, Weight>,
    /// The last commit that wrote a key of this shard.
    written: Revision,
}

#[derive(Clone)]
struct Kept {
    /// The snapshot it was read from.
    since: Revision,
    value: Value,
    bytes: u64,
}

#[derive(Clone)]
struct Weight;

const SHARDS: usize = 16;
/// What an entry takes beside its key and its value, about.
const OVERHEAD: u64 = 160;
/// How many entries to expect: smaller ones may be more.
const TYPICAL: u64 = 1024;

impl Memo {
    /// A memo of about `bytes` bytes.
    pub fn new(bytes: u64) -> Self {
        let each = bytes / SHARDS as u64;
        let items = usize::try_from(each / TYPICAL).unwrap_or_default().max(8);
        let shard = || Shard {
            rows: Cache::with_weighter(items, each, Weight),
            written: Revision::default(),
        };
        Self { shards: std::array::from_fn(|_| Mutex::new(shard())) }
    }

    /// The value of `key` in the snapshot of revision `at`, if it is known.
    pub(crate) fn find(&self, key: &str, at: Revision) -> Option<Value> {
        let shard = self.shard(key);
        let kept = shard.rows.get(key).filter(|it| it.since <= at)?;
        Some(Arc::clone(&kept.value))
    }

    /// Keeps `value`, read from the snapshot of revision `at`, where it took `bytes` bytes.
    ///
    /// Does nothing if `key` may have been written since.
    pub(crate) fn keep(&self, key: &str, at: Revision, value: Value, bytes: usize) {
        let mut shard = self.shard(key);
        if shard.written <= at {
            shard.rows.insert(key.into(), Kept { since: at, value, bytes: bytes as u64 });
        }
    }

    /// Forgets `keys`, which the commit of `revision` writes. Called before its snapshot can be had.
    pub(crate) fn forget<'a>(&self, keys: impl Iterator<Item = &'a str>, revision: Revision) {
        for key in keys {
            let mut shard = self.shard(key);
            shard.written = shard.written.max(revision);
            shard.rows.remove(key);
        }
    }

    fn shard(&self, key: &str) -> MutexGuard<'_, Shard> {
        // The last bytes of a key are mostly drawn by chance; how well they spread matters little.
        let sum = key
            .bytes()
            .rev()
            .take(8)
            .fold(0_usize, |sum, it| sum.wrapping_mul(31).wrapping_add(usize::from(it)));
        // INVARIANT: less than `SHARDS`.
        let [first, ..] = &self.shards;
        let shard = self.shards.get(sum % SHARDS).unwrap_or(first);
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Weighter<Box<str>, Kept> for Weight {
    fn weight(&self, key: &Box<str>, kept: &Kept) -> u64 {
        // A value taken apart is about twice as large as its row.
        key.len() as u64 + 2 * kept.bytes + OVERHEAD
    }
}

impl fmt::Debug for Memo {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Memo")
    }
}
