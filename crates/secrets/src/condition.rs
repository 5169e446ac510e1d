//! Condition keys that follow from an operation's parameters.
//!
//! A key exists only if its parameter was given. Names come in lower case.
//!
//! Source: Service Authorization Reference, "Condition keys for AWS Secrets Manager".

use crate::tags::{TagGiven, TagsGiven};
use policy::engine::Values;
use service::context::request_tags;
use std::borrow::Cow;
use wire::members::{Boolean, Integer, Structure, Text};

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

/// `aws:RequestTag/…` and `aws:TagKeys`, of a call that takes tags.
pub(crate) fn tags<'a>(given: Option<&'a TagsGiven>, key: &str) -> Option<Values<'a>> {
    let pair = |Structure(it): &'a Structure<TagGiven>| {
        Some((it.key.as_ref()?.as_str(), it.value.as_ref().map_or("", Text::as_str)))
    };
    request_tags(given.map(|it| it.as_slice().iter().filter_map(pair)), key)
}
