//! awsJson 1.1: request bodies in, response bodies out.

use crate::Body;
use crate::members::Structure;
use base::{Sensitive, Timestamp};
use base64::Engine as _;
use serde::de::DeserializeOwned;
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::RawValue;

/// The content type of every awsJson 1.1 request and answer.
pub const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// A body that can't be bound to the operation's types. Holds the message for the wire.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Serialization(String);

/// Binds `body` to `T`. An empty body is an empty object.
///
/// Unknown members are skipped, however deep; a repeated one is refused, as is anything after the
/// object.
///
/// # Errors
///
/// [`Serialization`] with a message that never quotes the body.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Serialization> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice::<Structure<T>>(body).map(|it| it.0).map_err(|error| {
        let message = error.to_string();
        // Only our own texts may leave; the library's may quote what it found.
        let ours =
            ["can not be converted to", "found where not expected.", "Invalid Base64 value."];
        let text = message.split(" at line ").next().unwrap_or_default();
        Serialization(match error.classify() {
            serde_json::error::Category::Data
                if ours.iter().any(|it| text.ends_with(it) || text.contains("_VALUE can not")) =>
            {
                text.to_owned()
            }
            serde_json::error::Category::Data => {
                "Unexpected value found in the request body.".to_owned()
            }
            _ => "The request body is not valid JSON.".to_owned(),
        })
    })
}

/// Writes `output` as one JSON object, with room for `expected` bytes from the start.
pub fn encode<T: Serialize>(output: &T, expected: usize) -> Result<Body, serde_json::Error> {
    let mut body = Body::with_capacity(expected);
    serde_json::to_writer(&mut body, output)?;
    Ok(body)
}

/// An instant as the service prints it: seconds as a Java double, `1.790456648967E9`.
pub fn instant<S: Serializer>(at: &Timestamp, out: S) -> Result<S::Ok, S::Error> {
    let raw = RawValue::from_string(java_double(at.millis())).map_err(S::Error::custom)?;
    raw.serialize(out)
}

/// The same for a member that may be left out.
pub fn instant_option<S: Serializer>(at: &Option<Timestamp>, out: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => instant(at, out),
        None => out.serialize_none(),
    }
}

/// A secret text, written straight into the response.
pub fn secret_text<S: Serializer>(value: &Sensitive, out: S) -> Result<S::Ok, S::Error> {
    let text = str::from_utf8(value.expose()).map_err(|_| S::Error::custom("not UTF-8"))?;
    out.serialize_str(text)
}

/// Secret bytes, as base64.
pub fn blob<S: Serializer>(value: &Sensitive, out: S) -> Result<S::Ok, S::Error> {
    let encoded = base64::engine::general_purpose::STANDARD.encode(value.expose());
    let encoded = Sensitive::from(encoded);
    secret_text(&encoded, out)
}

/// `millis` / 1000 as `Double.toString` prints it: plain from 10⁻³ to 10⁷, else with an exponent.
fn java_double(millis: i64) -> String {
    let (whole, part) = (millis / 1000, (millis % 1000).unsigned_abs());
    let sign = if millis < 0 { "-" } else { "" };
    let whole = whole.unsigned_abs();
    if whole < 10_000_000 {
        let digits = format!("{part:03}");
        let digits = digits.trim_end_matches('0');
        return format!("{sign}{whole}.{}", if digits.is_empty() { "0" } else { digits });
    }
    // As digits, the milliseconds are the seconds with three more.
    let digits = millis.unsigned_abs().to_string();
    let (first, rest) = digits.split_at(1);
    let rest = rest.trim_end_matches('0');
    let exponent = digits.len() - 4;
    format!("{sign}{first}.{}E{exponent}", if rest.is_empty() { "0" } else { rest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::members::{Blob, Boolean, Instant, Integer, List, SecretText, Text};
    use serde::Deserialize;

    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    #[expect(dead_code, reason = "only binding is tested")]
    struct Sample {
        secret_id: Option<Text>,
        secret_string: Option<SecretText>,
        secret_binary: Option<Blob>,
        max_results: Option<Integer>,
        force: Option<Boolean>,
        valid_to: Option<Instant>,
        stages: Option<List<Text>>,
        tags: Option<List<Structure<Tag>>>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    #[expect(dead_code, reason = "only binding is tested")]
    struct Tag {
        key: Option<Text>,
        value: Option<Text>,
    }

    #[test]
    fn binds_types_and_refuses_others() {
        let structure = "Start of structure or map found where not expected.";
        let list = "Start of list found where not expected.";
        let invalid = "The request body is not valid JSON.";
        let unexpected = "Unexpected value found in the request body.";
        #[rustfmt::skip]
        let cases = [
            ("",                                        Ok(())),
            ("{}",                                      Ok(())),
            (r#"{"SecretId":null}"#,                    Ok(())),
            (r#"{"SecretId":"a","Unknown":[{"x":1}]}"#, Ok(())),
            (r#"{"Stages":["a",null]}"#,                Ok(())),
            (r#"{"Tags":[{"Key":"k"}]}"#,               Ok(())),
            (r#"{"SecretId":{}}"#,                      Err(structure)),
            (r#"{"SecretId":[]}"#,                      Err(list)),
            (r#"{"SecretId":1}"#,                       Err("NUMBER_VALUE can not be converted to a String")),
            (r#"{"SecretId":true}"#,                    Err("TRUE_VALUE can not be converted to a String")),
            (r#"{"SecretString":{"a":1}}"#,             Err(structure)),
            (r#"{"SecretBinary":"*"}"#,                 Err("Invalid Base64 value.")),
            (r#"{"MaxResults":"1"}"#,                   Err("STRING_VALUE can not be converted to a Long")),
            (r#"{"MaxResults":1.5}"#,                   Err("NUMBER_VALUE can not be converted to a Long")),
            (r#"{"MaxResults":18446744073709551615}"#,  Err("NUMBER_VALUE can not be converted to a Long")),
            (r#"{"Force":"true"}"#,                     Err("STRING_VALUE can not be converted to a Boolean")),
            (r#"{"ValidTo":1769853600}"#,               Ok(())),
            (r#"{"ValidTo":1.7698536005E9}"#,           Ok(())),
            (r#"{"ValidTo":-1}"#,                       Err("NUMBER_VALUE can not be converted to a Date")),
            (r#"{"ValidTo":1e300}"#,                    Err("NUMBER_VALUE can not be converted to a Date")),
            (r#"{"ValidTo":18446744073709551615}"#,     Err("NUMBER_VALUE can not be converted to a Date")),
            (r#"{"ValidTo":"2026-01-31"}"#,             Err("STRING_VALUE can not be converted to a Date")),
            (r#"{"Stages":"a"}"#,                       Err("STRING_VALUE can not be converted to a List")),
            (r#"{"Stages":{}}"#,                        Err(structure)),
            (r#"{"Tags":[["k","v"]]}"#,                 Err(list)),
            (r#"["a"]"#,                                Err(list)),
            (r#""canary""#,                             Err("STRING_VALUE can not be converted to a structure")),
            (r#"{"SecretId":"a","SecretId":"b"}"#,      Err(unexpected)),
            ("{",                                       Err(invalid)),
            ("{} x",                                    Err(invalid)),
        ];
        for (body, expected) in cases {
            let bound = decode::<Sample>(body.as_bytes());
            let expected = expected.map_err(|it| Serialization(it.to_owned()));
            assert_eq!(bound.map(drop), expected, "{body}");
        }
        assert!(decode::<Sample>(b"{\"SecretId\":\"\xff\"}").is_err());
        let deep = format!("{{\"Unknown\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
        assert!(decode::<Sample>(deep.as_bytes()).is_ok(), "skipped without recursion");
        let deep = deep.replace("Unknown", "Tags");
        assert!(decode::<Sample>(deep.as_bytes()).is_err());
    }

    #[test]
    fn messages_never_quote_the_body() {
        for body in [r#"{"SecretString":canary}"#, r#"{"canary"#, r#"{"Force":"canary"}"#] {
            let error = decode::<Sample>(body.as_bytes()).expect_err("malformed");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }

    #[test]
    fn instants_look_like_java_doubles() {
        for (millis, text) in [
            (1_790_456_648_967, "1.790456648967E9"),
            (1_790_467_200_000, "1.7904672E9"),
            (1_000_000_000_000, "1.0E9"),
            (9_999_999_500, "9999999.5"),
            (0, "0.0"),
            (-1_500, "-1.5"),
        ] {
            assert_eq!(java_double(millis), text);
        }
    }
}
