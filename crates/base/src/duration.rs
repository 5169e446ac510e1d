//! Durations in configuration: `"250ms"`, `"30s"`, `"15m"`, `"4h"`, `"7d"`.
//!
//! For `#[serde(with = "base::duration")]`. One number, one unit: a duration that needs two is
//! written in the smaller one.

use crate::Malformed;
use serde::{Deserialize, Deserializer, Serializer};
use std::time::Duration;

/// Reads a number and its unit.
pub fn parse(text: &str) -> Result<Duration, Malformed> {
    let malformed = || Malformed::new(text, "a duration such as `250ms`, `30s`, `15m`, `4h`, `7d`");
    let split = text.find(|it: char| !it.is_ascii_digit()).ok_or_else(malformed)?;
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| malformed())?;
    let unit: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(malformed()),
    };
    number.checked_mul(unit).map(Duration::from_millis).ok_or_else(malformed)
}

/// Writes the duration in milliseconds, or in seconds if they are whole.
pub fn serialize<S: Serializer>(value: &Duration, out: S) -> Result<S::Ok, S::Error> {
    match value.as_millis() {
        millis if millis % 1000 == 0 => out.collect_str(&format_args!("{}s", millis / 1000)),
        millis => out.collect_str(&format_args!("{millis}ms")),
    }
}

/// Reads [`parse`]'s form.
pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(input)?;
    parse(&text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_number_and_a_unit() {
        for (text, millis) in [
            ("250ms", Some(250)),
            ("30s", Some(30_000)),
            ("15m", Some(900_000)),
            ("4h", Some(14_400_000)),
            ("7d", Some(604_800_000)),
            ("0s", Some(0)),
            ("30", None),
            ("s", None),
            ("1h30m", None),
            ("-1s", None),
            ("99999999999999999999s", None),
            ("18446744073709551615d", None),
        ] {
            assert_eq!(parse(text).ok(), millis.map(Duration::from_millis), "{text}");
        }
    }
}
