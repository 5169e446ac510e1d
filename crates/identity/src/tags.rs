//! Tags as calls give them, to entities and to sessions alike.
//!
//! Names are unique whatever their case.
//! Source: IAM User Guide, "Tags for AWS Identity and Access Management resources".

use policy::engine::Values;
use service::context::request_tags;
use service::input;
use wire::Violations;
use wire::members::{List, Text};

input! {
    /// A tag as a call gives it.
    pub struct Tag {
        key: Text,
        value: Text,
    }
}

/// The most tags of one entity or session.
pub(crate) const MOST: usize = 50;
/// What is said of a name that is given twice.
pub(crate) const TWICE: &str =
    "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
const LETTERS: &str = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]";

impl Tag {
    /// Its name; empty if none is given.
    pub(crate) fn name(&self) -> &str {
        self.key.as_ref().map_or("", Text::as_str)
    }

    /// Its value; empty if none is given.
    pub(crate) fn value(&self) -> &str {
        self.value.as_ref().map_or("", Text::as_str)
    }
}

/// The model's constraints for tags.
pub(crate) fn constraints(found: &mut Violations, tags: Option<&List<Tag>>) {
    found.count("tags", tags, 0..=MOST, |it| it.name().to_owned());
    for (index, tag) in slice(tags).iter().take(MOST).enumerate() {
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

/// `aws:RequestTag/…` and `aws:TagKeys`, of a call that gives tags.
pub(crate) fn condition<'a>(tags: Option<&'a List<Tag>>, key: &str) -> Option<Values<'a>> {
    request_tags(tags.map(|it| it.as_slice().iter().map(|it| (it.name(), it.value()))), key)
}

/// Whether the name belongs to AWS, so that nobody else gives it.
pub(crate) fn is_reserved(name: &str) -> bool {
    name.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("aws:"))
}

/// What is in `list`, if it is there.
pub(crate) fn slice<T>(list: Option<&List<T>>) -> &[T] {
    list.map_or(&[], List::as_slice)
}

pub(crate) fn is_of_tag(text: &str) -> bool {
    text.chars().all(|it| it.is_alphanumeric() || it.is_whitespace() || "_.:/=+-@".contains(it))
}
