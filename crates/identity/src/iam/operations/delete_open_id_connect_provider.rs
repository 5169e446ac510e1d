//! DeleteOpenIDConnectProvider: forgets an issuer. Who isn't there is forgotten already.

use crate::iam::{Error, SOURCE, providers};
use crate::oidc_provider;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which provider.
    pub struct DeleteOpenIDConnectProvider {
        #[serde(rename(deserialize = "OpenIDConnectProviderArn", serialize = "openIDConnectProviderArn"))]
        arn: Text,
    }
}

impl Operation for DeleteOpenIDConnectProvider {
    const NAME: &'static str = "DeleteOpenIDConnectProvider";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:DeleteOpenIDConnectProvider");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        providers::arn(found, self.arn.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) = providers::admit(call, txn, self, self.arn.as_ref()).await?;
        if let Some(provider) = found.if_any() {
            oidc_provider::remove(txn, &call.caller.account, &provider, call.entropy)?;
        }
        Ok(Answer::new(permit, ()))
    }
}
