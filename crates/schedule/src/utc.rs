//! Instants and the calendar. Always UTC; `None` outside the years −9999 to 9999.

use base::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

pub(crate) fn civil(at: Timestamp) -> Option<DateTime> {
    Some(Offset::UTC.to_datetime(jiff::Timestamp::from_millisecond(at.millis()).ok()?))
}

pub(crate) fn instant(at: DateTime) -> Option<Timestamp> {
    Some(Timestamp::from_millis(Offset::UTC.to_timestamp(at).ok()?.as_millisecond()))
}

pub(crate) fn midnight(date: Date) -> Option<Timestamp> {
    instant(date.at(0, 0, 0, 0))
}
