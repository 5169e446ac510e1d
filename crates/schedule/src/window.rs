//! A window: from when to when a rotation may run, and when it does.

use base::Timestamp;
use std::time::Duration;

/// From when to when a rotation may run: a full hour at least, within one UTC day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first instant in it, a full hour.
    pub opens: Timestamp,
    /// The first instant after it.
    pub closes: Timestamp,
}

impl Window {
    /// Lasts `hours` from `opens`, but not past the UTC day.
    pub(crate) fn new(opens: Timestamp, hours: u8) -> Self {
        let midnight = opens.day().plus(DAY);
        Self { opens, closes: opens.plus(HOUR * u32::from(hours)).min(midnight) }
    }

    /// `NextRotationDate`: the last second in the window, so the latest moment and no estimate.
    pub fn next_rotation_date(&self) -> Timestamp {
        self.closes.minus(Duration::from_secs(1))
    }

    /// When in the window the rotation starts, spread evenly by `spread`.
    ///
    /// `spread` is a hash of the secret's id and of [`Window::opens`]: every node and every restart
    /// finds the same instant. The last quarter, a quarter of an hour at least, stays free for
    /// retries.
    pub fn fire_at(&self, spread: u64) -> Timestamp {
        let length = self.closes.since(self.opens);
        let usable = length.saturating_sub(MIN_RESERVE.max(length / 4)).max(MIN_USABLE);
        let millis = u64::try_from(usable.as_millis()).unwrap_or(u64::MAX);
        self.opens.plus(Duration::from_millis(spread % millis))
    }

    /// `AutomaticallyAfterDays` as Describe shows it beside an expression, after something that
    /// happened at `instant`: days until the window opens, a begun one counted, at least 1.
    ///
    /// Observed: 7 beside `cron(0 0 1 * ? *)`, which no two of its openings are apart.
    pub fn days_after(&self, instant: Timestamp) -> u32 {
        let days = self.opens.since(instant).as_secs().div_ceil(DAY.as_secs());
        u32::try_from(days).unwrap_or(u32::MAX).max(1)
    }
}

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const MIN_RESERVE: Duration = Duration::from_mins(15);
const MIN_USABLE: Duration = Duration::from_mins(10);
