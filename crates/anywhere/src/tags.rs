//! Tags: their rules, and their form on the wire.

use crate::Error;
use policy::engine::Values;
use serde::{Deserialize, Serialize};
use service::context::request_tags;
use std::collections::BTreeMap;
use wire::Violations;
use wire::members::{List, Structure, Text};

/// A tag in a request.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Tag {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<Text>,
}

/// Tags in a request.
pub(crate) type Tags = List<Structure<Tag>>;

/// The most tags of one resource.
const MOST: usize = 200;
const LETTERS: &str = "[ a-zA-Z0-9_.:/=+@-]*";

/// The model's constraints for tags.
pub(crate) fn constraints(found: &mut Violations, given: Option<&Tags>) {
    found.count("tags", given, 0..=MOST, |it| pair(it).0.to_owned());
    for (index, Structure(tag)) in slice(given).iter().take(MOST).enumerate() {
        let (key, value) = (tag.key.as_ref(), tag.value.as_ref());
        let path = format!("tags.{}.member.key", index + 1);
        found.required(&path, key);
        found.length(&path, key, 1..=128);
        found.pattern(&path, key, LETTERS, is_of_tag);
        let path = format!("tags.{}.member.value", index + 1);
        found.required(&path, value);
        found.length(&path, value, 0..=256);
        found.pattern(&path, value, LETTERS, is_of_tag);
    }
}

/// `aws:RequestTag/…` and `aws:TagKeys`, of a call that gives tags.
pub(crate) fn condition<'a>(given: Option<&'a Tags>, key: &str) -> Option<Values<'a>> {
    request_tags(given.map(|it| it.as_slice().iter().map(pair)), key)
}

/// Adds `given` to `tags`; a name that is there gets the new value.
pub(crate) fn add(tags: &mut BTreeMap<String, String>, given: Option<&Tags>) -> Result<(), Error> {
    for (name, value) in slice(given).iter().map(pair) {
        if name.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("aws:")) {
            return Err(Error::Invalid("Tag keys must not begin with aws:".to_owned()));
        }
        tags.insert(name.to_owned(), value.to_owned());
    }
    if tags.len() > MOST { Err(Error::TooManyTags) } else { Ok(()) }
}

fn pair(Structure(tag): &Structure<Tag>) -> (&str, &str) {
    fn text(it: Option<&Text>) -> &str {
        it.map_or("", Text::as_str)
    }
    (text(tag.key.as_ref()), text(tag.value.as_ref()))
}

fn slice(given: Option<&Tags>) -> &[Structure<Tag>] {
    given.map_or(&[], List::as_slice)
}

fn is_of_tag(text: &str) -> bool {
    text.bytes().all(|it| it.is_ascii_alphanumeric() || b" _.:/=+@-".contains(&it))
}
