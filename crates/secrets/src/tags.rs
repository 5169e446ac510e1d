//! Tags: their rules, and their form on the wire.

use crate::Error;
use crate::limits::{TAG_KEY, TAG_VALUE, TAGS_PER_SECRET};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wire::Violations;
use wire::members::{List, Structure, Text};

/// A tag in a request.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub(crate) struct TagGiven {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Text>,
}

/// Tags in a request.
pub(crate) type TagsGiven = List<Structure<TagGiven>>;

/// A tag in an answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TagShown {
    key: String,
    value: String,
}

/// The model's constraints on each tag.
pub(crate) fn constraints(found: &mut Violations, tags: Option<&TagsGiven>) {
    for (index, Structure(tag)) in tags.map_or(&[][..], List::as_slice).iter().enumerate() {
        let path = format!("tags.{}.member", index + 1);
        found.length(&format!("{path}.key"), tag.key.as_ref(), TAG_KEY);
        found.length(&format!("{path}.value"), tag.value.as_ref(), TAG_VALUE);
    }
}

/// `current` with `given` added; a key that is there gets the new value, the last of two wins.
pub(crate) fn merged(
    current: Option<&BTreeMap<String, String>>,
    given: &TagsGiven,
) -> Result<BTreeMap<String, String>, Error> {
    let mut tags = current.cloned().unwrap_or_default();
    for Structure(tag) in given.as_slice() {
        let key = tag.key.as_ref().ok_or_else(|| parameter("Tag keys can't be empty."))?;
        let value = tag.value.as_ref().map(Text::as_str).unwrap_or_default();
        check(key.as_str(), value)?;
        tags.insert(key.as_str().to_owned(), value.to_owned());
    }
    if tags.len() > TAGS_PER_SECRET {
        return Err(parameter("You can't attach more than 50 tags to a secret."));
    }
    Ok(tags)
}

/// Tags as an answer shows them.
pub(crate) fn shown(tags: &BTreeMap<String, String>) -> Vec<TagShown> {
    tags.iter().map(|(key, value)| TagShown { key: key.clone(), value: value.clone() }).collect()
}

fn check(key: &str, value: &str) -> Result<(), Error> {
    let reserved = |text: &str| text.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("aws:"));
    if reserved(key) {
        return Err(parameter("Tag keys can't start with aws:. That prefix is reserved."));
    }
    let allowed = |it: char| it.is_alphanumeric() || it.is_whitespace() || "_.:/=+-@".contains(it);
    if !key.chars().chain(value.chars()).all(allowed) {
        return Err(parameter(
            "Tag keys and values can contain only letters, numbers, spaces, and _.:/=+-@.",
        ));
    }
    Ok(())
}

fn parameter(text: &str) -> Error {
    Error::Parameter(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(json: &str) -> TagsGiven {
        serde_json::from_str(json).expect("tags")
    }

    #[test]
    fn upserts_by_key_and_the_last_wins() {
        let current = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
        let tags = given(
            r#"[{"Key":"a","Value":"2"},{"Key":"b","Value":"1"},{"Key":"b"},{"Key":"é ñ","Value":"_.:/=+-@"}]"#,
        );
        let merged = merged(Some(&current), &tags).expect("fits");
        let shown: Vec<_> = merged.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(shown, ["a=2", "b=", "é ñ=_.:/=+-@"]);
    }

    #[test]
    fn reserved_odd_and_too_many_are_refused() {
        let many: Vec<_> = (0..51).map(|it| format!(r#"{{"Key":"k{it}"}}"#)).collect();
        for json in [
            r#"[{"Key":"aws:x"}]"#.to_owned(),
            r#"[{"Key":"AWS:x"}]"#.to_owned(),
            r#"[{"Key":"a*"}]"#.to_owned(),
            r#"[{"Key":"a","Value":"<"}]"#.to_owned(),
            r#"[{"Value":"a"}]"#.to_owned(),
            format!("[{}]", many.join(",")),
        ] {
            assert!(merged(None, &given(&json)).is_err(), "{json}");
        }
        let fifty = format!("[{}]", many[..50].join(","));
        assert!(merged(None, &given(&fifty)).is_ok());
    }
}
