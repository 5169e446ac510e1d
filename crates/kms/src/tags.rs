//! Tags: their rules, and their form on the wire.
//!
//! Source: KMS API Reference, `Tag`; recorded answers.

use crate::exception::Exception;
use crate::limits::{TAG_KEY, TAG_VALUE, TAGS_PER_KEY};
use policy::engine::Values;
use serde::{Deserialize, Serialize};
use service::context::request_tags;
use std::collections::{BTreeMap, BTreeSet};
use wire::Violations;
use wire::members::{List, Structure, Text};

/// A tag in a request.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub(crate) struct TagGiven {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tag_key: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tag_value: Option<Text>,
}

/// Tags in a request.
pub(crate) type TagsGiven = List<Structure<TagGiven>>;

/// A tag in an answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TagShown {
    pub(crate) tag_key: String,
    pub(crate) tag_value: String,
}

/// The model's constraints on each tag.
pub(crate) fn constraints(found: &mut Violations, tags: Option<&TagsGiven>) {
    for (index, Structure(tag)) in tags.map_or(&[][..], List::as_slice).iter().enumerate() {
        let path = format!("tags.{}.member", index + 1);
        let (key, value) = (format!("{path}.tagKey"), format!("{path}.tagValue"));
        found.required(&key, tag.tag_key.as_ref());
        found.length(&key, tag.tag_key.as_ref(), TAG_KEY);
        found.required(&value, tag.tag_value.as_ref());
        found.length(&value, tag.tag_value.as_ref(), TAG_VALUE);
    }
}

/// `aws:RequestTag/…` and `aws:TagKeys`, of a call that takes tags.
pub(crate) fn condition<'a>(given: Option<&'a TagsGiven>, key: &str) -> Option<Values<'a>> {
    request_tags(given.map(|it| pairs(it.as_slice())), key)
}

/// `current` with `given` added; a key that is there gets the new value.
pub(crate) fn merged(
    current: &BTreeMap<String, String>,
    given: Option<&TagsGiven>,
) -> Result<BTreeMap<String, String>, Exception> {
    let given = given.map_or(&[][..], List::as_slice);
    let mut tags = current.clone();
    let mut seen = BTreeSet::new();
    for (key, value) in pairs(given) {
        if key.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("aws:")) {
            return Err(Exception::Tag("Tags beginning with aws: are reserved"));
        }
        if !seen.insert(key) {
            return Err(Exception::Tag("Duplicate tag keys"));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    if tags.len() > TAGS_PER_KEY {
        return Err(Exception::Tag("Too many tags"));
    }
    Ok(tags)
}

fn pairs(given: &[Structure<TagGiven>]) -> impl Iterator<Item = (&str, &str)> {
    fn text(given: Option<&Text>) -> &str {
        given.map(Text::as_str).unwrap_or_default()
    }
    given.iter().map(|Structure(it)| (text(it.tag_key.as_ref()), text(it.tag_value.as_ref())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_double_and_too_many_are_refused() {
        let many: Vec<_> =
            (0..51).map(|it| format!(r#"{{"TagKey":"k{it}","TagValue":""}}"#)).collect();
        let current = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
        #[rustfmt::skip]
        let cases = [
            (r#"[{"TagKey":"a","TagValue":"2"}]"#.to_owned(), Ok("2")),
            (r#"[{"TagKey":"AWS:x","TagValue":"2"}]"#.to_owned(), Err("Tags beginning with aws: are reserved")),
            (r#"[{"TagKey":"b","TagValue":"2"},{"TagKey":"b","TagValue":"2"}]"#.to_owned(), Err("Duplicate tag keys")),
            (format!("[{}]", many.join(",")), Err("Too many tags")),
        ];
        for (json, expected) in cases {
            let given: TagsGiven = serde_json::from_str(&json).expect("tags");
            let tags = merged(&current, Some(&given)).map_err(|it| it.to_string());
            let value = tags.as_ref().map(|it| it["a"].as_str()).map_err(String::as_str);
            assert_eq!(value, expected, "{json}");
        }
    }
}
