//! The condition keys that a simulation is given.

use super::invalid;
use crate::iam::Error;
use policy::Comparison;
use policy::engine::{Context, MapContext, Values, is_comparable};
use service::input;
use std::borrow::Cow;
use wire::Violations;
use wire::members::{List, Text};

input! {
    /// A condition key and its values.
    #[expect(clippy::struct_field_names, reason = "the model's names")]
    pub struct ContextEntry {
        context_key_name: Text,
        context_key_values: List<Text>,
        context_key_type: Text,
    }
}

/// The model's types, each with what its values are compared by.
const TYPES: [(&str, Comparison); 6] = [
    ("string", Comparison::StringEquals),
    ("numeric", Comparison::NumericEquals),
    ("boolean", Comparison::Bool),
    ("ip", Comparison::IpAddress),
    ("binary", Comparison::BinaryEquals),
    ("date", Comparison::DateEquals),
];

const TYPE_NAMES: [&str; 12] = [
    "string",
    "stringList",
    "numeric",
    "numericList",
    "boolean",
    "booleanList",
    "ip",
    "ipList",
    "binary",
    "binaryList",
    "date",
    "dateList",
];

/// The model's constraints.
pub(super) fn constraints(found: &mut Violations, entries: &[ContextEntry]) {
    for (index, entry) in entries.iter().enumerate() {
        let path = |name: &str| format!("contextEntries.{}.member.{name}", index + 1);
        found.length(&path("contextKeyName"), entry.context_key_name.as_ref(), 5..=256);
        let kind = entry.context_key_type.as_ref();
        found.one_of(&path("contextKeyType"), kind, &TYPE_NAMES);
    }
}

/// The keys and values of `entries`.
///
/// A list of values makes a key multivalued, as does more than one value of any other type.
///
/// # Errors
///
/// `InvalidInput`: an entry has no name, or a value isn't of its type.
pub(super) fn read(entries: &[ContextEntry]) -> Result<MapContext, Error> {
    let mut context = MapContext::new();
    for entry in entries {
        let Some(name) = entry.context_key_name.as_ref().map(Text::as_str) else {
            return Err(invalid("Context entries must have a name."));
        };
        let values = entry.context_key_values.as_ref().map_or(&[][..], List::as_slice);
        let kind = entry.context_key_type.as_ref().map_or("string", Text::as_str);
        let bare = kind.strip_suffix("List").unwrap_or(kind);
        let comparison = TYPES.iter().find(|it| it.0 == bare).map(|it| it.1);
        let fits = |it: &&Text| comparison.is_some_and(|of| is_comparable(of, it.as_str()));
        if let Some(wrong) = values.iter().find(|it| !fits(it)) {
            let shown: String = wrong.as_str().chars().take(128).collect();
            let text = format!("Context value '{shown}' of {name} is not of the type {kind}.");
            return Err(invalid(text));
        }
        let owned = |it: &Text| Cow::Owned(it.as_str().to_owned());
        let values = match values {
            [one] if bare == kind => Values::One(owned(one)),
            values => Values::Many(values.iter().map(owned).collect()),
        };
        context.set(name, values);
    }
    Ok(context)
}

/// Bytes of the longest value.
pub(super) fn longest(entries: &[ContextEntry]) -> usize {
    let values = entries.iter().filter_map(|it| it.context_key_values.as_ref());
    let lengths = values.flat_map(List::as_slice).map(|it| it.as_str().len());
    lengths.max().unwrap_or_default()
}

/// What was given, and which keys of the caller nobody knows.
pub(super) struct Known<'a> {
    pub(super) given: &'a MapContext,
    pub(super) unknown: &'static [&'static str],
}

impl Context for Known<'_> {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        let absent = || self.unknown.contains(&key).then(|| Values::Many(Vec::new()));
        self.given.find(key).or_else(absent)
    }
}
