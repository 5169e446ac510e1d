//! Day-of-month and day-of-week.

use super::field::{self, DATES, WEEKDAYS};
use crate::Invalid;
use crate::set::Set;
use jiff::civil::Date;

/// Which days of a month: those that any of these names. Weekdays are 1 (Sunday) to 7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Days {
    /// `15`; skipped in months without it.
    dates: Set,
    /// `15W`: the weekday nearest to the date, in the same month.
    near: Set,
    /// `L`
    last: bool,
    /// `LW`: the last Monday to Friday.
    last_workday: bool,
    /// `TUE`
    weekdays: Set,
    /// `TUEL`: the last one.
    last_weekdays: Set,
    /// `TUE#3`: the third one, here at index 2; skipped in months without it.
    nth_weekdays: [Set; 5],
}

impl Days {
    /// Reads both fields, of which one is `?`.
    pub(super) fn parse(dates: &str, weekdays: &str) -> Result<Self, Invalid> {
        let mut days = Self::default();
        match (dates, weekdays) {
            ("?", "?") => return Err(Invalid::Days),
            (dates, "?") => dates.split(',').try_for_each(|it| days.add_date(it))?,
            ("?", weekdays) => weekdays.split(',').try_for_each(|it| days.add_weekday(it))?,
            _ => return Err(Invalid::Days),
        }
        Ok(days)
    }

    fn add_date(&mut self, item: &str) -> Result<(), Invalid> {
        if item == "L" {
            self.last = true;
        } else if matches!(item, "LW" | "WL") {
            self.last_workday = true;
        } else if let Some(date) = item.strip_suffix('W') {
            self.near = self.near.with(DATES.value(date)?);
        } else if let Some(name) = item.strip_suffix('L') {
            // Numbers are dates here, and `5L` would be neither.
            if field::number(name).is_some() {
                return Err(DATES.refusal());
            }
            let weekday = WEEKDAYS.value(name).map_err(|_| DATES.refusal())?;
            self.last_weekdays = self.last_weekdays.with(weekday);
        } else {
            self.dates = self.dates.union(DATES.item(item)?);
        }
        Ok(())
    }

    fn add_weekday(&mut self, item: &str) -> Result<(), Invalid> {
        if item == "L" {
            self.weekdays = self.weekdays.with(SATURDAY);
        } else if let Some(weekday) = item.strip_suffix('L') {
            self.last_weekdays = self.last_weekdays.with(WEEKDAYS.value(weekday)?);
        } else if let Some((weekday, nth)) = item.split_once('#') {
            let place = field::number(nth).and_then(|it| usize::from(it).checked_sub(1));
            let nth = place.and_then(|it| self.nth_weekdays.get_mut(it));
            let nth = nth.ok_or_else(|| WEEKDAYS.refusal())?;
            *nth = nth.with(WEEKDAYS.value(weekday)?);
        } else {
            self.weekdays = self.weekdays.union(WEEKDAYS.item(item)?);
        }
        Ok(())
    }

    /// The days of the month in which `date` lies.
    pub(super) fn of_month(&self, date: Date) -> Option<Set> {
        let length = u8::try_from(date.days_in_month()).ok()?;
        let begins = u8::try_from(date.first_of_month().weekday().to_sunday_zero_offset()).ok()?;
        let weekday = |day: u8| (begins + day - 1) % 7 + 1;
        let named = |day: &u8| {
            let weekday = weekday(*day);
            let matches = |set: Set| set.has(weekday);
            self.dates.has(*day)
                || matches(self.weekdays)
                || (matches(self.last_weekdays) && day + 7 > length)
                || self.nth_weekdays.get(usize::from((day - 1) / 7)).is_some_and(|it| matches(*it))
        };
        let nearest = |day: u8| match weekday(day) {
            SATURDAY if day == 1 => 3,
            SATURDAY => day - 1,
            SUNDAY if day == length => day - 2,
            SUNDAY => day + 1,
            _ => day,
        };
        let mut days: Set = (1..=length).filter(named).collect();
        days = self.near.iter().filter(|it| *it <= length).map(nearest).fold(days, Set::with);
        if self.last {
            days = days.with(length);
        }
        if self.last_workday {
            days = days.with(nearest(length));
        }
        Some(days)
    }
}

const SUNDAY: u8 = 1;
const SATURDAY: u8 = 7;
