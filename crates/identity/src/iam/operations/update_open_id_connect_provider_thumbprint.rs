//! UpdateOpenIDConnectProviderThumbprint: other certificates vouch for an issuer.

use crate::iam::{Error, SOURCE, providers};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{List, Text};

input! {
    /// Which provider, and all its thumbprints.
    pub struct UpdateOpenIDConnectProviderThumbprint {
        #[serde(rename(deserialize = "OpenIDConnectProviderArn", serialize = "openIDConnectProviderArn"))]
        arn: Text,
        thumbprint_list: List<Text>,
    }
}

impl Operation for UpdateOpenIDConnectProviderThumbprint {
    const NAME: &'static str = "UpdateOpenIDConnectProviderThumbprint";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:UpdateOpenIDConnectProviderThumbprint");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        providers::arn(found, self.arn.as_ref());
        found.required("thumbprintList", self.thumbprint_list.as_ref());
        found.each("thumbprintList", self.thumbprint_list.as_ref(), 40..=40);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) = providers::admit(call, txn, self, self.arn.as_ref()).await?;
        let mut provider = found.existing()?;
        provider.thumbprints = providers::thumbprints(self.thumbprint_list.as_ref())?;
        providers::save(call, txn, &provider)?;
        Ok(Answer::new(permit, ()))
    }
}
