//! ListOpenIDConnectProviderTags: the tags of a provider, sorted by name.

use crate::iam::page::Ask;
use crate::iam::tags::TagPage;
use crate::iam::{Error, SOURCE, page, providers};
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

impl Operation for ListOpenIDConnectProviderTags {
    const NAME: &'static str = "ListOpenIDConnectProviderTags";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListOpenIDConnectProviderTags");
    const READ_ONLY: bool = true;
    type Output = TagPage;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        providers::arn(found, self.arn.as_ref());
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<TagPage>, Error> {
        let (permit, found) = providers::admit(call, txn, self, self.arn.as_ref()).await?;
        let mut sorted = found.existing()?.tags;
        sorted.sort();
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        Ok(Answer::new(permit, TagPage::of(&sorted, ask)?))
    }
}
