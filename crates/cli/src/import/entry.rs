//! One secret to make: its members, and what they must be.

use base::Sensitive;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;
use std::ops::RangeInclusive;
use wire::members::{Blob, List, SecretText, Structure, Text};

/// A secret to make, checked as far as that goes without the server.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) value: Value,
    pub(crate) description: Option<String>,
    pub(crate) kms_key_id: Option<String>,
    pub(crate) tags: Vec<Tag>,
}

/// A secret's value.
#[derive(Debug)]
pub(crate) enum Value {
    /// `SecretBinary`, decoded.
    Binary(Sensitive),
    /// `SecretString`, UTF-8.
    String(Sensitive),
}

/// A tag, in its form on the wire.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// Why a line makes no secret. Never quotes the line: anything in it may be a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("a quote is closed before the end of the line")]
    AfterQuote,
    #[error("not `NAME=value`")]
    Assignment,
    #[error("both SecretString and SecretBinary; a secret has one")]
    BothValues,
    #[error("the name stands in line {0} already")]
    Duplicate(u64),
    #[error("{member} has {length} {unit}; {least} to {most} are possible")]
    Length { member: &'static str, unit: &'static str, length: usize, least: usize, most: usize },
    #[error("Name has characters besides letters, digits and -/_+=.@!")]
    Name,
    #[error("no {0}")]
    Missing(&'static str),
    #[error("not JSON from byte {0} on")]
    NotJson(usize),
    #[error("not UTF-8")]
    NotText,
    #[error("a quote isn't closed; a value of several lines needs JSON")]
    OpenQuote,
    #[error(
        "not an object of Name, SecretString or SecretBinary (base64), Description, KmsKeyId and \
         Tags, each once and of its type"
    )]
    Shape,
    #[error("longer than {} bytes", super::source::LONGEST)]
    TooLong,
}

/// The members as they are written.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Written {
    name: Option<Text>,
    secret_string: Option<SecretText>,
    secret_binary: Option<Blob>,
    description: Option<Text>,
    kms_key_id: Option<Text>,
    tags: Option<List<Structure<TagWritten>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TagWritten {
    key: Option<Text>,
    value: Option<Text>,
}

impl Entry {
    /// Reads a JSON object. The name is given with the fault where it is known and could be one.
    pub(crate) fn from_json(json: &[u8], prefix: &str) -> Result<Self, (Option<String>, Fault)> {
        let Structure(written): Structure<Written> =
            serde_json::from_slice(json).map_err(|error| match error.classify() {
                Category::Data => (None, Fault::Shape),
                Category::Eof | Category::Io | Category::Syntax => {
                    (None, Fault::NotJson(error.column()))
                }
            })?;
        let Some(name) = &written.name else { return Err((None, Fault::Missing("Name"))) };
        let name = format!("{prefix}{}", name.as_str());
        check_name(&name).map_err(|fault| (None, fault))?;
        Self::named(name.clone(), &written).map_err(|fault| (Some(name), fault))
    }

    /// A secret of a text alone.
    pub(crate) fn of_text(name: String, value: Sensitive) -> Result<Self, (Option<String>, Fault)> {
        check_name(&name).map_err(|fault| (None, fault))?;
        if let Err(fault) = length("the value", "bytes", value.len(), VALUE) {
            return Err((Some(name), fault));
        }
        let value = Value::String(value);
        Ok(Self { name, value, description: None, kms_key_id: None, tags: Vec::new() })
    }

    fn named(name: String, written: &Written) -> Result<Self, Fault> {
        let value = value(written.secret_string.as_ref(), written.secret_binary.as_ref())?;
        let text = |member, it: &Option<Text>, most| {
            let text = it.as_ref().map(|it| it.as_str().to_owned());
            let characters = text.as_deref().map_or(0, |it| it.chars().count());
            length(member, "characters", characters, 0..=most).map(|()| text)
        };
        let description = text("Description", &written.description, DESCRIPTION)?;
        let kms_key_id = text("KmsKeyId", &written.kms_key_id, KMS_KEY_ID)?;
        let tags = written.tags.as_ref().map_or(&[][..], List::as_slice);
        length("Tags", "tags", tags.len(), 0..=TAGS)?;
        let tags = tags.iter().map(|Structure(it)| tag(it)).collect::<Result<_, _>>()?;
        Ok(Self { name, value, description, kms_key_id, tags })
    }
}

impl Value {
    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Binary(it) | Self::String(it) => it.expose(),
        }
    }
}

fn value(string: Option<&SecretText>, binary: Option<&Blob>) -> Result<Value, Fault> {
    let value = match (string, binary) {
        (Some(_), Some(_)) => return Err(Fault::BothValues),
        (None, None) => return Err(Fault::Missing("SecretString or SecretBinary")),
        (Some(it), None) => Value::String(Sensitive::from(it.value().expose())),
        (None, Some(it)) => Value::Binary(Sensitive::from(it.value().expose())),
    };
    length("the value", "bytes", value.bytes().len(), VALUE)?;
    Ok(value)
}

fn tag(written: &TagWritten) -> Result<Tag, Fault> {
    let text = |it: &Option<Text>| it.as_ref().map(|it| it.as_str().to_owned());
    let key = text(&written.key).unwrap_or_default();
    let value = text(&written.value).unwrap_or_default();
    length("a tag's Key", "characters", key.chars().count(), TAG_KEY)?;
    length("a tag's Value", "characters", value.chars().count(), TAG_VALUE)?;
    Ok(Tag { key, value })
}

fn check_name(name: &str) -> Result<(), Fault> {
    let valid = |it: u8| it.is_ascii_alphanumeric() || b"-/_+=.@!".contains(&it);
    if !name.bytes().all(valid) {
        return Err(Fault::Name);
    }
    length("Name", "characters", name.len(), NAME)
}

fn length(
    member: &'static str,
    unit: &'static str,
    length: usize,
    possible: RangeInclusive<usize>,
) -> Result<(), Fault> {
    if possible.contains(&length) {
        return Ok(());
    }
    let (least, most) = possible.into_inner();
    Err(Fault::Length { member, unit, length, least, most })
}

// Source: the service's model, `NameType` and so on; the quotas page for tags.
const NAME: RangeInclusive<usize> = 1..=512;
const VALUE: RangeInclusive<usize> = 1..=65_536;
const DESCRIPTION: usize = 2048;
const KMS_KEY_ID: usize = 2048;
const TAGS: usize = 50;
const TAG_KEY: RangeInclusive<usize> = 1..=128;
const TAG_VALUE: RangeInclusive<usize> = 0..=256;

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "canary-of-a-line-77f1";

    #[test]
    fn a_line_is_a_secret_or_a_fact() {
        let long = "x".repeat(65_537);
        #[rustfmt::skip]
        let cases = [
            (r#"{"Name":"a/b","SecretString":"v"}"#,                            None),
            (r#"{"Name":"a/b","SecretBinary":"AAE=","Description":null}"#,      None),
            (r#"{"Name":"a","SecretString":"v","Tags":[{"Key":"k"}]}"#,         None),
            (r#"{"Name":"a","SecretString":"CANARY"#,                           Some("not JSON from byte")),
            (r#"{"SecretString":"CANARY"}"#,                                    Some("no Name")),
            (r#"{"Name":"a"}"#,                                                 Some("no SecretString")),
            (r#"{"Name":"","SecretString":"CANARY"}"#,                          Some("Name has 0 characters")),
            (r#"{"Name":"CANARY b","SecretString":"CANARY"}"#,                  Some("Name has characters")),
            (r#"{"Name":"a","SecretString":""}"#,                               Some("the value has 0 bytes")),
            (r#"{"Name":"a","SecretString":"CANARY","SecretBinary":"AAE="}"#,   Some("both")),
            (r#"{"Name":"a","SecretString":"CANARY","SecretString":"CANARY"}"#, Some("not an object of")),
            (r#"{"Name":"a","SecretBinary":"CANARY"}"#,                         Some("not an object of")),
            (r#"{"Name":"a","SecretString":["CANARY"]}"#,                       Some("not an object of")),
            (r#"{"Name":"a","CANARY":"CANARY"}"#,                               Some("not an object of")),
            (r#""CANARY""#,                                                     Some("not an object of")),
            (r#"["a","CANARY",null,null,null,null]"#,                           Some("not an object of")),
            (r#"{"Name":"a","SecretString":"CANARY","Tags":[{"Value":"k"}]}"#,  Some("a tag's Key has 0")),
            (r#"{"Name":"a","SecretString":"LONG"}"#,                           Some("the value has 65537 bytes")),
        ];
        for (json, expected) in cases {
            let json = json.replace("CANARY", CANARY).replace("LONG", &long);
            let told = Entry::from_json(json.as_bytes(), "").err().map(|it| it.1.to_string());
            match (&told, expected) {
                (Some(told), Some(expected)) => assert!(told.starts_with(expected), "{told}"),
                (told, expected) => assert_eq!(told.as_deref(), expected, "{json:.99}"),
            }
            assert!(!told.is_some_and(|it| it.contains(CANARY)), "{json:.99}");
        }
    }

    #[test]
    fn a_fault_carries_the_name_it_belongs_to() {
        let told = Entry::from_json(br#"{"Name":"b"}"#, "a/").expect_err("no value");
        assert_eq!(told.0.as_deref(), Some("a/b"));
    }

    #[test]
    fn debug_shows_no_value() {
        let json = format!(r#"{{"Name":"a","SecretString":"{CANARY}"}}"#);
        let entry = Entry::from_json(json.as_bytes(), "").expect("a secret");
        assert!(!format!("{entry:?}").contains(CANARY));
    }
}
