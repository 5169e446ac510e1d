//! A record on one line, for terminals: in words, or as it is.

use crate::record::Record;
use std::borrow::Cow;
use std::fmt::Write;

/// The longest a member may be, in characters.
const LONGEST: usize = 200;

/// Time, event, outcome, principal, secret and source address of `record`, separated by two spaces;
/// what is absent is `-`.
///
/// Callers choose names, addresses and messages: whatever could steer a terminal is written as an
/// escape, and what is long is cut.
pub fn line(record: &Record) -> String {
    let outcome = match (&record.error_code, &record.error_message) {
        (Some(code), _) => shown(code),
        (None, Some(_)) => "failed".to_owned(),
        (None, None) => "ok".to_owned(),
    };
    let mut secrets = record.secrets();
    let secret = shown(secrets.next().unwrap_or_default());
    let further = match secrets.filter(|_| record.event_name.starts_with("Batch")).count() {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    let (time, event) = (shown(&record.event_time), shown(&record.event_name));
    let principal = shown(record.principal().unwrap_or_default());
    let address = shown(&record.source_ip_address);
    format!("{time}  {event}  {outcome}  {principal}  {secret}{further}  {address}")
}

fn shown(text: &str) -> String {
    if text.is_empty() {
        return "-".to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for (count, it) in text.chars().enumerate() {
        if count == LONGEST {
            out.push('…');
            break;
        }
        if steers(it) {
            let _infallible = write!(out, "{}", it.escape_unicode());
        } else {
            out.push(it);
        }
    }
    out
}

/// `text` for a terminal: whatever could steer it is written as an escape.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let escaped = |it: char| if steers(it) { it.escape_unicode().to_string() } else { it.into() };
    Cow::Owned(text.chars().map(escaped).collect())
}

/// The record `text`, one line of JSON, with the same meaning and nothing that could steer a terminal:
/// such characters stand only within strings, and are written there as `\u009b` is.
pub fn json(text: &str) -> Cow<'_, str> {
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 64);
    for it in text.chars() {
        if steers(it) {
            let _infallible = write!(out, "\\u{:04x}", u32::from(it));
        } else {
            out.push(it);
        }
    }
    Cow::Owned(out)
}

/// Control characters, and those that can't be seen or turn the direction of writing. None is beyond
/// U+FFFF, so four digits name each.
fn steers(it: char) -> bool {
    it.is_control()
        || matches!(
            it,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}'
                | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_record_fits_one_line() {
        #[rustfmt::skip]
        let cases = [
            (json!({"eventTime": "2026-01-31T10:00:00Z", "eventName": "GetSecretValue",
                    "userIdentity": {"userName": "ada", "arn": "x"}, "sourceIPAddress": "192.0.2.10",
                    "requestParameters": {"secretId": "shop/db"}}),
             "2026-01-31T10:00:00Z  GetSecretValue  ok  ada  shop/db  192.0.2.10"),
            (json!({"eventName": "GetSecretValue", "errorCode": "AccessDenied",
                    "userIdentity": {"arn": "arn:x"}}),
             "-  GetSecretValue  AccessDenied  arn:x  -  -"),
            (json!({"eventName": "BatchGetSecretValue",
                    "requestParameters": {"secretIdList": ["a", "b", "c"]}}),
             "-  BatchGetSecretValue  ok  -  a and 2 more  -"),
            (json!({"eventName": "StartSecretVersionDelete",
                    "userIdentity": {"accountId": "1", "invokedBy": "secretsmanager"},
                    "additionalEventData": {"ARN": "arn:s", "Name": "s"}}),
             "-  StartSecretVersionDelete  ok  secretsmanager  arn:s  -"),
            (json!({"eventName": "x", "errorMessage": "y"}), "-  x  failed  -  -  -"),
            (json!({"eventName": "\u{1b}[2J\u{9b}\n\u{202e}\u{61c}é"}),
             "-  \\u{1b}[2J\\u{9b}\\u{a}\\u{202e}\\u{61c}é  ok  -  -  -"),
        ];
        for (record, expected) in cases {
            let record = Record::parse(&record.to_string()).expect("a record");
            assert_eq!(line(&record), expected);
        }
    }

    #[test]
    fn json_keeps_its_meaning_and_steers_nothing() {
        let given = json!({"userAgent": "a\u{9b}2J\u{202e}\u{7f}\u{61c}\u{1b}\\é\"😀", "n": 1});
        let text = given.to_string();
        let shown = super::json(&text);
        for part in ["\\u009b2J", "\\u202e", "\\u007f", "\\u061c", "\\u001b", "é", "😀"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(!shown.chars().any(steers), "{shown:?}");
        let read: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
        assert_eq!(read, given);
        assert!(matches!(super::json(r#"{"a":"é"}"#), Cow::Borrowed(_)));
    }

    #[test]
    fn long_members_are_cut() {
        let record = json!({"eventName": "é".repeat(10_000)}).to_string();
        let line = line(&Record::parse(&record).expect("a record"));
        assert!(line.chars().count() < LONGEST + 30, "{}", line.len());
    }
}
