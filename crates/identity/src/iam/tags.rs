//! Tags: what a call gives, and what an entity has.
//!
//! Names are unique whatever their case; their order stays.
//! Source: IAM User Guide, "Tags for AWS Identity and Access Management resources".

use crate::iam::Error;
use crate::iam::page::{Ask, Page};
use policy::engine::Values;
use serde::Serialize;
use service::context::request_tags;
use service::input;
use wire::Violations;
use wire::members::{List, Text};

input! {
    /// A tag as a call gives it.
    pub struct TagGiven {
        key: Text,
        value: Text,
    }
}

/// The tags that a call gives.
pub(crate) type TagsGiven = List<TagGiven>;

/// What is kept of tags: names and values, in the order they were given.
pub(crate) type Tags = Vec<(String, String)>;

/// A tag as a list shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    key: String,
    value: String,
}

/// The most tags of one entity.
const MOST: usize = 50;
const LETTERS: &str = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]";

/// The tags as a list shows them.
pub(crate) fn shown(tags: &[(String, String)]) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}

/// The model's constraints for tags.
pub(crate) fn constraints(found: &mut Violations, given: Option<&TagsGiven>) {
    let name = |it: &TagGiven| it.key.as_ref().map_or_else(String::new, |it| it.as_str().into());
    found.count("tags", given, 0..=MOST, name);
    for (index, tag) in given.map_or(&[][..], List::as_slice).iter().take(MOST).enumerate() {
        let (key, value) = (tag.key.as_ref(), tag.value.as_ref());
        let path = format!("tags.{}.member.key", index + 1);
        found.required(&path, key);
        found.length(&path, key, 1..=128);
        found.pattern(&path, key, &format!("{LETTERS}+"), is_of_tag);
        let path = format!("tags.{}.member.value", index + 1);
        found.required(&path, value);
        found.length(&path, value, 0..=256);
        found.pattern(&path, value, &format!("{LETTERS}*"), is_of_tag);
    }
}

/// The model's constraints for names of tags that are taken away.
pub(crate) fn key_constraints(found: &mut Violations, keys: Option<&List<Text>>) {
    found.required("tagKeys", keys);
    found.count("tagKeys", keys, 0..=MOST, |it| it.as_str().to_owned());
    found.each("tagKeys", keys, 1..=128);
}

fn is_of_tag(text: &str) -> bool {
    text.chars().all(|it| it.is_alphanumeric() || it.is_whitespace() || "_.:/=+-@".contains(it))
}

/// `aws:RequestTag/…` and `aws:TagKeys`, of a call that gives tags.
pub(crate) fn condition<'a>(given: Option<&'a TagsGiven>, key: &str) -> Option<Values<'a>> {
    let pair = |it: &'a TagGiven| {
        Some((it.key.as_ref()?.as_str(), it.value.as_ref().map_or("", Text::as_str)))
    };
    request_tags(given.map(|it| it.as_slice().iter().filter_map(pair)), key)
}

/// `tags` with those `given`, which take the place of those of the same name.
///
/// # Errors
///
/// A name is given twice, or belongs to AWS, or there are too many.
pub(crate) fn merged(tags: &Tags, given: Option<&TagsGiven>) -> Result<Tags, Error> {
    let mut merged = tags.clone();
    let mut names: Vec<&str> = Vec::new();
    for tag in given.map_or(&[][..], List::as_slice) {
        let key = tag.key.as_ref().map_or("", Text::as_str);
        let value = tag.value.as_ref().map_or("", Text::as_str).to_owned();
        if names.iter().any(|it| it.eq_ignore_ascii_case(key)) {
            return Err(Error::Input(TWICE));
        }
        if key.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("aws:")) {
            return Err(Error::Input(RESERVED));
        }
        names.push(key);
        match merged.iter_mut().find(|it| it.0.eq_ignore_ascii_case(key)) {
            Some(tag) => *tag = (key.to_owned(), value),
            None => merged.push((key.to_owned(), value)),
        }
    }
    if merged.len() > MOST {
        return Err(Error::Limit("The number of tags has reached the maximum limit.".to_owned()));
    }
    Ok(merged)
}

const TWICE: &str = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
const RESERVED: &str =
    "System tags cannot be added/updated/deleted. Tag keys must not begin with aws:";

/// `tags` without those named.
pub(crate) fn without(tags: &Tags, keys: Option<&List<Text>>) -> Tags {
    let keys = keys.map_or(&[][..], List::as_slice);
    let named = |name: &str| keys.iter().any(|it| it.as_str().eq_ignore_ascii_case(name));
    tags.iter().filter(|it| !named(&it.0)).cloned().collect()
}

/// The page of `tags`, in their order.
pub(crate) fn page(tags: &Tags, ask: Ask<'_>) -> Result<Page<Tag>, Error> {
    let positions: Vec<String> = (0..tags.len()).map(|it| format!("{it:03}")).collect();
    ask.of_items(positions.iter().map(String::as_str).zip(shown(tags)))
}

/// The value of the tag `name`, which has no case.
pub(crate) fn value<'a>(tags: &'a [(String, String)], name: &str) -> Option<&'a str> {
    tags.iter().find(|it| it.0.eq_ignore_ascii_case(name)).map(|it| it.1.as_str())
}
