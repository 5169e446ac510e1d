//! ListKeys: the keys of the caller's account in this Region, those that AWS manages included.

use crate::access::Asker;
use crate::exception::Exception;
use crate::operations::SOURCE;
use crate::{KmsKey, crypto, listing, lookup, rows};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use std::ops::Bound;
use store::{KeyRange, Txn};
use wire::Violations;
use wire::members::{Integer, List, Text};

input! {
    /// How many, and from where.
    pub struct ListKeys {
        limit: Integer,
        marker: Text,
        resource_owners: List<Text>,
    }
}

/// A page of keys.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    keys: Vec<Entry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
    truncated: bool,
}

/// One key.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Entry {
    key_id: String,
    key_arn: String,
}

const SCOPE: &str = "ListKeys";

impl Operation for ListKeys {
    const NAME: &'static str = "ListKeys";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:ListKeys");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        listing::constraints(found, self.limit, self.marker.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let permit = call.admit(self, Asker(call).target())?;
        crypto::unsupported(self.resource_owners.as_ref(), "ResourceOwners")?;
        let prefix = rows::prefix(lookup::place(call), "key");
        let mut range = KeyRange::prefix(&prefix);
        if let Some(after) = listing::after(SCOPE, self.marker.as_ref())? {
            range.from = Bound::Excluded(format!("{prefix}{after}"));
        }
        let page = txn.page::<KmsKey>(range, listing::limit(self.limit, 100), false).await?;
        let keys = page.rows.into_iter().map(|(_, it)| Entry { key_id: it.id, key_arn: it.arn });
        let keys: Vec<Entry> = keys.collect();
        let last = keys.last().map(|it| it.key_id.as_str());
        let next_marker = listing::next(SCOPE, last, page.more);
        Ok(Answer::new(permit, Output { keys, next_marker, truncated: page.more }))
    }
}
