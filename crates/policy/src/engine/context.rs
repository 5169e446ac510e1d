//! What is known about a request, by condition key.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// What a request has for the keys of conditions and variables.
///
/// Asked only for keys that occur in a statement whose other parts match, each time they do, so a
/// value may be worked out when it is asked for.
pub trait Context {
    /// The values of `key`, or `None` if the request doesn't have it.
    ///
    /// `key` is in lower case (ASCII) as a whole: `aws:sourceip`, `aws:principaltag/team`. What
    /// follows the first `/` names a tag and is to be found without regard to case.
    fn find(&self, key: &str) -> Option<Values<'_>>;

    /// Whether nobody can tell yet what `key` will have, for [`explain_open`](super::explain_open).
    fn is_open(&self, _key: &str) -> bool {
        false
    }
}

/// The values of a key.
///
/// Whether a key has one value or several is a property of the key, not of the request: a key that
/// can have several has `Many` also when it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values<'a> {
    /// Of a single-valued key.
    One(Cow<'a, str>),
    /// Of a multivalued key. None at all is the same as the key being absent.
    Many(Vec<Cow<'a, str>>),
    /// Any one of these, and nobody can tell which: of tags whose names differ in their case only. A
    /// denial holds if it would for any of them, a permission if it would for all.
    Unclear(Vec<Cow<'a, str>>),
}

impl<'a> Values<'a> {
    /// The one value `text`.
    pub fn one(text: &'a str) -> Self {
        Self::One(Cow::Borrowed(text))
    }

    /// The one value `true` or `false`.
    pub fn bool(value: bool) -> Self {
        Self::one(if value { "true" } else { "false" })
    }

    /// Several values.
    pub fn many(values: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Many(values.into_iter().map(Cow::Borrowed).collect())
    }

    /// All values, however many there may be.
    pub fn list(&self) -> &[Cow<'a, str>] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) | Self::Unclear(values) => values,
        }
    }
}

/// A context in which nothing is known.
impl Context for () {
    fn find(&self, _key: &str) -> Option<Values<'_>> {
        None
    }
}

/// A context given in full: for simulation, and for tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapContext(BTreeMap<String, Values<'static>>);

impl MapContext {
    /// A context without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// With the single-valued `key`, whose name has no case.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.set(key, Values::One(Cow::Owned(value.to_owned())));
        self
    }

    /// With the multivalued `key`, whose name has no case.
    #[must_use]
    pub fn with_many<'a>(mut self, key: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        let values = values.into_iter().map(|it| Cow::Owned(it.to_owned()));
        self.set(key, Values::Many(values.collect()));
        self
    }

    /// Gives `key`, whose name has no case, these values instead of what it had.
    pub fn set(&mut self, key: &str, values: Values<'static>) {
        self.0.insert(key.to_ascii_lowercase(), values);
    }
}

impl Context for MapContext {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        self.0.get(key).map(|it| match it {
            Values::One(value) => Values::one(value),
            Values::Many(values) => Values::many(values.iter().map(AsRef::as_ref)),
            Values::Unclear(values) => Values::Unclear(values.clone()),
        })
    }
}
