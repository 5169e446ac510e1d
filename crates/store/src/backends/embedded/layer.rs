//! Rows that are in the journal but not yet in the tree.

use crate::{KeyRange, Revision};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

/// What the commits of one journal segment wrote, each version with its revision.
///
/// Old versions stay: a snapshot reads what was there at its revision. Bounded by the segment.
#[derive(Debug, Default)]
pub(super) struct Layer {
    rows: RwLock<Map>,
    // Answers most reads of a quiet store without a lock.
    keys: AtomicUsize,
}

pub(super) type Map = BTreeMap<String, Versions>;

/// A row, or that it was removed.
pub(super) type Written = Option<Vec<u8>>;

/// All versions of one row, the newest apart: mostly there is no other.
#[derive(Debug)]
pub(super) struct Versions {
    newest: (Revision, Written),
    // INVARIANT: ascending by revision, all below `newest`.
    older: Vec<(Revision, Written)>,
}

impl Versions {
    /// What a snapshot at `revision` sees; `None` if this layer has nothing to say about it.
    pub(super) fn at(&self, revision: Revision) -> Option<&Written> {
        if self.newest.0 <= revision {
            return Some(&self.newest.1);
        }
        let later = self.older.partition_point(|(at, _)| *at <= revision);
        self.older.get(later.checked_sub(1)?).map(|(_, written)| written)
    }

    fn push(&mut self, newest: (Revision, Written)) {
        let former = std::mem::replace(&mut self.newest, newest);
        self.older.push(former);
    }

    /// The last thing written.
    pub(super) fn newest(&self) -> &Written {
        &self.newest.1
    }
}

impl Layer {
    /// The rows of commits read back from the journal.
    pub(super) fn of(commits: Vec<(Revision, Vec<(String, Written)>)>) -> Self {
        let layer = Self::default();
        for (revision, writes) in commits {
            layer.write(revision, writes);
        }
        layer
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many rows it speaks about.
    pub(super) fn len(&self) -> usize {
        self.keys.load(Ordering::Acquire)
    }

    /// Adds what `revision` wrote. Revisions come in ascending order; readers don't see it before a
    /// view of that revision is published.
    pub(super) fn write(&self, revision: Revision, writes: Vec<(String, Written)>) {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        for (key, written) in writes {
            let newest = (revision, written);
            match rows.entry(key) {
                Entry::Occupied(mut versions) => versions.get_mut().push(newest),
                Entry::Vacant(place) => {
                    place.insert(Versions { newest, older: Vec::new() });
                }
            }
        }
        self.keys.store(rows.len(), Ordering::Release);
    }

    /// What a snapshot at `revision` sees at `key`: `None` if it has to look further down.
    pub(super) fn find(&self, key: &str, revision: Revision) -> Option<Written> {
        if self.is_empty() {
            return None;
        }
        self.read().get(key)?.at(revision).cloned()
    }

    /// All rows, for as long as the guard is held. Writers wait.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Map> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a snapshot at `revision` sees in `range` of `rows`, ascending.
///
/// `range` must not be empty.
pub(super) fn visible<'a>(
    rows: &'a Map,
    range: &KeyRange,
    revision: Revision,
) -> impl DoubleEndedIterator<Item = (&'a str, &'a Written)> + use<'a> {
    rows.range::<str, _>(range.bounds())
        .filter_map(move |(key, versions)| Some((key.as_str(), versions.at(revision)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_revision_sees_its_own_version() {
        let layer = Layer::default();
        assert!(layer.is_empty());
        let write = |revision, key: &str, written: Option<u8>| {
            let row = (key.to_owned(), written.map(|it| vec![it]));
            layer.write(Revision(revision), vec![row]);
        };
        write(5, "a", Some(1));
        write(7, "a", None);
        write(8, "b", Some(2));
        write(9, "a", Some(3));

        #[rustfmt::skip]
        let cases = [
            (4, "a", None),
            (5, "a", Some(Some(vec![1]))),
            (6, "a", Some(Some(vec![1]))),
            (7, "a", Some(None)),
            (8, "a", Some(None)),
            (9, "a", Some(Some(vec![3]))),
            (7, "b", None),
            (8, "b", Some(Some(vec![2]))),
            (9, "c", None),
        ];
        for (revision, key, expected) in cases {
            assert_eq!(layer.find(key, Revision(revision)), expected, "{key} at {revision}");
        }
        let rows = layer.read();
        let range = KeyRange::prefix("");
        let at_8: Vec<_> = visible(&rows, &range, Revision(8)).map(|(key, _)| key).collect();
        assert_eq!(at_8, ["a", "b"]);
        assert_eq!(visible(&rows, &range, Revision(4)).count(), 0);
        assert_eq!(layer.len(), 2);
    }
}
