//! REST-JSON: what stands in the path, the query and the headers, and a body in JSON, made one object.
//!
//! A [`Binding`] says how an operation is asked for, [`Binding::matches`] finds it by method and path, and
//! [`Binding::gather`] writes everything it was asked with as one JSON object, for [`crate::json::decode`]: so a
//! member that stands in two places is refused as one that is given twice.
//!
//! Source: Smithy, "AWS restJson1 protocol" and "HTTP binding traits".

use crate::{Body, Member};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;
use std::io::Write;
use std::time::Duration;
use zeroize::Zeroizing;

/// The content type of every answer.
pub const CONTENT_TYPE: &str = "application/json";

/// How one operation is asked for, and how its success is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The method, in upper case.
    pub method: &'static str,
    /// `/crl/{crlId}/disable`: each segment is a fixed text, or a member in braces.
    pub path: &'static str,
    /// Members that stand in the query under their own names.
    pub query: &'static [(&'static str, Kind)],
    /// Members that stand in headers: the header's name in lower case, the member.
    pub headers: &'static [(&'static str, &'static str)],
    /// The HTTP status of a success.
    pub status: u16,
    /// The member that the body is, byte for byte, where it is no JSON object.
    pub payload: Option<&'static str>,
    /// How names are written.
    pub manner: Manner,
    /// Bytes that a body may have, where that is more than others may.
    pub body_bytes: usize,
    /// How much longer than others an answer may take.
    pub patience: Duration,
}

/// How a service writes names, and its errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// `trustAnchorId`; an error is `{"message":…}`.
    Camel,
    /// `FunctionName`; an error also says whose it is: `{"Type":"User","message":…}`.
    Pascal,
}

/// What a member of the query is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A truth value.
    Boolean,
    /// A whole number.
    Integer,
    /// A list of texts: the name comes once for each.
    List,
    /// A text.
    Text,
}

/// The head of a request, as it was received.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    /// Without the query, still percent-encoded.
    pub path: &'a str,
    /// What follows the first `?`, still percent-encoded.
    pub query: &'a str,
    /// The first value of a header, by its name in lower case.
    pub header: &'a dyn Fn(&str) -> Option<&'a [u8]>,
}

/// A head that can't be bound. Holds the message for the wire, which never quotes the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(&'static str);

impl Binding {
    /// `method` and `path`, with neither query nor headers, answered with 200.
    pub const fn new(method: &'static str, path: &'static str) -> Self {
        Self {
            method,
            path,
            query: &[],
            headers: &[],
            status: 200,
            payload: None,
            manner: Manner::Camel,
            body_bytes: 0,
            patience: Duration::ZERO,
        }
    }

    /// The same with members in the query.
    pub const fn with_query(self, query: &'static [(&'static str, Kind)]) -> Self {
        Self { query, ..self }
    }

    /// The same with members in headers.
    pub const fn with_headers(self, headers: &'static [(&'static str, &'static str)]) -> Self {
        Self { headers, ..self }
    }

    /// The same with another status of a success.
    pub const fn answering(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The same of a service that writes names in PascalCase.
    pub const fn in_pascal(self) -> Self {
        Self { manner: Manner::Pascal, ..self }
    }

    /// The same with a body that is one member, byte for byte.
    pub const fn with_payload(self, member: &'static str) -> Self {
        Self { payload: Some(member), ..self }
    }

    /// The same with bodies of so many bytes, and with an answer that may take so much longer.
    pub const fn with_room(self, body_bytes: usize, patience: Duration) -> Self {
        Self { body_bytes, patience, ..self }
    }

    /// Whether `path` is this operation's, whatever the method.
    pub fn matches(&self, path: &str) -> bool {
        path.len() <= LONGEST_PATH && self.segments(path).is_some()
    }

    /// One JSON object of all members of a request with this binding.
    ///
    /// Names that the binding doesn't know are passed over, as are empty headers.
    ///
    /// # Errors
    ///
    /// [`Malformed`]: a broken escape, no UTF-8, or more parameters than anybody needs.
    pub fn gather(&self, head: Head<'_>, body: &[u8]) -> Result<Body, Malformed> {
        let mut out = Object::new(body.len());
        for (name, segment) in self.segments(head.path).ok_or(Malformed(OTHER_PATH))? {
            out.text(name, &decode(segment, false)?);
        }
        self.gather_query(head.query, &mut out)?;
        for (header, name) in self.headers {
            if let Some(value) = (head.header)(header).map(<[u8]>::trim_ascii)
                && !value.is_empty()
            {
                out.text(name, str::from_utf8(value).map_err(|_| Malformed(NOT_UTF8))?);
            }
        }
        match self.payload {
            Some(name) if !body.is_empty() => out.bytes(name, body),
            Some(_) => (),
            None => return Ok(out.followed_by(body)),
        }
        Ok(out.followed_by(b""))
    }

    fn gather_query(&self, query: &str, out: &mut Object) -> Result<(), Malformed> {
        let mut lists: Vec<(&str, Vec<Cow<'_, str>>)> = Vec::new();
        for (count, pair) in query.split('&').filter(|it| !it.is_empty()).enumerate() {
            if count == MOST_PARAMETERS {
                return Err(Malformed(TOO_MANY));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name, true)?, decode(value, true)?);
            let Some((name, kind)) = self.query.iter().find(|it| it.0 == name) else { continue };
            match kind {
                Kind::List => match lists.iter_mut().find(|it| it.0 == *name) {
                    Some((_, values)) => values.push(value),
                    None => lists.push((name, vec![value])),
                },
                kind => out.value(name, *kind, &value),
            }
        }
        for (name, values) in lists {
            out.list(name, &values);
        }
        Ok(())
    }

    /// The members in `path` with what they stand for, still encoded; `None` if it is another path.
    fn segments<'p>(&self, path: &'p str) -> Option<Vec<(&'static str, &'p str)>> {
        let (mut wanted, mut given) = (self.path.split('/'), path.split('/'));
        let mut members = Vec::new();
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return Some(members),
                (Some(wanted), Some(given)) => match member(wanted) {
                    Some(_) if given.is_empty() => return None,
                    Some(name) => members.push((name, given)),
                    None if wanted != given => return None,
                    None => (),
                },
                _ => return None,
            }
        }
    }
}

fn member(segment: &'static str) -> Option<&'static str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// Undoes percent-encoding; in a query, `+` is a space.
fn decode(text: &str, plus: bool) -> Result<Cow<'_, str>, Malformed> {
    if !text.contains(['%', '+']) {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match byte {
            b'%' => {
                let [high, low, tail @ ..] = tail else { return Err(Malformed(ESCAPE)) };
                let digit =
                    |it: &u8| char::from(*it).to_digit(16).and_then(|it| it.try_into().ok());
                let digits: Option<(u8, u8)> = digit(high).zip(digit(low));
                let (high, low) = digits.ok_or(Malformed(ESCAPE))?;
                out.push(high << 4 | low);
                rest = tail;
            }
            b'+' if plus => out.push(b' '),
            other => out.push(*other),
        }
    }
    String::from_utf8(out).map(Cow::Owned).map_err(|_| Malformed(NOT_UTF8))
}

/// A JSON object under construction. Writing to memory doesn't fail, and a text serialises always.
struct Object(Body);

impl Object {
    fn new(body: usize) -> Self {
        Self(Body::with_capacity(body.saturating_add(256)))
    }

    fn name(&mut self, name: &str) {
        let first = self.0.is_empty();
        let _infallible = write!(self.0, "{}\"{name}\":", if first { "{" } else { "," });
    }

    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        let _infallible = serde_json::to_writer(&mut self.0, value);
    }

    /// What isn't of its kind stays a text, and is refused as such.
    fn value(&mut self, name: &str, kind: Kind, value: &str) {
        match (kind, value.parse::<i64>()) {
            (Kind::Boolean, _) if matches!(value, "true" | "false") => {
                self.name(name);
                let _infallible = self.0.write_all(value.as_bytes());
            }
            (Kind::Integer, Ok(number)) => {
                self.name(name);
                let _infallible = write!(self.0, "{number}");
            }
            _ => self.text(name, value),
        }
    }

    /// Bytes, as JSON has them.
    fn bytes(&mut self, name: &str, value: &[u8]) {
        self.name(name);
        let encoded = Zeroizing::new(STANDARD.encode(value));
        let _infallible = write!(self.0, "\"{}\"", *encoded);
    }

    fn list(&mut self, name: &str, values: &[Cow<'_, str>]) {
        self.name(name);
        let _infallible = serde_json::to_writer(&mut self.0, values);
    }

    /// The object that has all members of this one and then those of `body`. What is no object stays
    /// what it is.
    fn followed_by(mut self, body: &[u8]) -> Body {
        let space = |it: &&u8| matches!(it, b' ' | b'\t' | b'\r' | b'\n');
        let body = body.get(body.iter().take_while(space).count()..).unwrap_or_default();
        let Some(rest) = body.strip_prefix(b"{").filter(|_| !self.0.is_empty()) else {
            if body.is_empty() && !self.0.is_empty() {
                let _infallible = self.0.write_all(b"}");
                return self.0;
            }
            let mut whole = Body::with_capacity(body.len());
            let _infallible = whole.write_all(body);
            return whole;
        };
        let rest = rest.get(rest.iter().take_while(space).count()..).unwrap_or_default();
        let comma: &[u8] = if rest.starts_with(b"}") { b"" } else { b"," };
        let _infallible = self.0.write_all(comma);
        let _infallible = self.0.write_all(rest);
        self.0
    }
}

impl crate::Code {
    /// The REST-JSON body: `{"message":…}`. The name goes into a header.
    pub fn rest(&self, message: &str) -> Body {
        let mut body = Body::with_capacity(16 + message.len());
        let _infallible = body.write_all(b"{\"message\":");
        let _infallible = serde_json::to_writer(&mut body, message);
        let _infallible = body.write_all(b"}");
        body
    }

    /// The same in the manner of Lambda: `{"Type":"User","Message":…}`.
    pub fn rest_pascal(&self, message: &str) -> Body {
        let mut body = Body::with_capacity(40 + message.len());
        let whose = if self.status < 500 { "User" } else { "Service" };
        let member = if self.member == Member::Lower { "message" } else { "Message" };
        let _infallible = write!(body, "{{\"Type\":\"{whose}\",\"{member}\":");
        let _infallible = serde_json::to_writer(&mut body, message);
        let _infallible = body.write_all(b"}");
        body
    }
}

const ESCAPE: &str = "The request has a malformed percent escape.";
const NOT_UTF8: &str = "The request is not UTF-8.";
const OTHER_PATH: &str = "The path is not this operation's.";
const TOO_MANY: &str = "The request has more than 300 parameters.";
/// Enough for two ARNs, each character escaped.
const LONGEST_PATH: usize = 8192;
const MOST_PARAMETERS: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    const ONE: Binding = Binding::new("GET", "/crl/{crlId}/x")
        .with_query(&[
            ("size", Kind::Integer),
            ("all", Kind::Boolean),
            ("keys", Kind::List),
            ("name", Kind::Text),
        ])
        .with_headers(&[("x-cert", "cert")]);

    fn gathered(path: &str, query: &str, body: &str) -> String {
        let header = |name: &str| (name == "x-cert").then_some(&b" MII= "[..]);
        match ONE.gather(Head { path, query, header: &header }, body.as_bytes()) {
            Ok(body) => String::from_utf8_lossy(body.as_slice()).into_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn all_places_make_one_object() {
        let path = "/crl/a%3Ab%2Fc/x";
        let head = r#"{"crlId":"a:b/c","cert":"MII=""#;
        for (query, body, expected) in [
            ("", "", format!("{head}}}")),
            ("", "{}", format!("{head}}}")),
            ("", " { \n}", format!("{head}}}")),
            ("", r#" {"a":1}"#, format!("{head},\"a\":1}}")),
            ("", "[1]", "[1]".to_owned()),
            ("", "x", "x".to_owned()),
            ("other=1", "", format!("{head}}}")),
        ] {
            assert_eq!(gathered(path, query, body), expected, "{query} {body}");
        }
        for (query, expected) in [
            ("size=007", r#""size":7"#),
            ("size=x", r#""size":"x""#),
            ("size=-1", r#""size":-1"#),
            ("all=true", r#""all":true"#),
            ("all=yes", r#""all":"yes""#),
            ("keys=a&keys=b%26", r#""keys":["a","b&"]"#),
            ("name=a+%22b", r#""name":"a \"b""#),
            ("name=a&name=b", r#""name":"a","name":"b""#),
            ("name", r#""name":"""#),
        ] {
            let found = gathered(path, query, "");
            assert!(found.contains(expected), "{query}: {found}");
        }
    }

    #[test]
    fn a_payload_is_one_member() {
        const WHOLE: Binding = Binding::new("POST", "/f/{Name}/x").with_payload("Payload");
        let head = Head { path: "/f/a/x", query: "", header: &|_| None };
        for (body, expected) in [
            (&b""[..], r#"{"Name":"a"}"#),
            (b"{\"a\":1}", r#"{"Name":"a","Payload":"eyJhIjoxfQ=="}"#),
            (b"\xff", r#"{"Name":"a","Payload":"/w=="}"#),
        ] {
            let found = WHOLE.gather(head, body).expect("bound");
            assert_eq!(found.as_slice(), expected.as_bytes());
        }
    }

    #[test]
    fn what_is_malformed_is_told_without_it() {
        let many = "a&".repeat(301);
        for (path, query, expected) in [
            ("/crl/%/x", "", ESCAPE),
            ("/crl/%4/x", "", ESCAPE),
            ("/crl/%zz/x", "", ESCAPE),
            ("/crl/%ff/x", "", NOT_UTF8),
            ("/crl/a/x", "name=%+1", ESCAPE),
            ("/crl/a/x", "%ff=1", NOT_UTF8),
            ("/crl/a/y", "", OTHER_PATH),
            ("/crl/a/x", many.as_str(), TOO_MANY),
        ] {
            assert_eq!(gathered(path, query, ""), expected, "{path}?{query}");
        }
    }

    #[test]
    fn paths_match_segment_by_segment() {
        for (path, expected) in [
            ("/crl/a/x", true),
            ("/crl/a%2Fb/x", true),
            ("/crl//x", false),
            ("/crl/a", false),
            ("/crl/a/x/", false),
            ("/crl/a/b/x", false),
            ("/CRL/a/x", false),
            ("crl/a/x", false),
            ("", false),
        ] {
            assert_eq!(ONE.matches(path), expected, "{path}");
        }
        assert!(!ONE.matches(&format!("/crl/{}/x", "a".repeat(9000))));
    }

    #[test]
    fn a_member_in_two_places_is_given_twice() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[expect(dead_code, reason = "only binding is tested")]
        struct Sample {
            crl_id: Option<crate::members::Text>,
        }
        let body = gathered("/crl/a/x", "", r#"{"crlId":"b"}"#);
        assert!(json::decode::<Sample>(body.as_bytes()).is_err());
    }
}
