//! GetOpenIDConnectProvider: what is known of an issuer.

use crate::iam::tags::Tag;
use crate::iam::{Error, SOURCE, providers, tags};
use base::Timestamp;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which provider.
    pub struct GetOpenIDConnectProvider {
        #[serde(rename(deserialize = "OpenIDConnectProviderArn", serialize = "openIDConnectProviderArn"))]
        arn: Text,
    }
}

/// The provider. Its address stands without the scheme.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    url: String,
    #[serde(rename = "ClientIDList")]
    client_ids: Vec<String>,
    thumbprint_list: Vec<String>,
    #[serde(serialize_with = "wire::query::instant")]
    create_date: Timestamp,
    tags: Vec<Tag>,
}

impl Operation for GetOpenIDConnectProvider {
    const NAME: &'static str = "GetOpenIDConnectProvider";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetOpenIDConnectProvider");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        providers::arn(found, self.arn.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) = providers::admit(call, txn, self, self.arn.as_ref()).await?;
        let provider = found.existing()?;
        let output = Output {
            url: provider.name().to_owned(),
            tags: tags::shown(&provider.tags),
            client_ids: provider.audiences,
            thumbprint_list: provider.thumbprints,
            create_date: provider.created,
        };
        Ok(Answer::new(permit, output))
    }
}
