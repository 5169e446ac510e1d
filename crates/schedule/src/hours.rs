//! The length of a window, as a client gives it.

use crate::Invalid;
use std::fmt;
use std::str::FromStr;

/// `Duration`: `1h` to `24h`. Printed as it was given, `05h` too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    count: u8,
    padded: bool,
}

impl Hours {
    /// How many, 1 to 24.
    pub const fn count(self) -> u8 {
        self.count
    }
}

impl FromStr for Hours {
    type Err = Invalid;

    /// Reads one or two digits and `h`.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let digits = text.strip_suffix('h').filter(|it| matches!(it.len(), 1 | 2));
        let digits = digits.filter(|it| it.bytes().all(|digit| digit.is_ascii_digit()));
        let count = digits.and_then(|it| it.parse().ok()).filter(|it| (1..=24).contains(it));
        let count = count.ok_or(Invalid::Duration)?;
        Ok(Self { count, padded: text.starts_with('0') })
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}h", if self.padded { "0" } else { "" }, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hours_of_a_day_and_prints_them_as_given() {
        for (text, count) in [("1h", 1), ("3h", 3), ("05h", 5), ("10h", 10), ("24h", 24)] {
            let hours: Hours = text.parse().expect(text);
            assert_eq!((hours.count(), hours.to_string().as_str()), (count, text));
        }
        for text in ["", "h", "0h", "00h", "25h", "99h", "001h", "3", "3H", "+3h", "3 h", "-3h"] {
            assert_eq!(text.parse::<Hours>(), Err(Invalid::Duration), "{text}");
        }
    }
}
