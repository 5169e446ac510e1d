//! Servers that say nothing are left alone for a while.

use super::Ended;
use base::Timestamp;
use std::time::Duration;

/// After so many in a row that couldn't be asked, a server is left alone.
const STRIKES: u32 = 3;
/// No pause is longer.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// How often a server hasn't answered one account in a row, and until when that account leaves it alone.
#[derive(Debug, Default)]
pub(super) struct Silence {
    strikes: u32,
    shut_until: Option<Timestamp>,
}

impl Silence {
    /// Until when it is left alone, if it is. Who set the clock back doesn't wait for what it showed before.
    pub(super) fn shut(&self, now: Timestamp) -> Option<Timestamp> {
        self.shut_until.filter(|it| now < *it && *it <= now.plus(LONGEST_PAUSE))
    }

    /// One that has just not answered is asked by one at a time.
    pub(super) fn places(&self, bound: usize) -> usize {
        if self.strikes >= STRIKES { 1 } else { bound }
    }

    /// Notes how somebody fared there. Pauses double from the `first` to the `longest`.
    pub(super) fn note(
        &mut self,
        ended: Ended,
        now: Timestamp,
        (first, longest): (Duration, Duration),
    ) {
        match ended {
            Ended::Answered => *self = Self::default(),
            // Begun before it was left alone: it says nothing new.
            Ended::Unreachable if self.shut(now).is_some() => (),
            Ended::Unreachable => {
                self.strikes = self.strikes.saturating_add(1);
                if let Some(further) = self.strikes.checked_sub(STRIKES) {
                    let pause = first * 2_u32.saturating_pow(further.min(10));
                    self.shut_until = Some(now.plus(pause.min(longest).min(LONGEST_PAUSE)));
                }
            }
        }
    }

    /// Whether it answers, as far as is known.
    pub(super) fn is_over(&self) -> bool {
        self.strikes == 0
    }
}
