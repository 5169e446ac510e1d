//! What is read, what is refused, and which days are meant.

use super::*;

fn parse(fields: &str) -> Result<Cron, Invalid> {
    Cron::parse(&fields.split(' ').collect::<Vec<_>>())
}

#[test]
fn refuses_what_the_dialect_has_not() {
    const DATES: Invalid = field::DATES.refusal();
    const HOURS: Invalid = field::HOURS.refusal();
    const MONTHS: Invalid = field::MONTHS.refusal();
    const WEEKDAYS: Invalid = field::WEEKDAYS.refusal();
    const MINUTES: Invalid = Invalid::Field { name: "Minutes", values: "0" };
    const YEAR: Invalid = Invalid::Field { name: "Year", values: "*" };
    use Invalid::{Days, FieldCount, NeverFires, TooOften};
    #[rustfmt::skip]
    let cases = [
        ("", FieldCount),
        ("0 8 * * ?", FieldCount),
        ("0 8 * * ? * *", FieldCount),
        ("0 8 1, 15 * ? *", FieldCount),
        ("1 8 * * ? *", MINUTES),
        ("* 8 * * ? *", MINUTES),
        ("0/15 8 * * ? *", MINUTES),
        ("0 8 * * ? 2026", YEAR),
        ("0 8 * * ? ?", YEAR),
        ("0 8 * * ? 2026-2030", YEAR),
        // hours
        ("0 24 * * ? *", HOURS),
        ("0 -1 * * ? *", HOURS),
        ("0 +1 * * ? *", HOURS),
        ("0 ? * * ? *", HOURS),
        ("0 L * * ? *", HOURS),
        ("0 8,,16 * * ? *", HOURS),
        ("0 8/ * * ? *", HOURS),
        ("0 / * * ? *", HOURS),
        ("0 /0 * * ? *", HOURS),
        ("0 /25 * * ? *", HOURS),
        ("0 8/4/4 * * ? *", HOURS),
        ("0 8-12-16 * * ? *", HOURS),
        ("0 999 * * ? *", HOURS),
        ("0 * * * ? *", TooOften),
        ("0 /3 * * ? *", TooOften),
        ("0 0/1 * * ? *", TooOften),
        ("0 22/2 * * ? *", TooOften), // one opening a day, and yet a step of two hours
        ("0 8-12 * * ? *", TooOften),
        ("0 8,11 * * ? *", TooOften),
        ("0 0/8,6 * * ? *", TooOften),
        // days
        ("0 8 * * * *", Days),
        ("0 8 ? * ? *", Days),
        ("0 8 1 * MON *", Days),
        ("0 8 0 * ? *", DATES),
        ("0 8 32 * ? *", DATES),
        ("0 8 MON * ? *", DATES),
        ("0 8 5L * ? *", DATES),
        ("0 8 L-3 * ? *", DATES),
        ("0 8 L/2 * ? *", DATES),
        ("0 8 W * ? *", DATES),
        ("0 8 32W * ? *", DATES),
        ("0 8 1-5W * ? *", DATES),
        ("0 8 LL * ? *", DATES),
        ("0 8 1,? * ? *", DATES),
        ("0 8 1/32 * ? *", DATES),
        ("0 8 1#2 * ? *", DATES),
        ("0 8 ? * 0 *", WEEKDAYS),
        ("0 8 ? * 8 *", WEEKDAYS),
        ("0 8 ? * SUNDAY *", WEEKDAYS),
        ("0 8 ? * MON#0 *", WEEKDAYS),
        ("0 8 ? * MON#6 *", WEEKDAYS),
        ("0 8 ? * MON# *", WEEKDAYS),
        ("0 8 ? * #1 *", WEEKDAYS),
        ("0 8 ? * MON#1#1 *", WEEKDAYS),
        ("0 8 ? * MONW *", WEEKDAYS),
        ("0 8 ? * 8L *", WEEKDAYS),
        ("0 8 ? * MON,? *", WEEKDAYS),
        ("0 8 ? * 2/8 *", WEEKDAYS),
        // months
        ("0 8 1 0 ? *", MONTHS),
        ("0 8 1 13 ? *", MONTHS),
        ("0 8 1 ? ? *", MONTHS),
        ("0 8 1 L ? *", MONTHS),
        ("0 8 1 JANUARY ? *", MONTHS),
        ("0 8 1 1/13 ? *", MONTHS),
        // dates that no year has
        ("0 8 31 2 ? *", NeverFires),
        ("0 8 30 FEB ? *", NeverFires),
        ("0 8 31W 4 ? *", NeverFires),
        ("0 8 31 2,4,6,9,11 ? *", NeverFires),
    ];
    for (fields, reason) in cases {
        assert_eq!(parse(fields), Err(reason), "{fields}");
    }
}

#[test]
fn opens_at_these_hours() {
    for (hours, expected) in [
        ("0", vec![0]),
        ("23", vec![23]),
        ("/8", vec![0, 8, 16]),
        ("*/8", vec![0, 8, 16]),
        ("8/8", vec![8, 16]),
        ("2/10", vec![2, 12, 22]),
        ("0/7", vec![0, 7, 14, 21]),
        ("4/12", vec![4, 16]),
        ("0/24", vec![0]),
        ("8,20", vec![8, 20]),
        ("6-18/6", vec![6, 12, 18]),
        ("20-4/4", vec![0, 4, 20]),
        ("8-8", vec![8]),
    ] {
        let cron = parse(&format!("0 {hours} * * ? *")).expect(hours);
        assert_eq!(cron.hours.iter().collect::<Vec<_>>(), expected, "{hours}");
    }
}

/// Days of months that begin on a Saturday (August 2026), a Sunday (February 2026, 28 days) and a
/// Thursday (October 2026).
#[test]
fn means_these_days() {
    #[rustfmt::skip]
    let cases: &[(&str, &str, &[u8])] = &[
        ("2026-10", "1 * ?", &[1]),
        ("2026-10", "1,15 * ?", &[1, 15]),
        ("2026-10", "29-31 * ?", &[29, 30, 31]),
        ("2026-10", "30-2 * ?", &[1, 2, 30, 31]),
        ("2026-10", "1/10 * ?", &[1, 11, 21, 31]),
        ("2026-10", "/10 * ?", &[1, 11, 21, 31]),
        ("2026-10", "5-11/3 * ?", &[5, 8, 11]),
        ("2026-02", "29-31 * ?", &[]),
        ("2026-02", "L * ?", &[28]),
        ("2026-10", "L * ?", &[31]),
        ("2026-10", "15,L * ?", &[15, 31]),
        ("2026-10", "LW * ?", &[30]),
        ("2026-10", "WL * ?", &[30]),
        ("2026-08", "LW * ?", &[31]),
        ("2026-02", "LW * ?", &[27]),
        ("2026-08", "1W * ?", &[3]),  // Saturday the first: not into July
        ("2026-02", "1W * ?", &[2]),
        ("2026-10", "15W * ?", &[15]),
        ("2026-10", "17W * ?", &[16]),
        ("2026-10", "18W * ?", &[19]),
        ("2026-10", "31W * ?", &[30]),
        ("2026-05", "31W * ?", &[29]), // Sunday the last: not into June
        ("2026-02", "30W * ?", &[]),
        ("2026-10", "SUNL * ?", &[25]),
        ("2026-10", "SATL * ?", &[31]),
        ("2026-10", "? * 1", &[4, 11, 18, 25]),
        ("2026-10", "? * SUN", &[4, 11, 18, 25]),
        ("2026-10", "? * 7", &[3, 10, 17, 24, 31]),
        ("2026-10", "? * L", &[3, 10, 17, 24, 31]),
        ("2026-10", "? * 5L", &[29]),
        ("2026-10", "? * FRIL", &[30]),
        ("2026-10", "? * TUE#3", &[20]),
        ("2026-10", "? * 3#3", &[20]),
        ("2026-10", "? * THU#1", &[1]),
        ("2026-10", "? * THU#5", &[29]),
        ("2026-10", "? * MON#5", &[]),
        ("2026-10", "? * MON#1,FRI#4", &[5, 23]),
        ("2026-10", "? * 2/2", &[2, 5, 7, 9, 12, 14, 16, 19, 21, 23, 26, 28, 30]),
        ("2026-10", "? * FRI-SUN", &[2, 3, 4, 9, 10, 11, 16, 17, 18, 23, 24, 25, 30, 31]),
        ("2026-10", "? * MON,WEDL", &[5, 12, 19, 26, 28]),
    ];
    for (month, fields, expected) in cases {
        let cron = parse(&format!("0 0 {fields} *")).expect(fields);
        let first: Date = format!("{month}-01").parse().expect("a month");
        let days = cron.days.of_month(first).expect("days");
        assert_eq!(days.iter().collect::<Vec<_>>(), *expected, "{fields} in {month}");
        assert_eq!(cron.days.of_month(first.last_of_month()), Some(days), "{fields} in {month}");
    }
}

#[test]
fn means_these_months() {
    for (months, expected) in [
        ("*", (1..=12).collect()),
        ("2", vec![2]),
        ("FEB", vec![2]),
        ("1/3", vec![1, 4, 7, 10]),
        ("/6", vec![1, 7]),
        ("JAN,APR,12", vec![1, 4, 12]),
        ("MAR-MAY", vec![3, 4, 5]),
        ("NOV-FEB", vec![1, 2, 11, 12]),
    ] {
        let cron = parse(&format!("0 0 1 {months} ? *")).expect(months);
        assert_eq!(cron.months.iter().collect::<Vec<_>>(), expected, "{months}");
    }
}

#[test]
fn finds_what_is_rare() {
    for (fields, after, opens) in [
        ("0 0 29 2 ? *", "2096-03-01T00:00", "2104-02-29T00:00"),
        ("0 0 ? 2 SUN#5 *", "2088-03-01T00:00", "2128-02-29T00:00"),
    ] {
        let after: DateTime = after.parse().expect("a time");
        let opens: DateTime = opens.parse().expect("a time");
        assert_eq!(parse(fields).expect(fields).next_opening(after), Some(opens), "{fields}");
    }
    let last = DateTime::constant(9999, 12, 31, 20, 0, 0, 0);
    assert_eq!(parse("0 0 29 2 ? *").expect("leap days").next_opening(last), None);
    assert_eq!(parse("0 4 * * ? *").expect("each day").next_opening(last), None);
}
