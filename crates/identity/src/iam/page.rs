//! Lists in pages: `MaxItems` and `Marker`.

use crate::iam::Error;
use std::ops::Bound;
use store::{KeyRange, Record, Txn};
use wire::members::{Integer, Text};
use wire::{Violations, page_token};

/// A page is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    /// The list: a marker of one leads nowhere in another.
    scope: &'a str,
    marker: Option<&'a Text>,
    limit: usize,
}

/// What is on a page, and the marker of the next one.
pub(crate) type Page<T> = (Vec<T>, Option<String>);

/// A list looks at so many rows at most, however few of them are wanted.
const LOOKED_AT: usize = 10_000;

/// The model's constraints.
pub(crate) fn constraints(found: &mut Violations, marker: Option<&Text>, items: Option<Integer>) {
    found.length("marker", marker, 1..=320);
    found.range("maxItems", items, 1..=1000);
}

impl<'a> Ask<'a> {
    /// A page of the list `scope`; of 100 items, unless told otherwise.
    pub(crate) fn of(scope: &'a str, marker: Option<&'a Text>, items: Option<Integer>) -> Self {
        let limit = items.map_or(100, |it| usize::try_from(it.get()).unwrap_or(100));
        Self { scope, marker, limit }
    }

    /// The first `limit` items of a list that isn't shown in pages.
    pub(crate) fn first(limit: usize) -> Self {
        Self { scope: "", marker: None, limit }
    }

    /// The same, of `most` items at most.
    pub(crate) fn at_most(self, most: usize) -> Self {
        Self { limit: self.limit.min(most), ..self }
    }

    fn position(&self) -> Result<Option<String>, Error> {
        let invalid = || Error::Invalid("Invalid Marker.".to_owned());
        let read = |it: &Text| page_token::read(self.scope, it.as_str()).ok_or_else(invalid);
        self.marker.map(read).transpose()
    }

    /// The page of `items`, which are in the order of their keys.
    pub(crate) fn of_items<'k, T>(
        &self,
        items: impl IntoIterator<Item = (&'k str, T)>,
    ) -> Result<Page<T>, Error> {
        let after = self.position()?;
        let mut items: Vec<_> = items
            .into_iter()
            .filter(|(key, _)| after.as_deref().is_none_or(|after| *key > after))
            .take(self.limit.saturating_add(1))
            .collect();
        let more = items.len() > self.limit;
        items.truncate(self.limit);
        let last = items.last().filter(|_| more).map(|it| page_token::write(self.scope, it.0));
        Ok((items.into_iter().map(|it| it.1).collect(), last))
    }

    /// The page of the rows below `prefix` that are wanted.
    pub(crate) async fn of_rows<V: Record>(
        &self,
        txn: &mut Txn<'_>,
        prefix: &str,
        wants: impl Fn(&V) -> bool,
    ) -> Result<Page<V>, Error> {
        let mut after = self.position()?;
        let mut wanted: Vec<V> = Vec::new();
        for _ in 0..LOOKED_AT / AT_ONCE {
            let all = KeyRange::prefix(prefix);
            let from = after.as_ref().map(|it| Bound::Excluded(format!("{prefix}{it}")));
            let range = KeyRange { from: from.unwrap_or(all.from), to: all.to };
            let page = txn.page::<V>(range, AT_ONCE, false).await?;
            for (key, row) in page.rows {
                if wants(&row) {
                    if wanted.len() == self.limit {
                        return Ok((wanted, self.write(after.as_deref())));
                    }
                    wanted.push(row);
                }
                after = key.strip_prefix(prefix).map(str::to_owned);
            }
            if !page.more {
                return Ok((wanted, None));
            }
        }
        Ok((wanted, self.write(after.as_deref())))
    }

    fn write(&self, position: Option<&str>) -> Option<String> {
        position.map(|it| page_token::write(self.scope, it))
    }
}

const AT_ONCE: usize = 200;
