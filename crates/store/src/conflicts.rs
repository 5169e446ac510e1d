//! Which commits contradict each other, decided from recently written keys alone.

use crate::{Commit, Error, KeyRange, Revision};
use std::collections::VecDeque;
use std::hash::{BuildHasherDefault, DefaultHasher, Hasher};
use std::ops::Bound;

/// The keys of the latest commits, each with the revision that wrote it last.
///
/// Bounded: a commit whose snapshot is older than what is remembered conflicts, as nobody can tell
/// any more.
#[derive(Debug)]
pub(crate) struct Recent {
    /// Digests of the keys written after `floor`. Two keys of one digest make up a conflict: the
    /// transaction runs again, and nothing is lost.
    written: ByDigest,
    // INVARIANT: ascending by revision. Holds each entry of `written`, and overwritten ones.
    order: VecDeque<Entry>,
    /// All that was written after this revision is remembered.
    floor: Revision,
    capacity: usize,
}

#[derive(Debug)]
struct Entry {
    at: Revision,
    digest: u64,
    key: Box<str>,
}

#[expect(clippy::disallowed_types, reason = "never iterated, and ten times faster at this size")]
type ByDigest = std::collections::HashMap<u64, Revision, BuildHasherDefault<AsItIs>>;

/// Digests are spread already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |sum, it| sum << 8 | u64::from(*it));
    }

    fn write_u64(&mut self, digest: u64) {
        self.0 = digest;
    }
}

impl Recent {
    /// Remembers up to `capacity` written keys; knows nothing of what was written up to `floor`.
    pub(crate) fn new(capacity: usize, floor: Revision) -> Self {
        Self { written: ByDigest::default(), order: VecDeque::new(), floor, capacity }
    }

    /// Forgets everything: the store stands at `floor`.
    pub(crate) fn reset(&mut self, floor: Revision) {
        *self = Self::new(self.capacity, floor);
    }

    /// Whether all that `commit` relies on is still as its snapshot saw it.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] names the first key or the start of the first range that was changed.
    pub(crate) fn check(&self, commit: &Commit) -> Result<(), Error> {
        let seen = commit.seen;
        let anything = commit.reads.first().map(String::as_str);
        let Some(first) = anything.or_else(|| commit.ranges.first().map(start)) else {
            return Ok(());
        };
        if seen < self.floor {
            return Err(Error::Conflict { key: first.to_owned() });
        }
        let newer = |key: &&String| self.written.get(&digest(key)).is_some_and(|at| *at > seen);
        if let Some(key) = commit.reads.iter().find(newer) {
            return Err(Error::Conflict { key: key.clone() });
        }
        // What was written since is nearly always less than what a range holds.
        let since = self.order.partition_point(|it| it.at <= seen);
        let touched =
            |range: &&KeyRange| self.order.range(since..).any(|it| range.contains(&it.key));
        match commit.ranges.iter().find(touched) {
            Some(range) => Err(Error::Conflict { key: start(range).to_owned() }),
            None => Ok(()),
        }
    }

    /// Remembers that `revision` wrote `keys`. Revisions come in ascending order.
    pub(crate) fn record<'k>(&mut self, revision: Revision, keys: impl Iterator<Item = &'k str>) {
        for key in keys {
            let digest = digest(key);
            self.written.insert(digest, revision);
            self.order.push_back(Entry { at: revision, digest, key: key.into() });
        }
        while self.order.len() > self.capacity {
            let Some(Entry { at, digest, .. }) = self.order.pop_front() else { break };
            self.floor = self.floor.max(at);
            if self.written.get(&digest) == Some(&at) {
                self.written.remove(&digest);
            }
        }
    }
}

/// The same in every run: keys of this map are never iterated, but runs must be repeatable.
fn digest(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(key.as_bytes());
    hasher.finish()
}

fn start(range: &KeyRange) -> &str {
    match &range.from {
        Bound::Included(from) | Bound::Excluded(from) => from,
        Bound::Unbounded => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn commit(seen: u64, reads: &[&str], prefixes: &[&str]) -> Commit {
        Commit {
            seen: Revision(seen),
            reads: reads.iter().map(|&it| it.to_owned()).collect(),
            ranges: prefixes.iter().map(|it| KeyRange::prefix(it)).collect(),
            writes: Vec::new(),
        }
    }

    fn verdict(recent: &Recent, commit: &Commit) -> Option<String> {
        match recent.check(commit) {
            Ok(()) => None,
            Err(Error::Conflict { key }) => Some(key),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn only_what_was_read_and_has_changed_conflicts() {
        let mut recent = Recent::new(100, Revision(4));
        recent.record(Revision(5), ["a/1", "b/1"].into_iter());
        recent.record(Revision(6), ["a/1"].into_iter());

        #[rustfmt::skip]
        let cases = [
            // seen       reads            prefixes         conflict
            (4,           &["a/1"][..],    &[][..],         Some("a/1")),
            (5,           &["a/1"],        &[],             Some("a/1")),
            (6,           &["a/1"],        &[],             None),
            (5,           &["b/1"],        &[],             None),
            (4,           &["c", "b/1"],   &[],             Some("b/1")),
            (4,           &["c"],          &["c/"],         None),
            (4,           &[],             &["c/", "b/"],   Some("b/")),
            (5,           &[],             &["b/"],         None),
            (5,           &[],             &[""],           Some("")),
            (3,           &["c"],          &[],             Some("c")), // before all that is known
            (3,           &[],             &["c/"],         Some("c/")),
            (0,           &[],             &[],             None),      // blind
            (u64::MAX,    &["a/1"],        &["a/"],         None),      // no snapshot was taken
        ];
        for (seen, reads, prefixes, expected) in cases {
            let commit = commit(seen, reads, prefixes);
            assert_eq!(verdict(&recent, &commit).as_deref(), expected, "{commit:?}");
        }
    }

    #[test]
    fn reset_forgets_what_was_never_committed() {
        let mut recent = Recent::new(100, Revision(4));
        recent.record(Revision(5), ["a"].into_iter());
        recent.reset(Revision(4));
        assert_eq!(verdict(&recent, &commit(4, &["a"], &[])), None);
        assert!(verdict(&recent, &commit(3, &["a"], &[])).is_some());
    }

    proptest! {
        /// Against all commits remembered for ever: no conflict is missed, and one is only made up
        /// when the snapshot is older than the window.
        #[test]
        fn agrees_with_a_full_memory(
            commits in prop::collection::vec(prop::collection::vec("[ab]/[0-3]", 1..4), 1..12),
            capacity in 1usize..20,
            seen in 0u64..13,
            read in "[ab]/[0-3]",
            prefix in "[ab]/",
        ) {
            let mut recent = Recent::new(capacity, Revision(0));
            for (at, keys) in (1..).zip(&commits) {
                recent.record(Revision(at), keys.iter().map(String::as_str));
            }
            let later = |hit: &dyn Fn(&str) -> bool| {
                (1..).zip(&commits).any(|(at, keys)| at > seen && keys.iter().any(|it| hit(it)))
            };
            for (commit, truth) in [
                (commit(seen, &[&read], &[]), later(&|key| key == read)),
                (commit(seen, &[], &[&prefix]), later(&|key| key.starts_with(&prefix))),
            ] {
                let found = verdict(&recent, &commit).is_some();
                prop_assert!(found || !truth, "missed: {commit:?}");
                prop_assert!(!found || truth || Revision(seen) < recent.floor, "made up: {commit:?}");
            }
            prop_assert!(recent.written.len() <= capacity && recent.order.len() <= capacity);
        }
    }
}
