//! AddClientIDToOpenIDConnectProvider: tokens of an issuer may be for one more audience.

use crate::iam::{Error, SOURCE, providers};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which provider, and the audience.
    pub struct AddClientIDToOpenIDConnectProvider {
        #[serde(rename(deserialize = "OpenIDConnectProviderArn", serialize = "openIDConnectProviderArn"))]
        arn: Text,
        #[serde(rename(deserialize = "ClientID", serialize = "clientID"))]
        client_id: Text,
    }
}

impl Operation for AddClientIDToOpenIDConnectProvider {
    const NAME: &'static str = "AddClientIDToOpenIDConnectProvider";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:AddClientIDToOpenIDConnectProvider");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        providers::arn(found, self.arn.as_ref());
        providers::client_id(found, self.client_id.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) = providers::admit(call, txn, self, self.arn.as_ref()).await?;
        let mut provider = found.existing()?;
        let given = self.client_id.as_slice();
        provider.audiences = providers::with_audiences(provider.audiences, given)?;
        providers::save(call, txn, &provider)?;
        Ok(Answer::new(permit, ()))
    }
}
