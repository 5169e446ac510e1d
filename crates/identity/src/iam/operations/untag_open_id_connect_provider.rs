//! UntagOpenIDConnectProvider: takes tags from a provider.

use crate::iam::{Error, SOURCE, providers, tags};
use policy::engine::Values;
use service::context::tag_keys;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{List, Text};

input! {
    /// Which provider, and the names of the tags.
    pub struct UntagOpenIDConnectProvider {
        #[serde(rename(deserialize = "OpenIDConnectProviderArn", serialize = "openIDConnectProviderArn"))]
        arn: Text,
        tag_keys: List<Text>,
    }
}

impl Operation for UntagOpenIDConnectProvider {
    const NAME: &'static str = "UntagOpenIDConnectProvider";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:UntagOpenIDConnectProvider");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        providers::arn(found, self.arn.as_ref());
        tags::key_constraints(found, self.tag_keys.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tag_keys(self.tag_keys.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) = providers::admit(call, txn, self, self.arn.as_ref()).await?;
        let mut provider = found.existing()?;
        provider.tags = tags::without(&provider.tags, self.tag_keys.as_ref());
        providers::save(call, txn, &provider)?;
        Ok(Answer::new(permit, ()))
    }
}
