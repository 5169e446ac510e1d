//! Pages of secrets: sorted, filtered, bounded.

use crate::Error;
use crate::filters::Filter;
use crate::limits::{self, ROWS_PER_PAGE};
use crate::secret::{Place, Pointer, Secret, secrets};
use std::ops::Bound;
use store::{KeyRange, Txn};
use wire::members::{Integer, Text};
use wire::{Violations, page_token};

/// What a listing is sorted by. Each order is a table of its own, so a page costs what it shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sort {
    Accessed,
    Changed,
    #[default]
    Created,
    Name,
}

/// The model's constraints on what asks for a page.
pub(crate) fn constraints(
    found: &mut Violations,
    max_results: Option<Integer>,
    next_token: Option<&Text>,
) {
    found.range("maxResults", max_results, limits::PAGE);
    found.length("nextToken", next_token, limits::NEXT_TOKEN);
}

/// Which secrets, in which order.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) filters: Vec<Filter>,
    pub(crate) include_deleted: bool,
    pub(crate) sort: Sort,
    pub(crate) descending: bool,
}

impl Sort {
    pub(crate) const NAMES: [&'static str; 4] =
        ["created-date", "last-accessed-date", "last-changed-date", "name"];

    /// The order that the wire calls `name`.
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "last-accessed-date" => Self::Accessed,
            "last-changed-date" => Self::Changed,
            "name" => Self::Name,
            _ => Self::Created,
        }
    }

    fn table(self) -> &'static str {
        match self {
            Self::Accessed => "secret-accessed",
            Self::Changed => "secret-changed",
            Self::Created => "secret",
            Self::Name => "secret-name",
        }
    }
}

/// Up to `limit` secrets of `place` after `token`, and the token of the next page.
///
/// Looks at most at [`ROWS_PER_PAGE`] rows: a selective filter may give a short page with a token.
pub(crate) async fn page(
    txn: &mut Txn<'_>,
    place: &Place,
    query: &Query,
    limit: usize,
    token: Option<&str>,
) -> Result<(Vec<Secret>, Option<String>), Error> {
    let prefix = place.path(query.sort.table()).below();
    let scope = query.scope();
    let mut after = token
        .map(|token| page_token::read(&scope, token).ok_or(Error::InvalidNextToken))
        .transpose()?;
    let mut found: Vec<(String, Secret)> = Vec::new();
    let mut looked_at = 0;
    loop {
        let range = query.range(&prefix, after.as_deref());
        let (rows, more) = rows(txn, place, query, range, chunk(limit, found.len())).await?;
        looked_at += rows.len();
        let last = rows.last().map(|(key, _)| key.clone());
        let secrets = rows.into_iter().filter_map(|(key, secret)| Some((key, secret?)));
        found.extend(secrets.filter(|(_, secret)| query.wants(secret)));
        let next = if found.len() > limit {
            // One more than asked for: there is a next page, and it starts behind the last shown.
            found.truncate(limit);
            found.last().map(|(key, _)| key.clone())
        } else if !more {
            None
        } else if looked_at < ROWS_PER_PAGE {
            after = last.and_then(|key| position(&prefix, &key));
            continue;
        } else {
            last
        };
        let next = next.and_then(|key| position(&prefix, &key));
        let secrets = found.into_iter().map(|(_, secret)| secret).collect();
        return Ok((secrets, next.map(|it| page_token::write(&scope, &it))));
    }
}

/// How many rows to read next: enough for the page and one more, few if the page is almost full.
fn chunk(limit: usize, found: usize) -> usize {
    (limit + 1).saturating_sub(found).clamp(16, 128)
}

/// The next rows of the order, and whether more follow. A row that leads nowhere counts as looked at.
async fn rows(
    txn: &mut Txn<'_>,
    place: &Place,
    query: &Query,
    range: KeyRange,
    limit: usize,
) -> Result<(Vec<(String, Option<Secret>)>, bool), store::Error> {
    if query.sort == Sort::Created {
        let page = txn.page::<Secret>(range, limit, query.descending).await?;
        return Ok((page.rows.into_iter().map(|(key, it)| (key, Some(it))).collect(), page.more));
    }
    let page = txn.page::<Pointer>(range, limit, query.descending).await?;
    let mut rows = Vec::with_capacity(page.rows.len());
    for (key, pointer) in page.rows {
        rows.push((key, txn.find(&secrets(), &(place, &pointer.0)).await?));
    }
    Ok((rows, page.more))
}

impl Query {
    /// A token belongs to one order, of ListSecrets and BatchGetSecretValue alike.
    fn scope(&self) -> String {
        format!("{:?}/{}", self.sort, self.descending)
    }

    fn wants(&self, secret: &Secret) -> bool {
        (self.include_deleted || secret.deletion.is_none())
            && self.filters.iter().all(|it| it.passes(secret))
    }

    fn range(&self, prefix: &str, after: Option<&str>) -> KeyRange {
        let all = KeyRange::prefix(prefix);
        match after.map(|it| Bound::Excluded(format!("{prefix}{it}"))) {
            Some(to) if self.descending => KeyRange { to, ..all },
            Some(from) => KeyRange { from, ..all },
            None => all,
        }
    }
}

fn position(prefix: &str, key: &str) -> Option<String> {
    key.strip_prefix(prefix).map(str::to_owned)
}
