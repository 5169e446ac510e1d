//! Rotation rules, as a client writes them.

use base::Timestamp;
use schedule::{Base, Rules};
use std::time::Duration;

/// Takes `input` for an expression, a line end, a duration, a line end and an instant in
/// milliseconds; a missing duration is none, and a missing instant is the epoch.
///
/// Rules that are taken are stored and read again as the same, and have a window: after the
/// instant, on the hour, of an hour at least, within its day, and before the next one.
pub fn schedule(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let mut lines = text.split('\n');
    let (expression, duration) = (lines.next(), lines.next().filter(|it| !it.is_empty()));
    let millis = lines.next().and_then(|it| it.parse().ok()).unwrap_or(0);
    let Ok(rules) = Rules::new(None, expression, duration) else { return };
    let stored = serde_json::to_string(&rules).expect("plain");
    assert_eq!(serde_json::from_str::<Rules>(&stored).expect("as it was stored"), rules);

    let anchor = Timestamp::from_millis(millis);
    let after = |last| rules.next_window(Base { anchor, last });
    let Some(window) = after(None) else {
        assert!(!CALENDAR.contains(&millis), "no window");
        return;
    };
    assert!(anchor < window.opens && window.opens.millis() % HOUR == 0);
    assert!(window.opens.millis() + HOUR <= window.closes.millis());
    assert!(window.closes <= window.opens.day().plus(Duration::from_hours(24)));
    assert!(window.fire_at(millis.unsigned_abs()) < window.closes);
    assert!(after(Some(window.opens)).is_none_or(|it| window.closes <= it.opens));
    assert!(rules.following_day_count(&window) > 0);
}

const HOUR: i64 = 3_600_000;

/// From 1970 to 9900: what is rarest comes every 40 years.
const CALENDAR: std::ops::Range<i64> = 0..250_000_000_000_000;
