//! Numbers, instants and encoded bytes, as conditions compare them.

use std::cmp::Ordering;

/// A number of a policy or of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Whole(i128),
    Real(f64),
}

impl Number {
    /// Reads an integer or a decimal number; spaces, `inf` and `NaN` are none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let of_number = |it: u8| it.is_ascii_digit() || b"+-.eE".contains(&it);
        if !text.bytes().all(of_number) {
            return None;
        }
        if let Ok(whole) = text.parse() {
            return Some(Self::Whole(whole));
        }
        text.parse().ok().filter(|it: &f64| it.is_finite()).map(Self::Real)
    }

    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => Some(left.cmp(&right)),
            (left, right) => left.real().partial_cmp(&right.real()),
        }
    }

    fn real(self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "only met beside a fraction")]
            Self::Whole(whole) => whole as f64,
            Self::Real(real) => real,
        }
    }
}

/// An instant: seconds since 1970 and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant {
    seconds: i64,
    nanos: u32,
}

impl Instant {
    /// Reads a date of the W3C profile of ISO 8601 (`2026`, `2026-01-31`, `2026-01-31T10:00Z`,
    /// `2026-01-31T10:00:00.5+01:00`), or seconds since 1970. Four digits alone are a year.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        if whole.len() > 4 && is_digits(whole) && is_digits(fraction) {
            return Some(Self { seconds: whole.parse().ok()?, nanos: nanos(fraction)? });
        }
        match text.split_once('T') {
            Some((date, time)) => {
                let (seconds, nanos) = time_of_day(time)?;
                Some(Self { seconds: date_seconds(date, true)? + seconds, nanos })
            }
            None => Some(Self { seconds: date_seconds(text, false)?, nanos: 0 }),
        }
    }
}

/// `yyyy`, `yyyy-mm` or `yyyy-mm-dd`; only the last if it must be `full`.
fn date_seconds(text: &str, full: bool) -> Option<i64> {
    let mut parts = text.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = parts.next();
    let day = parts.next();
    if parts.next().is_some() || full && day.is_none() {
        return None;
    }
    let month = month.map_or(Some(1), |it| digits(it, 2)).filter(|it| (1..=12).contains(it))?;
    let longest = days_in(year, month);
    let day = day.map_or(Some(1), |it| digits(it, 2)).filter(|it| (1..=longest).contains(it))?;
    Some(days_since_1970(year, month, day) * 86_400)
}

/// `hh:mm`, `hh:mm:ss` or `hh:mm:ss.fraction`, and a zone. The result may be outside of the day.
fn time_of_day(text: &str) -> Option<(i64, u32)> {
    let zone = text.find(['Z', '+', '-'])?;
    let (clock, zone) = text.split_at_checked(zone)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.split(':');
    let hour = digits(parts.next()?, 2).filter(|it| *it < 24)?;
    let minute = digits(parts.next()?, 2).filter(|it| *it < 60)?;
    // 60 is a leap second.
    let second = parts.next().map_or(Some(0), |it| digits(it, 2)).filter(|it| *it <= 60)?;
    let seconds = hour * 3600 + minute * 60 + second - zone_seconds(zone)?;
    parts.next().is_none().then_some((seconds, nanos(fraction)?))
}

/// `Z`, `+hh:mm` or `-hh:mm`.
fn zone_seconds(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, rest) = text.split_at_checked(1)?;
    let (hour, minute) = rest.split_once(':')?;
    let seconds = digits(hour, 2)? * 3600 + digits(minute, 2)? * 60;
    Some(if sign == "-" { -seconds } else { seconds })
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Counts years from March, so that the leap day is the last of its year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leaps + (month * 153 + 2) / 5 + day - 1 - 719_468
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit())
}

fn digits(text: &str, length: usize) -> Option<i64> {
    (text.len() == length && is_digits(text)).then(|| text.parse().ok()).flatten()
}

/// A fraction of a second, cut after nine digits.
fn nanos(fraction: &str) -> Option<u32> {
    let nine: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    is_digits(fraction).then(|| nine.parse().ok()).flatten()
}

/// A base64 text without its padding, so that equal bytes are equal texts. `None` if it is none.
pub(crate) fn base64(text: &str) -> Option<&str> {
    let bare = text.trim_end_matches('=');
    let of_base64 = |it: u8| it.is_ascii_alphanumeric() || it == b'+' || it == b'/';
    (text.len() - bare.len() <= 2 && bare.bytes().all(of_base64)).then_some(bare)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers() {
        let compare = |left, right| Number::parse(left)?.compare(Number::parse(right)?);
        for (left, right, expected) in [
            ("1", "1", Some(Ordering::Equal)),
            ("7", "14", Some(Ordering::Less)),
            ("1.50", "1.5", Some(Ordering::Equal)),
            ("-2", "1", Some(Ordering::Less)),
            ("+3", "3", Some(Ordering::Equal)),
            ("9007199254740993", "9007199254740992", Some(Ordering::Greater)),
            ("1e2", "100", Some(Ordering::Equal)),
            ("", "1", None),
            ("one", "1", None),
            ("1 ", "1", None),
            ("NaN", "1", None),
            ("inf", "1", None),
            ("1e999", "1", None),
        ] {
            assert_eq!(compare(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn instants() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some((0, 0))),
            ("2026-01-31T10:00:00Z", Some((1_769_853_600, 0))),
            ("2026-01-31T11:00:00+01:00", Some((1_769_853_600, 0))),
            ("2026-01-31T10:00Z", Some((1_769_853_600, 0))),
            ("2026-01-31T10:00:00.25Z", Some((1_769_853_600, 250_000_000))),
            ("1769853600", Some((1_769_853_600, 0))),
            ("1769853600.5", Some((1_769_853_600, 500_000_000))),
            ("2024-02-29", Some((1_709_164_800, 0))),
            ("2026", Some((1_767_225_600, 0))),
            ("2026-02", Some((1_769_904_000, 0))),
            ("1969-12-31T23:59:59Z", Some((-1, 0))),
            ("2023-02-29", None),
            ("2026-13-01", None),
            ("2026-01-31T10:00:00", None),
            ("2026-01T10:00Z", None),
            ("2026-01-31T24:00Z", None),
            ("2026-01-31 10:00Z", None),
            ("yesterday", None),
            ("", None),
        ] {
            let expected = expected.map(|(seconds, nanos)| Instant { seconds, nanos });
            assert_eq!(Instant::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn encoded_bytes() {
        for (text, expected) in [
            ("QQ==", Some("QQ")),
            ("QQ", Some("QQ")),
            ("", Some("")),
            ("Q Q", None),
            ("QQ===", None),
            ("Q=Q", None),
        ] {
            assert_eq!(base64(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}", date in "[0-9TZ:+.-]{0,30}") {
            for it in [&text, &date] {
                let _ = (Number::parse(it).is_some(), Instant::parse(it), base64(it));
            }
        }

        #[test]
        fn the_next_day_is_a_day_later(day in 1_i64..28, month in 1_i64..=12, year in 1_i64..9999) {
            let next = days_since_1970(year, month, day + 1);
            prop_assert_eq!(days_since_1970(year, month, day) + 1, next);
            let first = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            let last = days_since_1970(year, month, days_in(year, month));
            prop_assert_eq!(last + 1, days_since_1970(first.0, first.1, 1));
        }
    }
}
