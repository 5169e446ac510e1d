//! Recorded answers of AWS, the documentation's examples, and what holds for all rules.

use super::*;
use base::Timestamp;
use jiff::civil::{Date, Weekday};
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    let instant: jiff::Timestamp = format!("{text}Z").parse().expect("an instant");
    Timestamp::from_millis(instant.as_millisecond())
}

fn rules(expression: &str, duration: &str) -> Rules {
    let duration = Some(duration).filter(|it| !it.is_empty());
    match expression.strip_prefix("days ") {
        Some(days) => Rules::new(days.parse().ok(), None, duration),
        None => Rules::new(None, Some(expression), duration),
    }
    .unwrap_or_else(|invalid| panic!("{expression} {duration:?}: {invalid}"))
}

fn since(last: Timestamp) -> Base {
    Base { anchor: last, last: Some(last) }
}

/// Observed: `LastRotatedDate`, `NextRotationDate` and `AutomaticallyAfterDays` of secrets on AWS;
/// the fourth is a sample of the documentation.
#[test]
fn next_rotation_date_is_what_aws_answers() {
    #[rustfmt::skip]
    let cases = [
        ("days 30", "", "2026-01-22T06:42:22", "2026-02-21T23:59:59", 30),
        ("days 30", "", "2026-02-03T17:34:00", "2026-03-05T23:59:59", 30),
        ("cron(0 0 ? * 2 *)", "", "2026-09-07T18:14:58", "2026-09-14T23:59:59", 7),
        ("cron(0 0 ? * 2 *)", "", "2023-10-16T07:18:02", "2023-10-23T23:59:59", 7),
        ("cron(0 16 1,15 * ? *)", "2h", "2022-09-20T12:00:00", "2022-10-01T17:59:59", 14),
        ("days 30", "", "2026-09-24T06:11:00", "2026-10-24T23:59:59", 30),
    ];
    for (expression, duration, last, next, days) in cases {
        let rules = rules(expression, duration);
        let window = rules.next_window(since(at(last))).expect("a window");
        assert_eq!(window.next_rotation_date(), at(next), "{expression} after {last}");
        assert_eq!(rules.following_day_count(&window), days, "{expression} after {last}");
    }
}

/// The hour in which a window opens, and its last second.
type Expected = [(&'static str, &'static str); 3];

/// Seen from 2026-09-07 18:14:58, a Monday.
#[test]
fn windows_follow_each_other() {
    #[rustfmt::skip]
    let cases: &[(&str, &str, Expected)] = &[
        ("cron(0 /8 * * ? *)", "", [
            ("2026-09-08T00", "00:59:59"), ("2026-09-08T08", "08:59:59"), ("2026-09-08T16", "16:59:59"),
        ]),
        ("cron(0 2/10 * * ? *)", "", [
            ("2026-09-07T22", "22:59:59"), ("2026-09-08T02", "02:59:59"), ("2026-09-08T12", "12:59:59"),
        ]),
        ("cron(0 4/12 * * ? *)", "3h", [
            ("2026-09-08T04", "06:59:59"), ("2026-09-08T16", "18:59:59"), ("2026-09-09T04", "06:59:59"),
        ]),
        ("cron(0 16 1,15 * ? *)", "2h", [
            ("2026-09-15T16", "17:59:59"), ("2026-10-01T16", "17:59:59"), ("2026-10-15T16", "17:59:59"),
        ]),
        ("cron(0 17 L * ? *)", "", [
            ("2026-09-30T17", "23:59:59"), ("2026-10-31T17", "23:59:59"), ("2026-11-30T17", "23:59:59"),
        ]),
        ("cron(0 1 ? 1/3 SUN#1 *)", "", [
            ("2026-10-04T01", "23:59:59"), ("2027-01-03T01", "23:59:59"), ("2027-04-04T01", "23:59:59"),
        ]),
        ("cron(0 8 ? * MON-FRI *)", "1h", [
            ("2026-09-08T08", "08:59:59"), ("2026-09-09T08", "08:59:59"), ("2026-09-10T08", "08:59:59"),
        ]),
        ("cron(0 0 ? * SUN#5 *)", "", [
            ("2026-11-29T00", "23:59:59"), ("2027-01-31T00", "23:59:59"), ("2027-05-30T00", "23:59:59"),
        ]),
        ("cron(0 18 ? * SATL *)", "6h", [
            ("2026-09-26T18", "23:59:59"), ("2026-10-31T18", "23:59:59"), ("2026-11-28T18", "23:59:59"),
        ]),
        ("cron(0 3 ? * 2/2 *)", "4h", [
            ("2026-09-09T03", "06:59:59"), ("2026-09-11T03", "06:59:59"), ("2026-09-14T03", "06:59:59"),
        ]),
        ("cron(0 0 29-31 2 ? *)", "", [
            ("2028-02-29T00", "23:59:59"), ("2032-02-29T00", "23:59:59"), ("2036-02-29T00", "23:59:59"),
        ]),
        ("CRON(0 8 ? * mon#2 *)", "", [
            ("2026-09-14T08", "23:59:59"), ("2026-10-12T08", "23:59:59"), ("2026-11-09T08", "23:59:59"),
        ]),
        ("cron(0 6,18 * * ? *)", "", [ // more than one a day can't last the day
            ("2026-09-08T06", "06:59:59"), ("2026-09-08T18", "18:59:59"), ("2026-09-09T06", "06:59:59"),
        ]),
        ("cron(0 9/24 * * ? *)", "", [ // an increment makes it a schedule in hours
            ("2026-09-08T09", "09:59:59"), ("2026-09-09T09", "09:59:59"), ("2026-09-10T09", "09:59:59"),
        ]),
        ("rate(8 hours)", "", [
            ("2026-09-08T00", "00:59:59"), ("2026-09-08T08", "08:59:59"), ("2026-09-08T16", "16:59:59"),
        ]),
        ("rate(5 hours)", "5h", [ // the second ends with its day
            ("2026-09-07T20", "23:59:59"), ("2026-09-08T01", "05:59:59"), ("2026-09-08T06", "10:59:59"),
        ]),
        ("rate(36 hours)", "", [
            ("2026-09-08T12", "12:59:59"), ("2026-09-10T00", "00:59:59"), ("2026-09-11T12", "12:59:59"),
        ]),
        ("rate(10 days)", "4h", [
            ("2026-09-17T00", "03:59:59"), ("2026-09-27T00", "03:59:59"), ("2026-10-07T00", "03:59:59"),
        ]),
        ("days 1", "", [
            ("2026-09-08T00", "23:59:59"), ("2026-09-09T00", "23:59:59"), ("2026-09-10T00", "23:59:59"),
        ]),
    ];
    for (expression, duration, expected) in cases {
        let rules = rules(expression, duration);
        let anchor = at("2026-09-07T18:14:58");
        let mut last = anchor;
        for (opens, closes) in expected {
            let window = rules.next_window(Base { anchor, last: Some(last) }).expect("a window");
            assert_eq!(window.opens, at(&format!("{opens}:00:00")), "{expression}");
            let last_second = format!("{}T{closes}", &opens[..10]);
            assert_eq!(window.next_rotation_date(), at(&last_second), "{expression}");
            last = window.fire_at(4711);
        }
    }
}

#[test]
fn a_window_opens_after_the_rules_were_stored() {
    #[rustfmt::skip]
    let cases = [
        // rules, stored, last rotation, opens
        ("days 30", "2026-09-07T10:30:00", None, "2026-10-07T00:00:00"),
        ("days 30", "2026-09-07T10:30:00", Some("2026-08-20T10:00:00"), "2026-09-19T00:00:00"),
        ("days 30", "2026-09-07T10:30:00", Some("2026-09-20T10:00:00"), "2026-10-20T00:00:00"),
        ("days 30", "2026-09-07T10:30:00", Some("2026-08-08T10:00:00"), "2026-09-08T00:00:00"),
        ("rate(30 days)", "2026-09-07T10:30:00", Some("2020-01-01T10:00:00"), "2026-09-08T00:00:00"),
        ("rate(4 hours)", "2026-09-07T10:30:00", None, "2026-09-07T12:00:00"),
        ("rate(4 hours)", "2026-09-07T12:00:00", None, "2026-09-07T16:00:00"),
        ("rate(4 hours)", "2026-09-07T10:30:00", Some("2020-01-01T10:00:00"), "2026-09-07T12:00:00"),
        ("rate(5 hours)", "2026-09-07T10:30:00", Some("2026-09-08T17:00:00"), "2026-09-08T21:00:00"),
        ("cron(0 0 ? * 2 *)", "2026-09-07T10:30:00", None, "2026-09-14T00:00:00"),
        ("cron(0 0 ? * 2 *)", "2026-09-06T23:59:59", None, "2026-09-07T00:00:00"),
        ("cron(0 0 ? * 2 *)", "2026-09-07T00:00:00", None, "2026-09-14T00:00:00"),
        ("cron(0 0 ? * 2 *)", "2026-09-07T10:30:00", Some("2020-01-01T10:00:00"), "2026-09-14T00:00:00"),
    ];
    for (expression, anchor, last, opens) in cases {
        let base = Base { anchor: at(anchor), last: last.map(at) };
        let window = rules(expression, "").next_window(base).expect("a window");
        assert_eq!(window.opens, at(opens), "{expression} stored {anchor}, last {last:?}");
    }
}

#[test]
fn a_duration_must_fit() {
    use Invalid::{WindowOverlaps, WindowPassesDay};
    #[rustfmt::skip]
    let cases = [
        ("rate(10 days)", "24h", Ok(())),
        ("rate(4 hours)", "4h", Ok(())),
        ("rate(4 hours)", "5h", Err(WindowOverlaps)),
        ("rate(36 hours)", "24h", Ok(())),
        ("cron(0 0 * * ? *)", "24h", Ok(())),
        ("cron(0 1 * * ? *)", "24h", Err(WindowPassesDay)),
        ("cron(0 18 * * ? *)", "6h", Ok(())),
        ("cron(0 18 * * ? *)", "7h", Err(WindowPassesDay)),
        ("cron(0 23 * * ? *)", "1h", Ok(())),
        ("cron(0 0/8 * * ? *)", "8h", Ok(())),
        ("cron(0 0/8 * * ? *)", "9h", Err(WindowOverlaps)),
        ("cron(0 2/10 * * ? *)", "2h", Ok(())),
        ("cron(0 2/10 * * ? *)", "3h", Err(WindowPassesDay)),
        ("cron(0 2,8 * * ? *)", "7h", Err(WindowOverlaps)),
    ];
    for (expression, duration, expected) in cases {
        let outcome = Rules::new(None, Some(expression), Some(duration)).map(drop);
        assert_eq!(outcome, expected, "{expression} {duration}");
    }
}

#[test]
fn refuses_members_that_make_no_rules() {
    for (days, expression, duration, reason) in [
        (None, None, None, Invalid::Missing),
        (None, None, Some("3h"), Invalid::Missing),
        (Some(30), Some("rate(30 days)"), None, Invalid::Both),
        (Some(0), None, None, Invalid::DayCount),
        (Some(1001), None, None, Invalid::DayCount),
        (Some(30), None, Some("25h"), Invalid::Duration),
        (Some(30), None, Some("3"), Invalid::Duration),
        (None, Some("weekly"), None, Invalid::Form),
    ] {
        assert_eq!(Rules::new(days, expression, duration), Err(reason));
    }
    assert!(Rules::new(Some(1000), None, Some("24h")).is_ok());
}

#[test]
fn reasons_read_as_a_sentence() {
    let reason = |text| Expression::parse(text).expect_err("invalid").to_string();
    assert_eq!(reason("cron(5 0 * * ? *)"), "Minutes must be 0");
    assert_eq!(reason("cron(0 0 * 13 ? *)"), "Month must be made of 1-12 or JAN-DEC and , - * /");
    assert_eq!(reason("rate(2 hours)"), "windows must open at least 4 hours apart");
}

#[test]
fn describe_shows_days() {
    #[rustfmt::skip]
    let cases = [
        ("days 1000", "2026-09-07T00:00:00", 1000),
        ("rate(10 days)", "2026-09-07T00:00:00", 10),
        ("rate(4 hours)", "2026-09-07T00:00:00", 1),
        ("rate(60 hours)", "2026-09-07T00:00:00", 2),
        ("cron(0 /8 * * ? *)", "2026-09-07T08:00:00", 1),
        ("cron(0 16 1,15 * ? *)", "2026-09-01T16:00:00", 14),
        ("cron(0 16 1,15 * ? *)", "2026-09-15T16:00:00", 16),
        ("cron(0 0 L 2 ? *)", "2026-02-28T00:00:00", 365),
    ];
    for (expression, opens, days) in cases {
        let window = Window { opens: at(opens), closes: at(opens) };
        assert_eq!(rules(expression, "").following_day_count(&window), days, "{expression}");
    }
    let monthly = rules("cron(0 0 1 * ? *)", "1h");
    let window = monthly.next_window(since(at("2026-09-24T06:11:00"))).expect("a window");
    for (instant, days) in [
        ("2026-09-24T00:00:00", 7),
        ("2026-09-24T06:11:00", 7),
        ("2026-09-30T23:59:59", 1),
        ("2026-10-01T08:00:00", 1),
    ] {
        assert_eq!(window.days_after(at(instant)), days, "{instant}");
    }
}

#[test]
fn fires_within_the_window_and_leaves_time_for_retries() {
    for (hours, usable) in [(1, 45), (2, 90), (4, 180), (24, 1080)] {
        let opens = at("2026-09-07T00:00:00");
        let window = Window { opens, closes: at("2026-09-07T00:00:00").plus(HOUR * hours) };
        let millis = usable * 60_000;
        assert_eq!(window.fire_at(0), opens);
        assert_eq!(window.fire_at(millis), opens);
        let latest = opens.plus(std::time::Duration::from_millis(millis - 1));
        assert_eq!(window.fire_at(millis - 1), latest, "{hours}");
    }
}

#[test]
fn a_maintenance_window_is_open_from_hour_to_hour() {
    #[rustfmt::skip]
    let cases = [
        ("cron(0 2 * * ? *)",  "3h", "2026-02-01T01:59:59", false),
        ("cron(0 2 * * ? *)",  "3h", "2026-02-01T02:00:00", true),
        ("cron(0 2 * * ? *)",  "3h", "2026-02-01T04:59:59", true),
        ("cron(0 2 * * ? *)",  "3h", "2026-02-01T05:00:00", false),
        ("cron(0 18 L * ? *)", "6h", "2026-02-28T23:59:59", true),
        ("cron(0 18 L * ? *)", "6h", "2026-03-01T00:00:00", false),
        ("days 30",            "3h", "2026-02-01T12:00:00", true), // made up for at any time
    ];
    for (expression, duration, instant, open) in cases {
        assert_eq!(
            rules(expression, duration).is_open_at(at(instant)),
            open,
            "{expression} {instant}"
        );
    }
}

#[test]
fn tells_how_it_takes_changes_and_misses() {
    for (expression, duration, counts_changes, catches_up) in [
        ("days 30", "3h", true, true),
        ("rate(30 days)", "", true, true),
        ("rate(8 hours)", "2h", false, true),
        ("cron(0 0 * * ? *)", "", false, true),
        ("cron(0 0 * * ? *)", "3h", false, false),
    ] {
        let rules = rules(expression, duration);
        let told = (rules.counts_changes(), rules.catches_up());
        assert_eq!(told, (counts_changes, catches_up), "{expression} {duration}");
    }
}

#[test]
fn is_stored_as_it_was_given() {
    for (expression, duration, stored) in [
        ("days 30", "", r#"{"days":30}"#),
        ("days 7", "05h", r#"{"days":7,"duration":"05h"}"#),
        (" RATE( 4 hours) ", "", r#"{"expression":" RATE( 4 hours) "}"#),
        ("rate(4 hours)", "2h", r#"{"expression":"rate(4 hours)","duration":"2h"}"#),
    ] {
        let rules = rules(expression, duration);
        assert_eq!(serde_json::to_string(&rules).expect("plain"), stored);
        assert_eq!(serde_json::from_str::<Rules>(stored).expect(stored), rules);
    }
    for damaged in [
        "{}",
        r#"{"days":0}"#,
        r#"{"days":30,"expression":"rate(4 hours)"}"#,
        r#"{"expression":"rate(1 hour)"}"#,
        r#"{"days":30,"duration":"x"}"#,
        r#"{"days":30,"color":"red"}"#,
    ] {
        assert!(serde_json::from_str::<Rules>(damaged).is_err(), "{damaged}");
    }
}

#[test]
fn the_ends_of_time_have_no_window() {
    for rules in [rules("days 1", ""), rules("rate(4 hours)", ""), rules("cron(0 0 * * ? *)", "")] {
        for millis in [i64::MIN, i64::MAX, 253_402_207_200_000] {
            assert_eq!(rules.next_window(since(Timestamp::from_millis(millis))), None);
        }
    }
}

const HOUR: std::time::Duration = std::time::Duration::from_hours(1);

type Opens = fn(Date) -> bool;

/// Days, and what they mean in other words.
#[rustfmt::skip]
const DAYS: &[(&str, &str, Opens)] = &[
    ("*", "?", |_| true),
    ("31", "?", |it| it.day() == 31),
    ("1,15", "?", |it| matches!(it.day(), 1 | 15)),
    ("5-25/7", "?", |it| matches!(it.day(), 5 | 12 | 19)),
    ("L", "?", |it| it.day() == it.days_in_month()),
    ("LW", "?", |it| is_workday(it) && rest(it).all(|day| !is_workday(day))),
    ("15W", "?", |it| {
        let the_15th = it.with().day(15).build().expect("each month has it");
        match the_15th.weekday() {
            Weekday::Saturday => it.day() == 14,
            Weekday::Sunday => it.day() == 16,
            _ => it.day() == 15,
        }
    }),
    ("?", "2-6", is_workday),
    ("?", "MON,L", |it| matches!(it.weekday(), Weekday::Monday | Weekday::Saturday)),
    ("?", "TUE#3", |it| it.weekday() == Weekday::Tuesday && matches!(it.day(), 15..=21)),
    ("?", "SUN#5", |it| it.weekday() == Weekday::Sunday && it.day() > 28),
    ("FRIL", "?", |it| it.weekday() == Weekday::Friday && rest(it).count() < 7),
];

const HOURS: &[(&str, &[i8])] =
    &[("0", &[0]), ("23", &[23]), ("/4", &[0, 4, 8, 12, 16, 20]), ("2/10", &[2, 12, 22])];

const MONTHS: &[(&str, &[i8])] =
    &[("*", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]), ("2/6", &[2, 8]), ("DEC-JAN", &[1, 12])];

fn is_workday(date: Date) -> bool {
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// The days of the month after `date`.
fn rest(date: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(date.tomorrow().ok(), |it| it.tomorrow().ok())
        .take_while(move |it| it.month() == date.month())
}

fn instants() -> impl Strategy<Value = Timestamp> {
    // 1970 to 2200; full hours are where mistakes sit.
    let hours = (0_i64..2_000_000).prop_map(|it| it * 3_600_000);
    (hours, prop::sample::select(vec![-1_i64, 0, 1, 1_234_567]))
        .prop_map(|(hour, offset)| Timestamp::from_millis(hour + offset))
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let days = (1_u16..=1000).prop_map(|it| (Some(it), None));
    let rate = (1_u16..=999, prop::sample::select(vec!["days", "hours"]))
        .prop_map(|(count, unit)| (None, Some(format!("rate({count} {unit})"))));
    let cron = any_cron().prop_map(|it| (None, Some(it)));
    let duration = prop::option::of((1_u8..=24).prop_map(|it| format!("{it}h")));
    (prop_oneof![days, rate, cron], duration).prop_filter_map("refused", |(it, duration)| {
        Rules::new(it.0, it.1.as_deref(), duration.as_deref()).ok()
    })
}

fn any_cron() -> impl Strategy<Value = String> {
    let hours = prop_oneof!["[0-9]{1,2}", "[0-9]{0,2}/[4-9]", "[0-9],1[0-9]"];
    let days = prop::sample::select(DAYS).prop_map(|it| (it.0.to_owned(), it.1.to_owned()));
    let dates = "[12]?[0-9]{1,2}([-/,][0-9]{1,2}|W)?".prop_map(|it| (it, "?".to_owned()));
    let weekdays = "[1-7]([-/,#][1-7]|L)?".prop_map(|it| ("?".to_owned(), it));
    let months = prop_oneof![3 => Just("*".to_owned()), 1 => "[1-9]([-/,][1-9])?"];
    (hours, prop_oneof![days, dates, weekdays], months).prop_map(|(hours, days, months)| {
        format!("cron(0 {hours} {} {months} {} *)", days.0, days.1)
    })
}

proptest! {
    #[test]
    fn every_window_lies_in_a_day_after_its_base(
        rules in any_rules(),
        anchor in instants(),
        last in prop::option::of(instants()),
        spread in any::<u64>(),
    ) {
        let window = rules.next_window(Base { anchor, last }).expect("long before the year 9999");
        prop_assert!(window.opens > anchor && Some(window.opens) > last);
        prop_assert_eq!(window.opens.millis() % 3_600_000, 0);
        prop_assert!(window.closes >= window.opens.plus(HOUR));
        prop_assert!(window.closes <= window.opens.day().plus(HOUR * 24));
        let fires = window.fire_at(spread);
        prop_assert!(window.opens <= fires && fires < window.closes);
    }

    #[test]
    fn a_window_ends_before_the_next_one_opens(rules in any_rules(), anchor in instants()) {
        let window = rules.next_window(Base { anchor, last: None }).expect("a window");
        let base = Base { anchor, last: Some(window.opens) };
        let next = rules.next_window(base).expect("a window");
        prop_assert!(window.closes <= next.opens);
        // Increments begin anew each day: over midnight the distance may be shorter.
        if window.opens.day() == next.opens.day() {
            prop_assert!(window.opens.plus(HOUR * 4) <= next.opens);
        }
    }

    #[test]
    fn later_rotations_have_later_windows(
        rules in any_rules(),
        anchor in instants(),
        one in instants(),
        other in instants(),
    ) {
        let opens = |last| rules.next_window(Base { anchor, last: Some(last) }).map(|it| it.opens);
        prop_assert!(opens(one.min(other)) <= opens(one.max(other)));
    }

    /// Beside a walk through the days that knows nothing of sets or months.
    #[test]
    fn finds_what_a_walk_finds(
        (dates, weekdays, opens) in prop::sample::select(DAYS),
        (hours, at_hours) in prop::sample::select(HOURS),
        (months, in_months) in prop::sample::select(MONTHS),
        after in instants(),
    ) {
        let rules = rules(&format!("cron(0 {hours} {dates} {months} {weekdays} *)"), "");
        let found = rules.next_window(since(after)).expect("a window").opens;
        let today = utc::civil(after).expect("a date").date();
        let walked = std::iter::successors(Some(today), |it| it.tomorrow().ok())
            .filter(|it| in_months.contains(&it.month()) && opens(*it))
            .flat_map(|date| at_hours.iter().map(move |hour| date.at(*hour, 0, 0, 0)))
            .filter_map(utc::instant)
            .find(|it| *it > after);
        prop_assert_eq!(Some(found), walked);
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), inner in "[0-9A-Za-z()#?*/, -]{0,40}") {
        let _ = Expression::parse(&text);
        let _ = Expression::parse(&format!("cron({inner})"));
        let _ = Expression::parse(&format!("rate({inner})"));
        let _ = text.parse::<Hours>();
    }
}
