//! What a store tells about itself.

use crate::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Counters of one store since it was opened, for metrics.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Commits answered with success.
    pub commits: u64,
    /// Commits refused because something they had read had changed.
    pub conflicts: u64,
    /// Durable writes to the journal, each for one batch of commits.
    pub batches: u64,
    /// Rows written or removed.
    pub rows: u64,
    /// How long the durable writes took.
    pub sync: Histogram,
    /// Rows in memory that are not yet in the tree.
    pub pending_rows: u64,
    /// How often a journal segment was moved into the tree, and how long it took.
    pub moves: Histogram,
    /// Bytes of the tree's file.
    pub tree_bytes: u64,
    /// Bytes reserved for the journal.
    pub journal_bytes: u64,
    /// Bytes of commits in the journal segment in use.
    pub journal_used: u64,
    /// The last failure other than a conflict, until a commit or a move succeeds again.
    pub last_error: Option<String>,
}

/// How long something took, each time.
#[derive(Clone, Debug)]
pub struct Histogram {
    /// Upper bounds and how often it took that long or less, but longer than the bound before.
    /// What took longer than all bounds is only in `count`.
    pub buckets: Vec<(Duration, u64)>,
    /// How often it was measured.
    pub count: u64,
    /// All times together.
    pub total: Duration,
}

impl Default for Histogram {
    fn default() -> Self {
        let bound = |it: &u64| (Duration::from_micros(*it), 0);
        Self { buckets: BOUNDS.iter().map(bound).collect(), count: 0, total: Duration::ZERO }
    }
}

/// From a fast NVMe drive to a disk in distress, in microseconds.
const BOUNDS: [u64; 13] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 500_000, 2_500_000, 10_000_000,
];

impl Histogram {
    fn add(&mut self, took: Duration) {
        self.count = self.count.saturating_add(1);
        self.total = self.total.saturating_add(took);
        if let Some((_, count)) = self.buckets.iter_mut().find(|(bound, _)| took <= *bound) {
            *count = count.saturating_add(1);
        }
    }
}

/// Where the store's threads count.
#[derive(Debug, Default)]
pub(super) struct Counters {
    conflicts: AtomicU64,
    rest: Mutex<Stats>,
}

impl Counters {
    pub(super) fn read(&self) -> Stats {
        let conflicts = self.conflicts.load(Ordering::Relaxed);
        Stats { conflicts, ..self.with(|it| it.clone()) }
    }

    pub(super) fn conflict(&self) {
        self.conflicts.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn batch(&self, commits: usize, rows: usize, took: Duration) {
        self.with(|it| {
            it.commits = it.commits.saturating_add(commits as u64);
            it.rows = it.rows.saturating_add(rows as u64);
            it.batches = it.batches.saturating_add(1);
            it.sync.add(took);
            it.last_error = None;
        });
    }

    pub(super) fn moved(&self, took: Duration, tree_bytes: u64) {
        self.with(|it| {
            it.moves.add(took);
            it.tree_bytes = tree_bytes;
            it.last_error = None;
        });
    }

    pub(super) fn failed(&self, error: &Error) {
        self.with(|it| it.last_error = Some(error.to_string()));
    }

    pub(super) fn sizes(&self, pending_rows: usize, journal_bytes: u64, journal_used: u64) {
        self.with(|it| {
            it.pending_rows = pending_rows as u64;
            it.journal_bytes = journal_bytes;
            it.journal_used = journal_used;
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut Stats) -> T) -> T {
        act(&mut self.rest.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Runs `act`; what it answers, and how long it took.
pub(super) fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    #[expect(clippy::disallowed_methods, reason = "measured for metrics; nothing is decided by it")]
    let start = Instant::now();
    let answer = act();
    (answer, start.elapsed())
}
