//! Keeps what comes often from filling the log.

use base::Timestamp;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering::Relaxed};

/// Lets a few events of each second through. All are counted elsewhere; this is for the log.
#[derive(Debug)]
pub(crate) struct Hush {
    most: u32,
    second: AtomicI64,
    told: AtomicU32,
}

impl Hush {
    /// Lets `most` events of each second through.
    pub(crate) fn new(most: u32) -> Self {
        Self { most, second: AtomicI64::new(i64::MIN), told: AtomicU32::new(0) }
    }

    /// Whether the event at `now` may be told; with the last one that may, that others won't be.
    pub(crate) fn tells(&self, now: Timestamp) -> Option<Last> {
        if self.second.swap(now.secs(), Relaxed) != now.secs() {
            self.told.store(0, Relaxed);
        }
        // Never counts far beyond the limit, so it can't come around.
        let told = self.told.load(Relaxed);
        if self.most <= told {
            return None;
        }
        self.told.store(told + 1, Relaxed);
        Some(Last(told + 1 == self.most))
    }
}

/// Whether further events of this second go untold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Last(pub(crate) bool);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_a_second_and_then_silence() {
        for most in [1, 10] {
            let hush = Hush::new(most);
            for second in 0..4 {
                let now = Timestamp::from_secs(second);
                let told: Vec<_> = (0..100).filter_map(|_| hush.tells(now)).collect();
                assert_eq!(told.len(), usize::try_from(most).expect("small"));
                assert_eq!(told.iter().filter(|it| it.0).count(), 1);
                assert_eq!(told.last(), Some(&Last(true)));
            }
        }
    }
}
