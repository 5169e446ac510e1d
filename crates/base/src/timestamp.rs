//! Instants.

use crate::Malformed;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;
use std::time::Duration;

const DAY_MS: i64 = 86_400_000;

/// An instant: milliseconds since 1970-01-01T00:00:00Z, UTC, leap seconds not counted.
///
/// Stored as a plain number. Printed as `2026-01-31T10:00:00Z`, cut to the second.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The instant `seconds` seconds after the epoch.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This instant moved forward by `by`; stays at the end of time if it would pass it.
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This instant moved back by `by`.
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// 00:00:00 UTC of the same day.
    pub const fn day(self) -> Self {
        Self(self.0.div_euclid(DAY_MS) * DAY_MS)
    }

    /// `20260131T100000Z`: the form SigV4 signs.
    pub fn basic(self) -> String {
        self.civil().map_or_else(String::new, |it| it.strftime("%Y%m%dT%H%M%SZ").to_string())
    }

    /// Reads [`Timestamp::basic`]'s form.
    pub fn from_basic(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed::new(text, "an ISO-8601 basic date and time");
        let shaped = text.len() == 16
            && text.bytes().enumerate().all(|(place, byte)| match place {
                8 => byte == b'T',
                15 => byte == b'Z',
                _ => byte.is_ascii_digit(),
            });
        if !shaped {
            return Err(malformed());
        }
        // By hand: every request is signed with one, and strptime's generality costs.
        let number = |range: Range<usize>| {
            let digits = text.as_bytes().get(range).unwrap_or_default();
            digits.iter().fold(0_i16, |sum, digit| sum * 10 + i16::from(digit - b'0'))
        };
        let small = |range| i8::try_from(number(range)).unwrap_or(i8::MAX);
        let date = jiff::civil::Date::new(number(0..4), small(4..6), small(6..8));
        let time = jiff::civil::Time::new(small(9..11), small(11..13), small(13..15), 0);
        date.and_then(|date| Ok(date.to_datetime(time?)))
            .and_then(|it| jiff::tz::Offset::UTC.to_timestamp(it))
            .map(|it| Self(it.as_millisecond()))
            .map_err(|_| malformed())
    }

    /// Formats the instant, in UTC, by strftime's `pattern`; empty outside years −9999 to 9999.
    pub fn format(self, pattern: &str) -> String {
        self.civil().map_or_else(String::new, |it| it.strftime(pattern).to_string())
    }

    fn civil(self) -> Option<jiff::Zoned> {
        let instant = jiff::Timestamp::from_millisecond(self.0).ok()?;
        Some(instant.to_zoned(jiff::tz::TimeZone::UTC))
    }
}

impl fmt::Display for Timestamp {
    /// `2026-01-31T10:00:00Z`, by arithmetic: every audit record prints one.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.secs();
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil_of(days);
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}+{}ms", self.0.rem_euclid(1000))
    }
}

/// Year, month and day of the day `days` after 1970-01-01, in the proleptic Gregorian calendar.
///
/// Counts in eras of 400 years that begin on 1 March, so that leap days come last.
fn civil_of(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads_the_basic_form() {
        let at = Timestamp::from_secs(1_440_938_160);
        assert_eq!(at.basic(), "20150830T123600Z");
        assert_eq!(Timestamp::from_basic("20150830T123600Z"), Ok(at));
        assert_eq!(at.to_string(), "2015-08-30T12:36:00Z");
    }

    #[test]
    fn display_agrees_with_the_calendar_library() {
        for days in (-200_000..200_000).step_by(37) {
            let at = Timestamp::from_secs(days * 86_400 + 4711);
            assert_eq!(at.to_string(), at.format("%Y-%m-%dT%H:%M:%SZ"), "{days}");
        }
    }

    #[test]
    fn refuses_what_is_not_basic() {
        for text in [
            "",
            "20150830",
            "2015-08-30T12:36:00Z",
            "20151330T123600Z",
            "20150229T123600Z",
            "20150830T243600Z",
            "20150830T123660Z",
            "20150830T123600z",
        ] {
            assert!(Timestamp::from_basic(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_begins_at_midnight() {
        let at = Timestamp::from_millis(1_440_938_160_123);
        assert_eq!(at.day().to_string(), "2015-08-30T00:00:00Z");
        assert_eq!(Timestamp::from_millis(-1).day().to_string(), "1969-12-31T00:00:00Z");
    }
}
