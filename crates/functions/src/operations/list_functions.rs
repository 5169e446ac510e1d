//! ListFunctions: the functions of the caller's account in this Region, and those that this server is itself.

use super::SOURCE;
use crate::function::{Kept, below};
use crate::shown::{Configuration, configuration};
use crate::{Error, limits, native};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use std::ops::Bound;
use store::{KeyRange, Txn};
use wire::members::{Integer, Text};
use wire::{Violations, page_token};

input! {
    /// How many, and from where.
    pub struct ListFunctions {
        master_region: Text,
        function_version: Text,
        marker: Text,
        max_items: Integer,
    }
}

/// A page of functions.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
    functions: Vec<Configuration>,
}

impl Operation for ListFunctions {
    const NAME: &'static str = "ListFunctions";
    const SOURCE: &'static str = SOURCE;
    const RECORDED: &'static str = "ListFunctions20150331";
    const ACTION: Action = Action("lambda:ListFunctions");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        limits::page(found, self.max_items);
        found.one_of("functionVersion", self.function_version.as_ref(), &["ALL"]);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let after = self.marker.as_ref().map(|it| page_token::read(SCOPE, it.as_str()));
        let after = after.map(|it| it.ok_or_else(|| Error::Invalid(MARKER.to_owned())));
        let after = after.transpose()?;
        let asked = self.max_items.and_then(|it| usize::try_from(it.get()).ok());
        let size = asked.unwrap_or(MOST).clamp(1, MOST);
        let (mut rows, mut more) = (Vec::new(), false);
        if !after.as_deref().is_some_and(|it| it.starts_with(NATIVE)) {
            (rows, more) = kept(call, txn, (after.as_deref(), size)).await?;
        }
        let mut last = rows.last().map(|it| it.name.clone());
        if !more {
            // A name has no such character, so that they come last.
            let done = after.as_deref().and_then(|it| it.strip_prefix(NATIVE)).unwrap_or_default();
            for (name, _) in native::all().filter(|it| it.0 > done) {
                if rows.len() == size {
                    more = true;
                    break;
                }
                rows.push(native::shown((&call.caller.account, call.region), name));
                last = Some(format!("{NATIVE}{name}"));
            }
        }
        let next = last.filter(|_| more).map(|it| page_token::write(SCOPE, &it));
        let qualifier = self.function_version.as_ref().map(|_| crate::names::LATEST);
        let mut functions = Vec::with_capacity(rows.len());
        for row in &rows {
            functions.push(configuration(call, txn, row, qualifier).await?);
        }
        Ok(Answer::new(permit, Output { next_marker: next, functions }))
    }
}

/// A page of functions with rows, and whether there are more.
async fn kept(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    (after, size): (Option<&str>, usize),
) -> Result<(Vec<Kept>, bool), Error> {
    let prefix = below(&call.caller.account, call.region).below();
    let mut range = KeyRange::prefix(&prefix);
    if let Some(after) = after {
        range.from = Bound::Excluded(format!("{prefix}{after}"));
    }
    let page = txn.page::<Kept>(range, size, false).await?;
    Ok((page.rows.into_iter().map(|it| it.1).collect(), page.more))
}

const MARKER: &str = "Invalid marker";
const SCOPE: &str = "ListFunctions";
/// Stands before the names of native functions in markers.
const NATIVE: &str = "~";
/// The most of a page, which are also those of one that says no number. Source: API Reference, `MaxItems`.
const MOST: usize = 50;
