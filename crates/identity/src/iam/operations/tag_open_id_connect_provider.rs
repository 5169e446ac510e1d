//! TagOpenIDConnectProvider: adds tags to a provider, or gives those that are there another value.

use crate::iam::tags::TagsGiven;
use crate::iam::{Error, SOURCE, providers, tags};
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which provider, and the tags.
    pub struct TagOpenIDConnectProvider {
        #[serde(rename(deserialize = "OpenIDConnectProviderArn", serialize = "openIDConnectProviderArn"))]
        arn: Text,
        tags: TagsGiven,
    }
}

impl Operation for TagOpenIDConnectProvider {
    const NAME: &'static str = "TagOpenIDConnectProvider";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:TagOpenIDConnectProvider");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        providers::arn(found, self.arn.as_ref());
        found.required("tags", self.tags.as_ref());
        tags::constraints(found, self.tags.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tags::condition(self.tags.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) = providers::admit(call, txn, self, self.arn.as_ref()).await?;
        let mut provider = found.existing()?;
        provider.tags = tags::merged(&provider.tags, self.tags.as_ref())?;
        providers::save(call, txn, &provider)?;
        Ok(Answer::new(permit, ()))
    }
}
