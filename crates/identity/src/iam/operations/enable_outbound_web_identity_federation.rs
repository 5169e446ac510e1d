//! EnableOutboundWebIdentityFederation: lets the account's principals have tokens for elsewhere. No operation
//! here issues any.

use crate::iam::{Error, SOURCE};
use crate::settings;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;

input! {
    /// Nothing: the account is the caller's.
    pub struct EnableOutboundWebIdentityFederation {
    }
}

/// Who would issue them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    issuer_identifier: String,
}

impl Operation for EnableOutboundWebIdentityFederation {
    const NAME: &'static str = "EnableOutboundWebIdentityFederation";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:EnableOutboundWebIdentityFederation");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, _: &mut Violations) {}

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let account = &call.caller.account;
        let mut settings = settings::find(txn, account).await?;
        if settings.issuer().is_some() {
            return Err(Error::FederationEnabled);
        }
        let issuer_identifier = settings.enable(call.entropy);
        settings::save(txn, account, &settings)?;
        Ok(Answer::new(permit, Output { issuer_identifier }))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "issuerIdentifier": output.issuer_identifier }))
    }
}
