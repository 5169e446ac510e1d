//! Condition keys that follow from an operation's parameters.
//!
//! A key exists only if its parameter was given. Names come in lower case.
//!
//! Source: Service Authorization Reference, "Condition keys for AWS Key Management Service".

use policy::engine::Values;
use std::borrow::Cow;
use wire::members::{Boolean, Integer, Text};

/// What stands behind `kms:` in `key`.
pub(crate) fn own(key: &str) -> Option<&str> {
    key.strip_prefix("kms:")
}

pub(crate) fn text(given: Option<&Text>) -> Option<Values<'_>> {
    given.map(|it| Values::one(it.as_str()))
}

/// A flag, which is off unless it is given.
pub(crate) fn flag(given: Option<Boolean>) -> Values<'static> {
    Values::bool(given.is_some_and(Boolean::get))
}

pub(crate) fn number(given: Option<Integer>) -> Option<Values<'static>> {
    given.map(|it| Values::One(Cow::Owned(it.get().to_string())))
}
