//! `rate(…)` and `cron(…)`.

use crate::Invalid;
use crate::cron::Cron;

/// A schedule expression, as it was written and as it is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    text: String,
    timing: Timing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timing {
    Cron(Cron),
    /// Every so many days, 1 to 999.
    Days(u16),
    /// Every so many hours, 4 to 999 days' worth.
    Hours(u16),
}

impl Expression {
    /// Reads `rate(N hour|hours|day|days)` or `cron(0 hours days months weekdays *)`.
    ///
    /// Case doesn't matter, nor do further blanks between the parts. `rate(1 days)` is taken as it
    /// is meant.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.len() > LONGEST {
            return Err(Invalid::Form);
        }
        let (kind, rest) = text.trim_matches(' ').split_once('(').ok_or(Invalid::Form)?;
        let inner = rest.strip_suffix(')').ok_or(Invalid::Form)?.to_ascii_uppercase();
        let parts: Vec<&str> = inner.split(' ').filter(|it| !it.is_empty()).collect();
        let timing = match kind.to_ascii_lowercase().as_str() {
            "cron" => Timing::Cron(Cron::parse(&parts)?),
            "rate" => rate(&parts)?,
            _ => return Err(Invalid::Form),
        };
        Ok(Self { text: text.to_owned(), timing })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn timing(&self) -> Timing {
        self.timing
    }
}

fn rate(parts: &[&str]) -> Result<Timing, Invalid> {
    let &[count, unit] = parts else { return Err(Invalid::Rate) };
    if !count.bytes().all(|it| it.is_ascii_digit()) || count.bytes().all(|it| it == b'0') {
        return Err(Invalid::Rate);
    }
    // More digits than fit are days that no rate reaches.
    let count: u16 = count.parse().unwrap_or(u16::MAX);
    match unit {
        "DAY" | "DAYS" if count > MAX_DAYS => Err(Invalid::TooRare),
        "DAY" | "DAYS" => Ok(Timing::Days(count)),
        "HOUR" | "HOURS" if count < MIN_HOURS.into() => Err(Invalid::TooOften),
        "HOUR" | "HOURS" if count > MAX_DAYS * 24 => Err(Invalid::TooRare),
        "HOUR" | "HOURS" => Ok(Timing::Hours(count)),
        _ => Err(Invalid::Rate),
    }
}

/// How far apart windows open at least.
pub(crate) const MIN_HOURS: u8 = 4;
const MAX_DAYS: u16 = 999;

/// The model's limit.
const LONGEST: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_rates() {
        for (text, timing) in [
            ("rate(1 day)", Timing::Days(1)),
            ("rate(1 days)", Timing::Days(1)),
            ("rate(10 day)", Timing::Days(10)),
            ("rate(999 days)", Timing::Days(999)),
            ("rate(4 hours)", Timing::Hours(4)),
            ("rate(0012 hour)", Timing::Hours(12)),
            ("rate(36 hours)", Timing::Hours(36)),
            ("rate(23976 hours)", Timing::Hours(23_976)),
            (" RATE(  7   Days ) ", Timing::Days(7)),
        ] {
            let read = Expression::parse(text).expect(text);
            assert_eq!((read.text(), read.timing()), (text, timing));
        }
    }

    #[test]
    fn refuses_other_rates() {
        use Invalid::{Form, Rate, TooOften, TooRare};
        for (text, reason) in [
            ("", Form),
            ("rate", Form),
            ("rate(", Form),
            ("rate 4 hours", Form),
            ("rate(4 hours", Form),
            ("rate(4 hours) x", Form),
            ("at(2026-01-01)", Form),
            ("every(4 hours)", Form),
            ("rate()", Rate),
            ("rate(hours)", Rate),
            ("rate(4)", Rate),
            ("rate(4 hours 2)", Rate),
            ("rate(0 days)", Rate),
            ("rate(000 hours)", Rate),
            ("rate(-4 hours)", Rate),
            ("rate(4.5 hours)", Rate),
            ("rate(300 minutes)", Rate),
            ("rate(1 week)", Rate),
            ("rate(1 month)", Rate),
            ("rate(4hours)", Rate),
            ("rate(1 hour)", TooOften),
            ("rate(3 hours)", TooOften),
            ("rate(1000 days)", TooRare),
            ("rate(99999999999999999999 days)", TooRare),
            ("rate(23977 hours)", TooRare),
            ("rate(65536 hours)", TooRare),
        ] {
            assert_eq!(Expression::parse(text), Err(reason), "{text}");
        }
        let long = format!("rate(4 hours{})", " ".repeat(256));
        assert_eq!(Expression::parse(&long), Err(Form));
    }
}
