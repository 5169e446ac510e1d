//! Tags: their rules, and what conditions ask about them.

use crate::Error;
use policy::engine::Values;
use serde::{Deserialize, Serialize};
use service::context::request_tags;
use std::collections::BTreeMap;
use wire::Violations;
use wire::members::Text;

/// Tags in a request, by name.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct Tags(BTreeMap<String, Text>);

/// The most tags of one function.
const MOST: usize = 50;
const LETTERS: &str = r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)";

/// The model's constraints for tags.
pub(crate) fn constraints(found: &mut Violations, given: Option<&Tags>) {
    for (name, value) in given.iter().flat_map(|it| &it.0) {
        let name = Text::from(name.as_str());
        found.length("tags", Some(&name), 1..=128);
        found.pattern("tags", Some(&name), LETTERS, is_of_tag);
        found.length("tags", Some(value), 0..=256);
        found.pattern("tags", Some(value), LETTERS, is_of_tag);
    }
}

/// `aws:RequestTag/…` and `aws:TagKeys`, of a call that gives tags.
pub(crate) fn condition<'a>(given: Option<&'a Tags>, key: &str) -> Option<Values<'a>> {
    request_tags(given.map(|it| it.0.iter().map(|it| (it.0.as_str(), it.1.as_str()))), key)
}

/// Adds `given` to `tags`; a name that is there gets the new value.
pub(crate) fn add(tags: &mut BTreeMap<String, String>, given: Option<&Tags>) -> Result<(), Error> {
    for (name, value) in given.iter().flat_map(|it| &it.0) {
        if name.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("aws:")) {
            return Err(Error::Invalid("Tag keys cannot start with aws:".to_owned()));
        }
        tags.insert(name.clone(), value.as_str().to_owned());
    }
    if tags.len() > MOST {
        return Err(Error::Invalid(format!("A function can have at most {MOST} tags.")));
    }
    Ok(())
}

fn is_of_tag(text: &str) -> bool {
    text.chars().all(|it| it.is_alphanumeric() || it.is_whitespace() || "_.:/=+-@".contains(it))
}
