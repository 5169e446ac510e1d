//! ListAliases: the aliases of the caller's account in this Region, or of one key.

use crate::access::Asker;
use crate::exception::Exception;
use crate::operations::SOURCE;
use crate::rows::{AliasRow, aliases, prefix};
use crate::{Place, limits, listing, lookup};
use base::Timestamp;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use std::ops::Bound;
use store::{KeyRange, Txn};
use wire::Violations;
use wire::json::instant;
use wire::members::{Integer, Text};

input! {
    /// Of which key, how many, and from where.
    pub struct ListAliases {
        key_id: Text,
        limit: Integer,
        marker: Text,
    }
}

/// A page of aliases.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    aliases: Vec<Entry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
    truncated: bool,
}

/// One alias.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Entry {
    alias_name: String,
    alias_arn: String,
    target_key_id: String,
    #[serde(serialize_with = "instant")]
    creation_date: Timestamp,
    #[serde(serialize_with = "instant")]
    last_updated_date: Timestamp,
}

const SCOPE: &str = "ListAliases";

impl Operation for ListAliases {
    const NAME: &'static str = "ListAliases";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:ListAliases");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        found.length("keyId", self.key_id.as_ref(), limits::KEY_ID);
        listing::constraints(found, self.limit, self.marker.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let permit = call.admit(self, Asker(call).target())?;
        let place = lookup::place(call);
        let after = listing::after(SCOPE, self.marker.as_ref())?;
        let limit = listing::limit(self.limit, 50);
        let (aliases, truncated) = match &self.key_id {
            Some(given) => {
                let sought = lookup::Sought::own(Some(given));
                let found = lookup::find(call, txn, Self::ACTION, given.as_str(), sought).await?;
                let key = found.key.as_ref().filter(|it| it.place() == place);
                let key = key.ok_or_else(|| found.missing())?;
                let mut names: Vec<String> = key.alias_names().collect();
                names.sort();
                of_names(txn, place, names, after.as_deref(), limit).await?
            }
            None => all(txn, place, after.as_deref(), limit).await?,
        };
        let last = aliases.last().map(|it| it.alias_name.as_str());
        let next_marker = listing::next(SCOPE, last, truncated);
        Ok(Answer::new(permit, Output { aliases, next_marker, truncated }))
    }
}

/// The aliases among `names`, which are sorted.
async fn of_names(
    txn: &mut Txn<'_>,
    place: Place<'_>,
    names: Vec<String>,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<Entry>, bool), Exception> {
    let (names, more) = listing::cut(names, |it| it.as_str(), after, limit);
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let bare = name.strip_prefix("alias/").unwrap_or_default();
        let row = txn.find(&aliases(), &(place, bare)).await?;
        found.extend(row.map(|row| Entry::new(place, &name, row)));
    }
    Ok((found, more))
}

/// All aliases of `place`, by name.
async fn all(
    txn: &mut Txn<'_>,
    place: Place<'_>,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<Entry>, bool), Exception> {
    let below = prefix(place, "alias");
    let mut range = KeyRange::prefix(&below);
    if let Some(after) = after.and_then(|it| it.strip_prefix("alias/")) {
        range.from = Bound::Excluded(aliases().key(&(place, after)));
    }
    let page = txn.page::<AliasRow>(range, limit, false).await?;
    let entries = page.rows.into_iter().filter_map(|(row, alias)| {
        let name = format!("alias/{}", row.strip_prefix(&below)?);
        Some(Entry::new(place, &name, alias))
    });
    Ok((entries.collect(), page.more))
}

impl Entry {
    fn new(place: Place<'_>, name: &str, row: AliasRow) -> Self {
        Self {
            alias_name: name.to_owned(),
            alias_arn: place.arn(name),
            target_key_id: row.key_id,
            creation_date: row.created,
            last_updated_date: row.updated.unwrap_or(row.created),
        }
    }
}
