//! Requests by method and path.

use serde_json::Value;
use wire::rest::{Binding, Head, Kind};

const BINDING: Binding = Binding::new("POST", "/a/{one}/{two}")
    .with_query(&[
        ("number", Kind::Integer),
        ("truth", Kind::Boolean),
        ("list", Kind::List),
        ("text", Kind::Text),
    ])
    .with_headers(&[("x-cert", "cert")]);

/// Takes `input` for a line with the path, one with the query, one with a header's value, and the body.
///
/// Beside an object or nothing as the body, what is gathered is an object that has the body's members.
pub fn rest_request(input: &[u8]) {
    let mut lines = input.splitn(4, |it| *it == b'\n');
    let mut text = || str::from_utf8(lines.next().unwrap_or_default()).unwrap_or_default();
    let (path, query, value) = (text(), text(), text());
    let body = lines.next().unwrap_or_default();
    let header = |name: &str| (name == "x-cert").then_some(value.as_bytes());
    let Ok(gathered) = BINDING.gather(Head { path, query, header: &header }, body) else { return };
    assert!(BINDING.matches(path) || path.len() > 8192);
    let blank = body.iter().all(|it| b" \t\r\n".contains(it));
    let object = if blank {
        Some(serde_json::Map::new())
    } else {
        // Only JSON's own white space may surround it: a form feed doesn't.
        serde_json::from_slice(body).ok()
    };
    if let Some(object) = object {
        let whole: Value = serde_json::from_slice(gathered.as_slice()).expect("an object");
        assert!(whole.get("one").is_some() && whole.get("two").is_some());
        assert!(object.iter().all(|(name, it)| whole.get(name) == Some(it)));
    } else {
        let wrong = serde_json::from_slice::<serde_json::Map<String, Value>>(gathered.as_slice());
        assert!(wrong.is_err(), "no object becomes one");
    }
}
