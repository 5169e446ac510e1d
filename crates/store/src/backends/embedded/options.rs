//! How an embedded store is set up.

use super::faults::Faults;
use std::time::Duration;

/// How an embedded store is set up. The defaults are for a server; tests make things smaller.
#[derive(Clone, Debug)]
pub struct Options {
    /// Memory for pages of the tree, in bytes. What does not fit is read from the page cache.
    pub cache_bytes: usize,
    /// How large each of the two journal segments may become, in bytes. They begin small and grow
    /// under load, where the disk has room.
    ///
    /// What a segment holds is also held in memory until it is in the tree. Larger segments make
    /// fewer and cheaper moves.
    pub journal_bytes: u64,
    /// After this long without a commit the journal is moved into the tree.
    pub idle: Duration,
    /// Memory for rows taken apart that are read again and again, in bytes, about.
    pub memo_bytes: u64,
    /// How many written keys are remembered to find conflicts.
    pub remembered_keys: usize,
    /// How the disk is to misbehave, in tests.
    pub faults: Faults,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 64 << 20,
            journal_bytes: 64 << 20,
            idle: Duration::from_millis(500),
            memo_bytes: 8 << 20,
            remembered_keys: 100_000,
            faults: Faults::default(),
        }
    }
}
