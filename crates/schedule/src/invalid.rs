//! Why rules are refused.

/// Why rules are refused.
///
/// `Display` is the reason alone, for a client to read. No text of a client is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Days and an expression at once. AWS has a message of its own for it.
    #[error("a number of days and a schedule expression exclude each other")]
    Both,
    /// `?` stands in both fields of days or in none.
    #[error("exactly one of Day-of-month and Day-of-week must be ?")]
    Days,
    /// `AutomaticallyAfterDays` out of range.
    #[error("the number of days must be between 1 and 1000")]
    DayCount,
    /// `Duration` is no number of hours, or none that fits into a day.
    #[error("the duration must be between 1h and 24h")]
    Duration,
    /// A field of `cron()` holds something else than its values and wildcards.
    #[error("{name} must be {values}")]
    Field {
        /// The field, as the documentation calls it.
        name: &'static str,
        /// What may stand in it.
        values: &'static str,
    },
    /// `cron()` without exactly six fields.
    #[error("a cron expression has six fields, separated by blanks")]
    FieldCount,
    /// Neither `rate(…)` nor `cron(…)`, or longer than the model allows.
    #[error("it must be rate(...) or cron(...), in at most 256 characters")]
    Form,
    /// Neither days nor an expression.
    #[error("it needs a number of days or a schedule expression")]
    Missing,
    /// Dates that no year has.
    #[error("it never fires")]
    NeverFires,
    /// `rate()` without a positive number of hours or days in it.
    #[error("a rate is a number of hours or days, for example rate(4 hours) or rate(10 days)")]
    Rate,
    /// Less than four hours.
    #[error("windows must open at least 4 hours apart")]
    TooOften,
    /// More than 999 days.
    #[error("a rate is at most 999 days")]
    TooRare,
    /// `Duration` reaches into the next window.
    #[error("the duration reaches into the next rotation window")]
    WindowOverlaps,
    /// `Duration` reaches into the next day.
    #[error("the duration reaches into the next UTC day")]
    WindowPassesDay,
}
