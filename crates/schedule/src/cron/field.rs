//! Values, names, ranges, steps and lists, the same in every field.

use crate::Invalid;
use crate::set::Set;

/// What one field may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    name: &'static str,
    values: &'static str,
    first: u8,
    last: u8,
    /// Names of the values, from the first on.
    words: &'static [&'static str],
    /// The smallest and the largest increment.
    steps: (u8, u8),
}

impl Axis {
    /// Reads a list of [`Axis::item`]s.
    pub(super) fn list(&self, text: &str) -> Result<Set, Invalid> {
        text.split(',').try_fold(Set::EMPTY, |set, it| Ok(set.union(self.item(it)?)))
    }

    /// Reads `*`, `a`, `a-b`, and any of them with `/step`; `/step` counts from the field's first
    /// value.
    ///
    /// A range whose end lies before its start goes over the turn of the day, week, month or year,
    /// as `FRI-MON`: nobody documents it, and nothing else can be meant.
    pub(super) fn item(&self, text: &str) -> Result<Set, Invalid> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(self.step(step)?)),
            None => (text, None),
        };
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (self.value(first)?, self.value(last)?),
            None if range == "*" || (range.is_empty() && step.is_some()) => (self.first, self.last),
            None if step.is_some() => (self.value(range)?, self.last),
            None => (self.value(range)?, self.value(range)?),
        };
        let size = self.last - self.first + 1;
        let span = (last + size - first) % size;
        let offsets = (0..=span).step_by(step.unwrap_or(1).into());
        Ok(offsets.map(|it| (first - self.first + it) % size + self.first).collect())
    }

    /// Reads a number or a name.
    pub(super) fn value(&self, text: &str) -> Result<u8, Invalid> {
        if let Some(place) = self.words.iter().position(|it| *it == text) {
            return u8::try_from(place).map(|it| self.first + it).map_err(|_| self.refusal());
        }
        let number = number(text).filter(|it| (self.first..=self.last).contains(it));
        number.ok_or_else(|| self.refusal())
    }

    fn step(&self, text: &str) -> Result<u8, Invalid> {
        let (smallest, largest) = self.steps;
        match number(text) {
            Some(step) if 0 < step && step < smallest => Err(Invalid::TooOften),
            Some(step) if 0 < step && step <= largest => Ok(step),
            _ => Err(self.refusal()),
        }
    }

    pub(super) const fn refusal(&self) -> Invalid {
        Invalid::Field { name: self.name, values: self.values }
    }
}

/// Reads digits alone; no sign.
pub(super) fn number(text: &str) -> Option<u8> {
    text.bytes().all(|it| it.is_ascii_digit()).then(|| text.parse().ok())?
}

pub(super) const HOURS: Axis = Axis {
    name: "Hours",
    values: "made of 0-23 and , - * /",
    first: 0,
    last: 23,
    words: &[],
    steps: (crate::expression::MIN_HOURS, 24),
};

pub(super) const DATES: Axis = Axis {
    name: "Day-of-month",
    values: "made of 1-31 and , - * ? / L W",
    first: 1,
    last: 31,
    words: &[],
    steps: (1, 31),
};

pub(super) const MONTHS: Axis = Axis {
    name: "Month",
    values: "made of 1-12 or JAN-DEC and , - * /",
    first: 1,
    last: 12,
    words: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    steps: (1, 12),
};

pub(super) const WEEKDAYS: Axis = Axis {
    name: "Day-of-week",
    values: "made of 1-7 or SUN-SAT and # , - * ? / L",
    first: 1,
    last: 7,
    words: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    steps: (1, 7),
};
