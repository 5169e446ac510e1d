//! CreateOpenIDConnectProvider: makes an issuer known, so that roles can trust its tokens.

use crate::iam::tags::{Tag, TagsGiven};
use crate::iam::{Error, SOURCE, providers, tags};
use crate::oidc_provider::{self, OidcProvider};
use oidc::Issuer;
use policy::engine::Values;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, Target, input};
use store::Txn;
use wire::Violations;
use wire::members::{List, Text};

input! {
    /// The issuer's address, and whom its tokens may be for.
    pub struct CreateOpenIDConnectProvider {
        url: Text,
        #[serde(rename(deserialize = "ClientIDList", serialize = "clientIDList"))]
        client_id_list: List<Text>,
        thumbprint_list: List<Text>,
        tags: TagsGiven,
    }
}

/// The new provider.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    tags: Vec<Tag>,
}

impl Operation for CreateOpenIDConnectProvider {
    const NAME: &'static str = "CreateOpenIDConnectProvider";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:CreateOpenIDConnectProvider");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        found.required("url", self.url.as_ref());
        found.length("url", self.url.as_ref(), 1..=255);
        found.each("clientIDList", self.client_id_list.as_ref(), 1..=255);
        found.each("thumbprintList", self.thumbprint_list.as_ref(), 40..=40);
        tags::constraints(found, self.tags.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tags::condition(self.tags.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let account = &call.caller.account;
        let url = self.url.as_ref().map_or("", Text::as_str);
        let name = url.split_once("://").map_or(url, |it| it.1);
        let arn = oidc_provider::arn(account, name);
        let permit = call.admit(self, Target::of(account, Some(&arn)))?;
        tags::permit(call, self, (TAG, &arn), self.tags.as_ref())?;
        let issuer = Issuer::parse(url).map_err(|_| Error::Invalid(NO_URL.to_owned()))?;
        if oidc_provider::find(txn, account, name).await?.is_some() {
            return Err(Error::ProviderExists(url.to_owned()));
        }
        providers::within_quota(call, txn).await?;
        let given = self.client_id_list.as_ref().map_or(&[][..], List::as_slice);
        let provider = OidcProvider {
            audiences: providers::with_audiences(Vec::new(), given)?,
            thumbprints: providers::thumbprints(self.thumbprint_list.as_ref())?,
            tags: tags::merged(&Vec::new(), self.tags.as_ref())?,
            ..OidcProvider::new(account, &issuer, call.now)
        };
        providers::save(call, txn, &provider)?;
        let tags = tags::shown(&provider.tags);
        Ok(Answer::new(permit, Output { arn, tags }))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "openIDConnectProviderArn": output.arn }))
    }
}

const NO_URL: &str = "Invalid Open ID Connect Provider URL";

const TAG: Action = Action("iam:TagOpenIDConnectProvider");
