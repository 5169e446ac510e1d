//! What the engine counts.

use crate::trouble::Trouble;
use std::sync::atomic::{AtomicU64, Ordering};

/// Attempts since the start, and those under way.
#[derive(Debug, Default)]
pub struct Tally {
    running: AtomicU64,
    succeeded: AtomicU64,
    failed: AtomicU64,
    abandoned: AtomicU64,
}

/// Counts as under way while it lives.
pub(crate) struct Counted<'a>(&'a Tally);

impl Tally {
    /// Attempts under way.
    pub fn running(&self) -> u64 {
        self.running.load(Ordering::Relaxed)
    }

    /// Attempts that ended, by how they did.
    pub fn ended(&self) -> [(&'static str, u64); 3] {
        let read = |it: &AtomicU64| it.load(Ordering::Relaxed);
        [
            ("abandoned", read(&self.abandoned)),
            ("failed", read(&self.failed)),
            ("succeeded", read(&self.succeeded)),
        ]
    }

    pub(crate) fn begin(&self) -> Counted<'_> {
        self.running.fetch_add(1, Ordering::Relaxed);
        Counted(self)
    }

    pub(crate) fn end(&self, done: &Result<(), Trouble>) {
        let count = match done {
            Ok(()) => &self.succeeded,
            Err(Trouble::Gone) => &self.abandoned,
            Err(_) => &self.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}
