//! AWS's `cron()`: minutes, hours, day-of-month, month, day-of-week, year.
//!
//! `field.rs` reads values, ranges and steps, `days.rs` what only days have (`L`, `W`, `#`).

mod days;
mod field;

use crate::Invalid;
use crate::expression::MIN_HOURS;
use crate::set::Set;
use days::Days;
use jiff::civil::{Date, DateTime};

/// On which days windows open, and at which hours of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cron {
    hours: Set,
    hourly: bool,
    months: Set,
    days: Days,
}

impl Cron {
    /// Reads the six fields, in upper case.
    ///
    /// Openings are four hours apart within a day. Over midnight they may be closer: increments
    /// begin anew each day, and a documented example depends on it.
    pub(crate) fn parse(fields: &[&str]) -> Result<Self, Invalid> {
        let &[minutes, hours, dates, months, weekdays, year] = fields else {
            return Err(Invalid::FieldCount);
        };
        if minutes != "0" {
            return Err(Invalid::Field { name: "Minutes", values: "0" });
        }
        if year != "*" {
            return Err(Invalid::Field { name: "Year", values: "*" });
        }
        let stepped = hours.contains('/');
        let hours = field::HOURS.list(hours)?;
        if hours.smallest_gap().is_some_and(|it| it < MIN_HOURS) {
            return Err(Invalid::TooOften);
        }
        let hourly = stepped || hours.first() != hours.last();
        let days = Days::parse(dates, weekdays)?;
        let cron = Self { hours, hourly, months: field::MONTHS.list(months)?, days };
        // No date is missing in all of these 400 years and comes later: the calendar repeats.
        cron.next_date(Date::constant(2000, 1, 1)).map(|_| cron).ok_or(Invalid::NeverFires)
    }

    /// Whether windows last an hour unless told otherwise: the schedule is one of hours.
    pub(crate) fn is_hourly(&self) -> bool {
        self.hourly
    }

    /// Windows of `hours` must end with their day, and before the next one opens.
    pub(crate) fn check_duration(&self, hours: u8) -> Result<(), Invalid> {
        if self.hours.smallest_gap().is_some_and(|it| it < hours) {
            return Err(Invalid::WindowOverlaps);
        }
        if self.hours.last().is_some_and(|it| it + hours > 24) {
            return Err(Invalid::WindowPassesDay);
        }
        Ok(())
    }

    /// The first opening that is later than `after`.
    pub(crate) fn next_opening(&self, after: DateTime) -> Option<DateTime> {
        // What opens at this very hour has opened.
        let later = self.hours.starting(u8::try_from(after.hour()).ok()? + 1);
        let today = after.date();
        let from = if later.is_empty() { today.tomorrow().ok()? } else { today };
        let date = self.next_date(from)?;
        let hours = if date == today { later } else { self.hours };
        Some(date.at(i8::try_from(hours.first()?).ok()?, 0, 0, 0))
    }

    /// The first date from `from` on, found month by month.
    fn next_date(&self, from: Date) -> Option<Date> {
        let mut month = from;
        for _ in 0..CYCLE {
            if self.months.has(u8::try_from(month.month()).ok()?) {
                let days = self.days.of_month(month)?;
                let day = days.starting(u8::try_from(month.day()).ok()?).first();
                if let Some(day) = day {
                    return Date::new(month.year(), month.month(), i8::try_from(day).ok()?).ok();
                }
            }
            month = month.last_of_month().tomorrow().ok()?;
        }
        None
    }
}

/// Months after which the calendar repeats, weekdays included: 400 years.
const CYCLE: usize = 4800;

#[cfg(test)]
mod tests;
