//! ListSecretVersionIds: the versions of a secret that hold a value.

use crate::secret::{Place, Secret};
use crate::stages::VersionId;
use crate::version::{Head, heads, versions_of};
use crate::{Error, listing, lookup};
use base::Timestamp;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use std::ops::Bound;
use store::Txn;
use wire::json::{instant, instant_option};
use wire::members::{Boolean, Integer, Text};
use wire::{Violations, page_token};

input! {
    /// Which secret, whether versions without label count, and from where.
    pub struct ListSecretVersionIds {
        secret_id: Text,
        max_results: Integer,
        next_token: Text,
        include_deprecated: Boolean,
    }
}

/// A page of versions.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    #[serde(rename = "ARN")]
    arn: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    versions: Vec<Entry>,
}

/// One version.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Entry {
    #[serde(serialize_with = "instant")]
    created_date: Timestamp,
    kms_key_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "instant_option")]
    last_accessed_date: Option<Timestamp>,
    version_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    version_stages: Vec<String>,
}

impl Operation for ListSecretVersionIds {
    const NAME: &'static str = "ListSecretVersionIds";
    const ACTION: Action = Action("secretsmanager:ListSecretVersionIds");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.secret_id.as_ref());
        listing::constraints(found, self.max_results, self.next_token.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) = lookup::admit(call, txn, self, self.secret_id.as_ref()).await?;
        let (place, secret) = found.existing()?;
        let deprecated = self.include_deprecated.is_some_and(Boolean::get);
        let scope = format!("versions/{}/{deprecated}", secret.id.as_str());
        let token = self.next_token.as_ref().map(Text::as_str);
        let after = token
            .map(|it| page_token::read(&scope, it).ok_or(Error::InvalidNextToken))
            .transpose()?;
        let limit = self.max_results.map_or(100, |it| usize::try_from(it.get()).unwrap_or(100));
        let (versions, more) = if deprecated {
            all(txn, &place, &secret, after, limit).await?
        } else {
            labelled(txn, &place, &secret, after, limit).await?
        };
        let next = versions.last().filter(|_| more).map(|it| it.id.as_str());
        let output = Output {
            next_token: next.map(|it| page_token::write(&scope, it)),
            versions: versions.into_iter().map(|it| Entry::new(&secret, it)).collect(),
            arn: secret.arn.clone(),
            name: secret.name.clone(),
        };
        Ok(Answer::new(permit, output))
    }
}

/// Versions with a label, by id.
async fn labelled(
    txn: &mut Txn<'_>,
    place: &Place,
    secret: &Secret,
    after: Option<String>,
    limit: usize,
) -> Result<(Vec<Head>, bool), Error> {
    let after = after.map(VersionId);
    let ids: Vec<_> = secret.stages.by_version().into_keys().cloned().collect();
    let mut rest = ids.iter().filter(|it| after.as_ref().is_none_or(|after| *it > after));
    let mut versions = Vec::new();
    for id in rest.by_ref().take(limit) {
        versions.extend(txn.find(&heads(), &(place, &secret.id, id)).await?);
    }
    Ok((versions, rest.next().is_some()))
}

/// Every version, by id.
async fn all(
    txn: &mut Txn<'_>,
    place: &Place,
    secret: &Secret,
    after: Option<String>,
    limit: usize,
) -> Result<(Vec<Head>, bool), Error> {
    let mut range = versions_of(place, &secret.id);
    if let Some(after) = after {
        let key = heads().key(&(place, &secret.id, &VersionId(after)));
        range.from = Bound::Excluded(key);
    }
    let page = txn.page::<Head>(range, limit, false).await?;
    Ok((page.rows.into_iter().map(|(_, version)| version).collect(), page.more))
}

impl Entry {
    fn new(secret: &Secret, version: Head) -> Self {
        let stages = secret.stages.of(&version.id);
        Self {
            created_date: version.created,
            // Every value is sealed under the AWS managed key, so far.
            kms_key_ids: vec!["DefaultEncryptionKey".to_owned()],
            last_accessed_date: version.accessed,
            version_stages: stages.into_iter().map(|it| it.as_str().to_owned()).collect(),
            version_id: version.id.0,
        }
    }
}
