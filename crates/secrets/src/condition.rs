//! Condition keys that follow from an operation's parameters.
//!
//! A key exists only if its parameter was given. Names come in lower case.
//!
//! Source: Service Authorization Reference, "Condition keys for AWS Secrets Manager".

use crate::tags::TagsGiven;
use policy::engine::Values;
use service::context::one_of;
use std::borrow::Cow;
use std::collections::BTreeMap;
use wire::members::{Boolean, Integer, List, Structure, Text};

/// What stands behind `secretsmanager:` in `key`.
pub(crate) fn own(key: &str) -> Option<&str> {
    key.strip_prefix("secretsmanager:")
}

pub(crate) fn text(given: Option<&Text>) -> Option<Values<'_>> {
    given.map(|it| Values::one(it.as_str()))
}

pub(crate) fn boolean(given: Option<Boolean>) -> Option<Values<'static>> {
    given.map(|it| Values::bool(it.get()))
}

pub(crate) fn number(given: Option<Integer>) -> Option<Values<'static>> {
    given.map(|it| Values::One(Cow::Owned(it.get().to_string())))
}

/// `aws:TagKeys`, of a call that takes names of tags.
pub(crate) fn keys<'a>(given: Option<&'a List<Text>>, key: &str) -> Option<Values<'a>> {
    let given = given.filter(|_| key == "aws:tagkeys")?;
    Some(Values::many(given.as_slice().iter().map(Text::as_str)))
}

/// `aws:RequestTag/…` and `aws:TagKeys`, of a call that takes tags.
pub(crate) fn tags<'a>(given: Option<&'a TagsGiven>, key: &str) -> Option<Values<'a>> {
    let tags = || given.into_iter().flat_map(List::as_slice).map(|Structure(it)| it);
    if key == "aws:tagkeys" {
        given?;
        return Some(Values::many(tags().filter_map(|it| it.key.as_ref()).map(Text::as_str)));
    }
    let name = key.strip_prefix("aws:requesttag/")?;
    let meant = tags().filter_map(|it| Some((it.key.as_ref()?.as_str(), it.value.as_ref())));
    let meant = meant.filter(|it| it.0.eq_ignore_ascii_case(name));
    // Of two with exactly one name the last is kept.
    let kept: BTreeMap<_, _> = meant.collect();
    one_of(kept.into_values().map(|it| it.map(Text::as_str).unwrap_or_default()))
}
