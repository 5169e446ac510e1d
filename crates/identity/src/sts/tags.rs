//! Tags of sessions: those that a call hands over, and those that come along from a session before.

use super::Error;
use policy::engine::Values;
use serde::{Deserialize, Serialize};
use service::context::request_tags;
use service::{Action, Caller};
use std::collections::BTreeMap;
use wire::Violations;
use wire::members::{List, Text};

/// A tag as a call gives it.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub struct Tag {
    #[serde(default)]
    key: Option<Text>,
    #[serde(default)]
    value: Option<Text>,
}

/// The tags of a session to begin.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SessionTags {
    pub(super) tags: BTreeMap<String, String>,
    pub(super) transitive: Vec<String>,
}

/// What whoever hands over tags must be allowed to do.
pub(super) const ACTION: Action = Action("sts:TagSession");

/// The most tags of one session.
const MOST: usize = 50;
const LETTERS: &str = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]";

/// The model's constraints for tags.
pub(super) fn constraints(found: &mut Violations, tags: Option<&List<Tag>>) {
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

/// The model's constraints for names of tags.
pub(super) fn key_constraints(found: &mut Violations, keys: Option<&List<Text>>) {
    found.count("transitiveTagKeys", keys, 0..=MOST, |it| it.as_str().to_owned());
    found.each("transitiveTagKeys", keys, 1..=128);
}

/// `aws:RequestTag/…` and `aws:TagKeys`, of a call that gives tags.
pub(super) fn condition<'a>(tags: Option<&'a List<Tag>>, key: &str) -> Option<Values<'a>> {
    let pair = |it: &'a Tag| (it.name(), it.value.as_ref().map_or("", Text::as_str));
    request_tags(tags.map(|it| it.as_slice().iter().map(pair)), key)
}

/// Whether a session that `caller` begins with `given` has any tags.
pub(super) fn has_any(caller: &Caller, given: Option<&List<Tag>>) -> bool {
    !slice(given).is_empty() || inherited(caller).next().is_some()
}

/// The tags of a session that `caller` begins with `given`, of which those called `transitive` go on to
/// further sessions.
///
/// # Errors
///
/// A name is given twice, is not ours to give, comes along already, or is transitive and not given.
pub(super) fn of_session(
    caller: &Caller,
    given: Option<&List<Tag>>,
    transitive: Option<&List<Text>>,
) -> Result<SessionTags, Error> {
    let mut found = SessionTags::default();
    for tag in slice(given) {
        let name = tag.name();
        if find(found.tags.keys(), name).is_some() {
            return Err(Error::Parameter(TWICE));
        }
        if name.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("aws:")) {
            return Err(Error::Parameter(RESERVED));
        }
        let value = tag.value.as_ref().map_or("", Text::as_str);
        found.tags.insert(name.to_owned(), value.to_owned());
    }
    for name in slice(transitive) {
        let name = find(found.tags.keys(), name.as_str()).ok_or(Error::Parameter(NOT_GIVEN))?;
        if find(&found.transitive, name).is_none() {
            found.transitive.push(name.to_owned());
        }
    }
    for (name, value) in inherited(caller) {
        if find(found.tags.keys(), name).is_some() {
            return Err(Error::Parameter(OVERRIDDEN));
        }
        found.tags.insert(name.to_owned(), value.to_owned());
        found.transitive.push(name.to_owned());
    }
    Ok(found)
}

/// The tags that `caller`, if it is a role's session, hands over to every further one.
fn inherited(caller: &Caller) -> impl Iterator<Item = (&str, &str)> {
    let session = caller.session.iter();
    session.flat_map(|session| {
        let goes_on = |name: &str| find(&session.transitive, name).is_some();
        let tags = session.tags.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        tags.filter(move |it| goes_on(it.0))
    })
}

/// The name among `names` that is `name`, whatever the case.
fn find<'a>(names: impl IntoIterator<Item = &'a String>, name: &str) -> Option<&'a str> {
    names.into_iter().map(String::as_str).find(|it| is_same_name(it, name))
}

/// Names of tags have no case.
pub(super) fn is_same_name(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || one.to_lowercase() == other.to_lowercase()
}

fn slice<T>(list: Option<&List<T>>) -> &[T] {
    list.map_or(&[], List::as_slice)
}

fn is_of_tag(text: &str) -> bool {
    text.chars().all(|it| it.is_alphanumeric() || it.is_whitespace() || "_.:/=+-@".contains(it))
}

impl Tag {
    fn name(&self) -> &str {
        self.key.as_ref().map_or("", Text::as_str)
    }
}

const TWICE: &str = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
const RESERVED: &str = "Tag keys must not begin with aws:";
const NOT_GIVEN: &str = "The specified transitive tag key must be included in the requested tags.";
const OVERRIDDEN: &str = "One of the specified transitive tag keys can't be set because it \
                          conflicts with a transitive tag key from the calling session.";
