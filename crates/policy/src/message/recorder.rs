//! Which condition keys were looked at, and what they were.

use crate::engine::{Context, Request, Values};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The context of a request, which remembers what it was asked for.
pub(super) struct Recorder<'a> {
    request: &'a Request<'a>,
    seen: RefCell<BTreeMap<String, Option<Vec<String>>>>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(request: &'a Request<'a>) -> Self {
        Self { request, seen: RefCell::default() }
    }

    /// The keys that have a value, in lower case, with what it is.
    pub(super) fn into_values(self) -> impl Iterator<Item = (String, Vec<String>)> {
        self.seen.into_inner().into_iter().filter_map(|(key, values)| Some((key, values?)))
    }
}

impl Context for Recorder<'_> {
    fn find(&self, key: &str) -> Option<Values<'_>> {
        let request = self.request;
        let found = request.context.find(key).or_else(|| match key {
            "aws:resourceaccount" if request.resource.is_some() => {
                Some(Values::one(request.resource_account.as_str()))
            }
            _ => request.caller.find(key),
        });
        let values = found.as_ref();
        let shown = values.map(|it| it.list().iter().map(ToString::to_string).collect());
        self.seen.borrow_mut().insert(key.to_owned(), shown);
        found
    }
}
