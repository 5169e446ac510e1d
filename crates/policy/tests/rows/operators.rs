//! Table: each condition operator with a value that matches, one that doesn't, one that can't be
//! compared, and none.

use crate::support::*;

/// Whether `operator` holds between the policy's `values` and the request's.
fn holds(operator: &str, values: &str, actual: Option<&str>) -> bool {
    let statement = format!(
        r#"{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{"{operator}":{{"x:Key":{values}}}}}}}"#
    );
    let ask = gsv(ALICE).identity(&statement);
    let ask = match actual {
        Some(actual) => ask.with("X:KEY", actual),
        None => ask,
    };
    ask.refusal().is_none()
}

#[rustfmt::skip]
const OPERATORS: &[(&str, &str, &[&str], &[&str])] = &[
    // operator                   policy                      holds for               and not for
    ("ArnEquals",                 r#""arn:aws:s3:::a*""#,     &["arn:aws:s3:::ab"],   &["arn:aws:s3:::b", "ab", ""]),
    ("ArnLike",                   r#""arn:aws:s3:::a?""#,     &["arn:aws:s3:::ab"],   &["arn:aws:s3:::a", "ab"]),
    ("ArnNotEquals",              r#""arn:aws:s3:::a*""#,     &["arn:aws:s3:::b", "ab"], &["arn:aws:s3:::ab"]),
    ("ArnNotLike",                r#""arn:aws:s3:::a*""#,     &["arn:aws:s3:::b", "ab"], &["arn:aws:s3:::ab"]),
    ("BinaryEquals",              r#""QUI=""#,                &["QUI=", "QUI"],       &["QUJD", "Q I="]),
    ("Bool",                      "true",                     &["true", "TRUE"],      &["false", "yes", ""]),
    ("Bool",                      r#""False""#,               &["false"],             &["true", "0"]),
    ("Bool",                      r#""yes""#,                 &[],                    &["yes", "true"]),
    ("DateEquals",                r#""2026-01-31T10:00:00Z""#, &["1769853600", "2026-01-31T11:00:00+01:00"], &["2026-01-31", "soon"]),
    ("DateGreaterThan",           r#""2026""#,                &["2026-01-02"],        &["2026-01-01", "2025"]),
    ("DateGreaterThanEquals",     r#""2026""#,                &["2026-01-01"],        &["2025-12-31", "soon"]),
    ("DateLessThan",              r#""2026""#,                &["2025"],              &["2026", "soon"]),
    ("DateLessThanEquals",        "1769853600",               &["1769853600"],        &["1769853601"]),
    ("DateNotEquals",             r#""2026""#,                &["2027"],              &["2026", "soon"]),
    ("IpAddress",                 r#"["203.0.113.0/24","2001:db8::/32"]"#, &["203.0.113.9", "2001:db8::1"], &["198.51.100.1", "2001:db9::1", "here"]),
    ("IpAddress",                 r#""203.0.113.9""#,         &["203.0.113.9"],       &["203.0.113.8"]),
    ("NotIpAddress",              r#"["203.0.113.0/24","198.51.100.0/24"]"#, &["192.0.2.1", "2001:db8::1", "here"], &["203.0.113.9", "198.51.100.1"]),
    ("NumericEquals",             "5",                        &["5", "5.0"],          &["6", "five"]),
    ("NumericEquals",             r#""five""#,                &[],                    &["5", "five"]),
    ("NumericGreaterThan",        r#""5""#,                   &["5.5"],               &["5", "-6"]),
    ("NumericGreaterThanEquals",  "5",                        &["5"],                 &["4.9", "five"]),
    ("NumericLessThan",           "5",                        &["-6"],                &["5"]),
    ("NumericLessThanEquals",     "5",                        &["5"],                 &["5.01"]),
    ("NumericNotEquals",          "[5,6]",                    &["7"],                 &["5", "6", "five"]),
    ("StringEquals",              r#"["a*","b"]"#,            &["a*", "b"],           &["ab", "B", ""]),
    ("StringEquals",              "5",                        &["5"],                 &["5.0"]),
    ("StringEqualsIgnoreCase",    r#""aB""#,                  &["Ab"],                &["abc"]),
    ("StringEqualsIgnoreCase",    r#""zoË""#,                 &["Zoë"],               &["Zoe", "Zoè"]),
    ("StringLike",                r#""a*b?""#,                &["abc", "a:/bc"],      &["ab", "Abc"]),
    ("StringNotEquals",           r#"["a","b"]"#,             &["c", "A"],            &["a", "b"]),
    ("StringNotEqualsIgnoreCase", r#"["a","b"]"#,             &["c"],                 &["A", "b"]),
    ("StringNotEqualsIgnoreCase", r#""zoË""#,                 &["Zoe"],               &["Zoë"]),
    ("StringNotLike",             r#"["a*","b"]"#,            &["ba"],                &["ab", "b"]),
];

#[test]
fn what_holds_and_what_does_not() {
    for (operator, values, matching, others) in OPERATORS {
        for actual in *matching {
            assert!(holds(operator, values, Some(actual)), "{operator} {values}: {actual}");
        }
        for actual in *others {
            assert!(!holds(operator, values, Some(actual)), "{operator} {values}: {actual}");
        }
    }
}

#[test]
fn what_is_absent() {
    for (operator, values, ..) in OPERATORS {
        let negated = operator.contains("Not");
        for (prefix, suffix, expected) in [
            ("", "", negated),
            ("", "IfExists", true),
            ("ForAllValues:", "", true),
            ("ForAllValues:", "IfExists", true),
            ("ForAnyValue:", "", false),
            ("ForAnyValue:", "IfExists", true),
        ] {
            let name = format!("{prefix}{operator}{suffix}");
            assert_eq!(holds(&name, values, None), expected, "{name}");
        }
    }
}

#[test]
fn null_asks_for_absence() {
    for (values, absent, present) in [
        ("true", true, false),
        (r#""true""#, true, false),
        (r#""FALSE""#, false, true),
        ("[true,false]", true, true),
        (r#""maybe""#, false, false),
    ] {
        assert_eq!(holds("Null", values, None), absent, "{values}");
        assert_eq!(holds("Null", values, Some("")), present, "{values}");
    }
}

#[test]
fn variables_stand_where_they_may() {
    let of = |operator: &str, value: &str, actual: &str| holds(operator, value, Some(actual));
    assert!(of("StringEquals", r#""${aws:username}""#, "alice"));
    assert!(of("StringLike", r#""${aws:username}-*""#, "alice-1"));
    assert!(of("ArnLike", r#""arn:aws:iam::*:user/${aws:username}""#, &ALICE.arn()));
    assert!(of("ArnEquals", r#""${aws:PrincipalArn}""#, &ALICE.arn()));
    assert!(of("Bool", r#""${aws:PrincipalIsAWSService}""#, "false"));
    assert!(of("StringEquals", r#""${$}{aws:username}""#, "${aws:username}"));
    // In the others, and without value, they match nothing.
    assert!(!of("NumericEquals", r#""${x:Key}""#, "5"));
    assert!(!of("DateEquals", r#""${x:Key}""#, "2026"));
    assert!(!of("IpAddress", r#""${x:Key}""#, "203.0.113.9"));
    assert!(!of("StringEquals", r#""${aws:PrincipalTag/none}""#, ""));
    assert!(of("StringNotEquals", r#""${aws:PrincipalTag/none}""#, ""));
    assert!(of("StringEquals", r#"["${aws:PrincipalTag/none}","a"]"#, "a"));
}
