//! What outputs look like.

use super::*;
use proptest::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;

const SERVICE: Service = Service { namespace: "urn:x", version: "1" };

#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    name: Option<String>,
    #[serde(serialize_with = "instant")]
    created: Timestamp,
    attachable: bool,
    count: u32,
    tags: Vec<Tag>,
    inner: Option<Tag>,
    summary: BTreeMap<&'static str, u32>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    #[serde(serialize_with = "document")]
    value: &'static str,
}

fn written<T: Serialize>(output: &T) -> String {
    let body = encode(&SERVICE, "Do", output, "id").expect("has a form");
    str::from_utf8(body.as_slice()).expect("text").to_owned()
}

#[test]
fn every_kind_of_member() {
    let tag = || Tag { key: "a<b".into(), value: "{\"é\": ~}" };
    let full = Output {
        name: Some("x\u{1}".into()),
        created: Timestamp::from_millis(1_769_853_600_999),
        tags: vec![tag(), Tag::default()],
        inner: Some(tag()),
        summary: BTreeMap::from([("Users", 1)]),
        ..Output::default()
    };
    let flat: String = written(&full).lines().map(str::trim).collect();
    let tag = "<Key>a&lt;b</Key><Value>%7B%22%C3%A9%22%3A%20~%7D</Value>";
    assert_eq!(
        flat,
        format!(
            "<DoResponse xmlns=\"urn:x\"><DoResult><Name>x\u{fffd}</Name>\
             <Created>2026-01-31T10:00:00Z</Created><Attachable>false</Attachable>\
             <Count>0</Count><Tags><member>{tag}</member><member><Key></Key><Value></Value>\
             </member></Tags><Inner>{tag}</Inner><Summary><entry><key>Users</key>\
             <value>1</value></entry></Summary></DoResult><ResponseMetadata>\
             <RequestId>id</RequestId></ResponseMetadata></DoResponse>"
        )
    );
}

#[test]
fn what_is_empty() {
    assert!(!written(&()).contains("DoResult"));
    let text = written(&Output::default());
    assert!(text.contains("  <DoResult>\n    <Created>"), "{text}");
    assert!(text.contains("    <Tags/>\n    <Summary/>\n  </DoResult>\n"), "{text}");
    assert!(encode(&SERVICE, "Do", &Some(Err::<u8, u8>(1)), "id").is_err());
}

proptest! {
    #[test]
    fn any_text_stays_text(text in any::<String>()) {
        let escaped = escape(&text);
        let read = quick_xml::escape::unescape(&escaped).expect("escaped");
        let allowed = |it: char| {
            matches!(it, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
        };
        let expected: String =
            text.chars().map(|it| if allowed(it) { it } else { '\u{fffd}' }).collect();
        prop_assert_eq!(read, expected);
        prop_assert!(!escaped.contains(['<', '>', '\r']));
    }
}
