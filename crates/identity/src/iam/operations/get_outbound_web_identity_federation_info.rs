//! GetOutboundWebIdentityFederationInfo: whether the account's principals may have tokens for elsewhere, and
//! whose.

use crate::iam::{Error, SOURCE};
use crate::settings;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;

input! {
    /// Nothing: the account is the caller's.
    pub struct GetOutboundWebIdentityFederationInfo {
    }
}

/// Who would issue them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    issuer_identifier: String,
    jwt_vending_enabled: bool,
}

impl Operation for GetOutboundWebIdentityFederationInfo {
    const NAME: &'static str = "GetOutboundWebIdentityFederationInfo";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetOutboundWebIdentityFederationInfo");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, _: &mut Violations) {}

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let settings = settings::find(txn, &call.caller.account).await?;
        let issuer = settings.issuer().ok_or(Error::FederationDisabled)?;
        let output = Output { issuer_identifier: issuer.to_owned(), jwt_vending_enabled: true };
        Ok(Answer::new(permit, output))
    }
}
