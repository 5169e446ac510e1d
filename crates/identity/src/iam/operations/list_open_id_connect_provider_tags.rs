//! ListOpenIDConnectProviderTags: the tags of a provider, sorted by name.

use crate::iam::page::Ask;
use crate::iam::tags::Tag;
use crate::iam::{Error, SOURCE, page, providers, tags};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which provider, and from where.
    pub struct ListOpenIDConnectProviderTags {
        #[serde(rename(deserialize = "OpenIDConnectProviderArn", serialize = "openIDConnectProviderArn"))]
        arn: Text,
        marker: Text,
        max_items: Integer,
    }
}

/// A page of tags.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    tags: Vec<Tag>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Operation for ListOpenIDConnectProviderTags {
    const NAME: &'static str = "ListOpenIDConnectProviderTags";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListOpenIDConnectProviderTags");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        providers::arn(found, self.arn.as_ref());
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) = providers::admit(call, txn, self, self.arn.as_ref()).await?;
        let mut sorted = found.existing()?.tags;
        sorted.sort();
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        let (tags, marker) = tags::page(&sorted, ask)?;
        let is_truncated = marker.is_some();
        Ok(Answer::new(permit, Output { tags, is_truncated, marker }))
    }
}
