//! Keeps strangers from filling the log.

use base::Timestamp;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering::Relaxed};

/// Lets a few events of each second through. All are counted elsewhere; this is for the log.
#[derive(Debug, Default)]
pub(crate) struct Hush {
    second: AtomicI64,
    told: AtomicU32,
}

/// Events that are logged each second.
const MOST: u32 = 10;

impl Hush {
    /// Whether the event at `now` may be told; with the last one that may, that others won't be.
    pub(crate) fn tells(&self, now: Timestamp) -> Option<Last> {
        if self.second.swap(now.secs(), Relaxed) != now.secs() {
            self.told.store(0, Relaxed);
        }
        // Never counts far beyond the limit, so it can't come around.
        let told = self.told.load(Relaxed);
        if MOST <= told {
            return None;
        }
        self.told.store(told + 1, Relaxed);
        Some(Last(told + 1 == MOST))
    }
}

/// Whether further events of this second go untold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Last(pub(crate) bool);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_a_second_and_then_silence() {
        let hush = Hush::default();
        for second in 1..4 {
            let now = Timestamp::from_secs(second);
            let told: Vec<_> = (0..100).filter_map(|_| hush.tells(now)).collect();
            assert_eq!(told.len(), 10);
            assert_eq!(told.iter().filter(|it| it.0).count(), 1);
            assert_eq!(told.last(), Some(&Last(true)));
        }
    }
}
