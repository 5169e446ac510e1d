//! Pages: how many entries, from where, and the marker of the next one.

use crate::exception::Exception;
use crate::limits;
use wire::members::{Integer, Text};
use wire::{Violations, page_token};

/// The model's constraints on what asks for a page.
pub(crate) fn constraints(found: &mut Violations, limit: Option<Integer>, marker: Option<&Text>) {
    found.range("limit", limit, limits::LIMIT);
    found.length("marker", marker, limits::MARKER);
}

/// How many entries a page may have.
pub(crate) fn limit(given: Option<Integer>, default: usize) -> usize {
    given.and_then(|it| usize::try_from(it.get()).ok()).unwrap_or(default)
}

/// The position behind which the page begins. A marker belongs to one listing, called `scope`.
pub(crate) fn after(scope: &str, marker: Option<&Text>) -> Result<Option<String>, Exception> {
    let read = |it: &Text| page_token::read(scope, it.as_str()).ok_or(Exception::Marker);
    marker.map(read).transpose()
}

/// The marker of the page behind `position`, if there is more.
pub(crate) fn next(scope: &str, position: Option<&str>, more: bool) -> Option<String> {
    position.filter(|_| more).map(|it| page_token::write(scope, it))
}

/// A page of a list that is at hand as a whole: what follows `after` in the order of `name`.
pub(crate) fn cut<T>(
    all: impl IntoIterator<Item = T>,
    name: impl Fn(&T) -> &str,
    after: Option<&str>,
    limit: usize,
) -> (Vec<T>, bool) {
    let mut rest = all.into_iter().filter(|it| after.is_none_or(|after| name(it) > after));
    let page = rest.by_ref().take(limit).collect();
    (page, rest.next().is_some())
}
