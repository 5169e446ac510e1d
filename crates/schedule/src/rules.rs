//! What a client sets, and the windows that follow.

use crate::expression::Timing;
use crate::{Expression, Hours, Invalid, Window, utc};
use base::Timestamp;
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// `RotationRules`: when a secret rotates. Stored as it was given, and read anew on loading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Given", into = "Given")]
pub struct Rules {
    schedule: Schedule,
    duration: Option<Hours>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Schedule {
    /// `AutomaticallyAfterDays`, 1 to 1000.
    Days(u16),
    Expression(Expression),
}

/// From when on the next window is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Base {
    /// When the rules were stored. Who stores the same rules again should keep it.
    pub anchor: Timestamp,
    /// When the secret last rotated. With [`Rules::counts_changes`], or got its value otherwise,
    /// whichever was later.
    pub last: Option<Timestamp>,
}

impl Rules {
    /// Reads the three members of `RotationRules`.
    ///
    /// # Errors
    ///
    /// - [`Invalid::Both`], [`Invalid::Missing`]: not one schedule but two or none.
    /// - [`Invalid::WindowOverlaps`], [`Invalid::WindowPassesDay`]: `duration` is too long for it.
    /// - all others: the member itself.
    pub fn new(
        days: Option<u16>,
        expression: Option<&str>,
        duration: Option<&str>,
    ) -> Result<Self, Invalid> {
        let schedule = match (days, expression) {
            (None, None) => return Err(Invalid::Missing),
            (Some(_), Some(_)) => return Err(Invalid::Both),
            (Some(days @ 1..=1000), None) => Schedule::Days(days),
            (Some(_), None) => return Err(Invalid::DayCount),
            (None, Some(text)) => Schedule::Expression(Expression::parse(text)?),
        };
        let rules = Self { schedule, duration: duration.map(str::parse).transpose()? };
        rules.check_duration()?;
        Ok(rules)
    }

    /// `AutomaticallyAfterDays`, if the rules are that.
    pub fn days(&self) -> Option<u16> {
        match self.schedule {
            Schedule::Days(days) => Some(days),
            Schedule::Expression(_) => None,
        }
    }

    /// `ScheduleExpression`, if the rules have one.
    pub fn expression(&self) -> Option<&Expression> {
        match &self.schedule {
            Schedule::Days(_) => None,
            Schedule::Expression(expression) => Some(expression),
        }
    }

    /// `Duration`, if it was given.
    pub fn duration(&self) -> Option<Hours> {
        self.duration
    }

    /// Whether a value that a client puts moves the schedule as a rotation does: true for days,
    /// either way they are written.
    pub fn counts_changes(&self) -> bool {
        matches!(self.timing(), Timing::Days(_))
    }

    /// Whether a window that passed without a rotation is made up for at once: not for `cron()`
    /// with a `Duration`, because people put maintenance windows there.
    pub fn catches_up(&self) -> bool {
        !(matches!(self.timing(), Timing::Cron(_)) && self.duration.is_some())
    }

    /// Whether `cron()` has a window at `instant`. Others are open at any time: their windows are made up for.
    pub fn is_open_at(&self, instant: Timestamp) -> bool {
        let Timing::Cron(_) = self.timing() else { return true };
        let longest = Duration::from_hours(self.length().into());
        let before = Base { anchor: instant.minus(longest), last: None };
        let window = self.next_window(before);
        window.is_some_and(|it| it.opens <= instant && instant < it.closes)
    }

    /// The first window that opens after `after.anchor` and after `after.last`.
    ///
    /// Windows of days open at midnight, so many days after `after.last`, or after the anchor if
    /// there is no `last`; where that has passed, on the day after the anchor. Those of hours open
    /// every so many hours from the midnight before the anchor.
    ///
    /// `None` only at the end of time, which is the year 9999.
    pub fn next_window(&self, after: Base) -> Option<Window> {
        let anchor = utc::civil(after.anchor)?;
        let last = after.last.map_or(Some(anchor), utc::civil)?;
        let opens = match self.timing() {
            Timing::Cron(cron) => cron.next_opening(last.max(anchor))?,
            Timing::Days(days) => day_opening(days, anchor.date(), last.date())?,
            Timing::Hours(hours) => hour_opening(hours, anchor, last.max(anchor))?,
        };
        Some(Window::new(utc::instant(opens)?, self.length()))
    }

    /// `AutomaticallyAfterDays` as Describe shows it after a rotation in `window`: whole days from
    /// its opening to the next one, at least 1.
    pub fn following_day_count(&self, window: &Window) -> u32 {
        match self.timing() {
            Timing::Cron(_) => {
                let base = Base { anchor: window.opens, last: None };
                let following = self.next_window(base).map_or(window.opens, |it| it.opens);
                let days = following.since(window.opens).as_secs() / 86_400;
                u32::try_from(days).unwrap_or(u32::MAX).max(1)
            }
            Timing::Days(days) => days.into(),
            Timing::Hours(hours) => u32::from(hours / 24).max(1),
        }
    }

    /// How many hours a window lasts, where the day is as long.
    fn length(&self) -> u8 {
        let usual = match self.timing() {
            Timing::Cron(cron) if cron.is_hourly() => 1,
            Timing::Hours(_) => 1,
            Timing::Cron(_) | Timing::Days(_) => 24,
        };
        self.duration.map_or(usual, Hours::count)
    }

    /// A `Duration` of hours that don't divide the day is not refused for those windows that open
    /// late in it: they end with the day. The documentation asks of `rate()` in hours only that
    /// windows don't meet.
    fn check_duration(&self) -> Result<(), Invalid> {
        let Some(duration) = self.duration.map(Hours::count) else { return Ok(()) };
        match self.timing() {
            Timing::Cron(cron) => cron.check_duration(duration),
            Timing::Hours(hours) if u16::from(duration) > hours => Err(Invalid::WindowOverlaps),
            Timing::Days(_) | Timing::Hours(_) => Ok(()),
        }
    }

    /// Days are days, however they are written.
    fn timing(&self) -> Timing {
        match &self.schedule {
            Schedule::Days(days) => Timing::Days(*days),
            Schedule::Expression(expression) => expression.timing(),
        }
    }
}

/// `last` and `days`, but not on the anchor's day or before it.
fn day_opening(days: u16, anchor: Date, last: Date) -> Option<DateTime> {
    let due = last.checked_add(i32::from(days).days()).ok()?;
    Some(due.max(anchor.tomorrow().ok()?).at(0, 0, 0, 0))
}

/// The first opening after `after`, which is not before `anchor`.
fn hour_opening(hours: u16, anchor: DateTime, after: DateTime) -> Option<DateTime> {
    let first = utc::midnight(anchor.date())?;
    let step = i64::from(hours) * 3_600_000;
    let steps = (utc::instant(after)?.millis() - first.millis()) / step + 1;
    utc::civil(Timestamp::from_millis(first.millis() + steps * step))
}

/// The stored form of [`Rules`]: what the client gave.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    days: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expression: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    duration: Option<String>,
}

impl From<Rules> for Given {
    fn from(rules: Rules) -> Self {
        Self {
            days: rules.days(),
            expression: rules.expression().map(|it| it.text().to_owned()),
            duration: rules.duration.map(|it| it.to_string()),
        }
    }
}

impl TryFrom<Given> for Rules {
    type Error = Invalid;

    fn try_from(given: Given) -> Result<Self, Invalid> {
        Self::new(given.days, given.expression.as_deref(), given.duration.as_deref())
    }
}
