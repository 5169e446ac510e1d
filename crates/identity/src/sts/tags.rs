//! Tags of sessions: those that a call hands over, and those that come along from a session before.

use super::Error;
use crate::tags::{MOST, TWICE, is_of_tag, is_reserved, slice};
use service::{Action, Caller};
use std::collections::BTreeMap;
use wire::Violations;
use wire::members::{List, Text};

pub use crate::tags::Tag;
pub(super) use crate::tags::{condition, constraints};

/// The tags of a session to begin.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SessionTags {
    pub(super) tags: BTreeMap<String, String>,
    pub(super) transitive: Vec<String>,
}

/// What whoever hands over tags must be allowed to do.
pub(super) const ACTION: Action = Action("sts:TagSession");

/// The model's constraints for names of tags.
pub(super) fn key_constraints(found: &mut Violations, keys: Option<&List<Text>>) {
    found.count("transitiveTagKeys", keys, 0..=MOST, |it| it.as_str().to_owned());
    found.each("transitiveTagKeys", keys, 1..=128);
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
    let given = slice(given).iter().map(|it| (it.name(), it.value()));
    let mut found = handed_over(given, slice(transitive).iter().map(Text::as_str))?;
    for (name, value) in inherited(caller) {
        if find(found.tags.keys(), name).is_some() {
            return Err(Error::Parameter(OVERRIDDEN));
        }
        found.tags.insert(name.to_owned(), value.to_owned());
        found.transitive.push(name.to_owned());
    }
    Ok(found)
}

/// The tags of a session that a token begins.
///
/// # Errors
///
/// The same, or there are too many, or one is too long or of other letters than tags have.
pub(super) fn of_token(identity: &oidc::Identity) -> Result<SessionTags, Error> {
    let fits = |(name, value): &(String, String)| {
        (1..=128).contains(&name.chars().count())
            && value.chars().count() <= 256
            && is_of_tag(name)
            && is_of_tag(value)
    };
    if identity.tags.len() > MOST || !identity.tags.iter().all(fits) {
        return Err(oidc::Rejection::Claim("https://aws.amazon.com/tags").into());
    }
    let given = identity.tags.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    handed_over(given, identity.transitive.iter().map(String::as_str))
}

/// The tags `given`, of which those called `transitive` go on to further sessions.
fn handed_over<'a>(
    given: impl Iterator<Item = (&'a str, &'a str)>,
    transitive: impl Iterator<Item = &'a str>,
) -> Result<SessionTags, Error> {
    let mut found = SessionTags::default();
    for (name, value) in given {
        if find(found.tags.keys(), name).is_some() {
            return Err(Error::Parameter(TWICE));
        }
        if is_reserved(name) {
            return Err(Error::Parameter(RESERVED));
        }
        found.tags.insert(name.to_owned(), value.to_owned());
    }
    for name in transitive {
        let name = find(found.tags.keys(), name).ok_or(Error::Parameter(NOT_GIVEN))?;
        if find(&found.transitive, name).is_none() {
            found.transitive.push(name.to_owned());
        }
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

const RESERVED: &str = "Tag keys must not begin with aws:";
const NOT_GIVEN: &str = "The specified transitive tag key must be included in the requested tags.";
const OVERRIDDEN: &str = "One of the specified transitive tag keys can't be set because it \
                          conflicts with a transitive tag key from the calling session.";
