//! Faults that wait for their commit.

use std::collections::BTreeMap;

/// How a commit is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answers [`Error::Conflict`](crate::Error::Conflict); nothing is applied.
    Conflict,
    /// Applies the writes, then dies: the caller hears
    /// [`Error::Unavailable`](crate::Error::Unavailable), and so does everyone after.
    DieAfter,
    /// Dies before anything is applied.
    DieBefore,
    /// Answers [`Error::Unavailable`](crate::Error::Unavailable) once; nothing is applied.
    Fail,
    /// Answers [`Error::Full`](crate::Error::Full) once; nothing is applied.
    Full,
}

/// Which commit is to end in which fault.
#[derive(Debug, Default)]
pub(super) struct Plan {
    commits: u64,
    waiting: BTreeMap<u64, Fault>,
}

impl Plan {
    pub(super) fn add(&mut self, fault: Fault, nth: u64) {
        self.waiting.insert(self.commits.saturating_add(nth.max(1)), fault);
    }

    pub(super) fn commits(&self) -> u64 {
        self.commits
    }

    /// Counts a commit; the fault it is to end in.
    pub(super) fn next(&mut self) -> Option<Fault> {
        self.commits = self.commits.saturating_add(1);
        self.waiting.remove(&self.commits)
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }
}
