//! What the journal tells about itself.

use std::time::Duration;

/// What the journal tells about itself; counts are since it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// The number of the last record.
    pub sequence: u64,
    /// The segment being written.
    pub segment: u64,
    /// Records taken over.
    pub records: u64,
    /// Bytes written, heads and openings included.
    pub bytes: u64,
    /// Records not on disk yet.
    pub unsynced_records: u64,
    /// Bytes not on disk yet.
    pub unsynced_bytes: u64,
    /// How long syncs took.
    pub syncs: SyncTimes,
    /// Appends that failed.
    pub failures: u64,
    /// Whether the last append failed, and the disk has had no space since.
    pub failing: bool,
    /// Whether the space for one more segment is set aside.
    pub spare: bool,
    /// Whether a failed sync has stopped the journal until the next start.
    pub stopped: bool,
    /// What last went wrong.
    pub last_error: Option<String>,
    /// Outbox rows waiting for a sync or for their removal.
    pub unsettled: u64,
}

/// How long syncs took: a histogram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncTimes {
    /// How many syncs took at most the time of the same place in [`SyncTimes::BOUNDS`], and longer
    /// than the one before; the last counts those beyond all bounds.
    pub counts: [u64; 13],
    /// The time all syncs took.
    pub total: Duration,
}

impl SyncTimes {
    /// The upper bounds of the first twelve buckets, in microseconds.
    pub const BOUNDS: [u64; 12] =
        [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000];

    /// How many syncs there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub(crate) fn note(&mut self, took: Duration) {
        let micros = took.as_micros();
        let place = Self::BOUNDS.iter().take_while(|it| u128::from(**it) < micros).count();
        self.counts.iter_mut().skip(place).take(1).for_each(|it| *it += 1);
        self.total = self.total.saturating_add(took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_falls_into_one_bucket() {
        for (micros, place) in [(0, 0), (100, 0), (101, 1), (1_000_000, 11), (1_000_001, 12)] {
            let mut times = SyncTimes::default();
            times.note(Duration::from_micros(micros));
            assert_eq!(times.counts[place], 1, "{micros}");
            assert_eq!(times.count(), 1);
        }
    }
}
