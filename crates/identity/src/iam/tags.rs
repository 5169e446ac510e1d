//! Tags: what a call gives, and what an entity has.
//!
//! Names are unique whatever their case; their order stays.
//! Source: IAM User Guide, "Tags for AWS Identity and Access Management resources".

use crate::iam::Error;
use crate::iam::page::Ask;
use crate::tags::{MOST, TWICE, is_reserved, slice};
use serde::Serialize;
use service::{Action, Call, Operation, Target};
use wire::Violations;
use wire::members::{List, Text};

pub(crate) use crate::tags::{condition, constraints};

/// The tags that a call gives.
pub(crate) type TagsGiven = List<crate::tags::Tag>;

/// What is kept of tags: names and values, in the order they were given.
pub(crate) type Tags = Vec<(String, String)>;

/// A tag as a list shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    key: String,
    value: String,
}

/// The tags as a list shows them.
pub(crate) fn shown(tags: &[(String, String)]) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
}

/// The model's constraints for names of tags that are taken away.
pub(crate) fn key_constraints(found: &mut Violations, keys: Option<&List<Text>>) {
    found.required("tagKeys", keys);
    found.count("tagKeys", keys, 0..=MOST, |it| it.as_str().to_owned());
    found.each("tagKeys", keys, 1..=128);
}

/// Asks for `action`, too, of a call that makes `arn` with tags: who may not tag doesn't by making, either.
///
/// Source: IAM User Guide, "Tags for AWS Identity and Access Management resources".
pub(crate) fn permit<O: Operation>(
    call: &Call<'_>,
    operation: &O,
    (action, arn): (Action, &str),
    given: Option<&TagsGiven>,
) -> Result<(), Error> {
    if !given.map_or(&[][..], List::as_slice).is_empty() {
        call.permit(operation, action, Target::of(&call.caller.account, Some(arn)))?;
    }
    Ok(())
}

/// `tags` with those `given`, which take the place of those of the same name.
///
/// # Errors
///
/// A name is given twice, or belongs to AWS, or there are too many.
pub(crate) fn merged(tags: &Tags, given: Option<&TagsGiven>) -> Result<Tags, Error> {
    let mut merged = tags.clone();
    let mut names: Vec<&str> = Vec::new();
    for tag in slice(given) {
        let (key, value) = (tag.name(), tag.value().to_owned());
        if names.iter().any(|it| it.eq_ignore_ascii_case(key)) {
            return Err(Error::Input(TWICE));
        }
        if is_reserved(key) {
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

const RESERVED: &str =
    "System tags cannot be added/updated/deleted. Tag keys must not begin with aws:";

/// `tags` without those named.
pub(crate) fn without(tags: &Tags, keys: Option<&List<Text>>) -> Tags {
    let keys = slice(keys);
    let named = |name: &str| keys.iter().any(|it| it.as_str().eq_ignore_ascii_case(name));
    tags.iter().filter(|it| !named(&it.0)).cloned().collect()
}

/// A page of tags.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagPage {
    tags: Vec<Tag>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl TagPage {
    /// The page of `tags`, in their order.
    pub(crate) fn of(tags: &[(String, String)], ask: Ask<'_>) -> Result<Self, Error> {
        let positions: Vec<String> = (0..tags.len()).map(|it| format!("{it:03}")).collect();
        let (tags, marker) = ask.of_items(positions.iter().map(String::as_str).zip(shown(tags)))?;
        Ok(Self { tags, is_truncated: marker.is_some(), marker })
    }
}

/// The value of the tag `name`, which has no case.
pub(crate) fn value<'a>(tags: &'a [(String, String)], name: &str) -> Option<&'a str> {
    tags.iter().find(|it| it.0.eq_ignore_ascii_case(name)).map(|it| it.1.as_str())
}
