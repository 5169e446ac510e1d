//! GenerateCredentialReport: makes a report of all users' credentials, unless there is one of the last four hours.
//! It is done with the answer.

use crate::credential_report::{self, GOOD};
use crate::iam::{Error, SOURCE};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;

input! {
    /// Nothing: the account is the caller's.
    pub struct GenerateCredentialReport {
    }
}

/// That there is a report.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    state: &'static str,
}

impl Operation for GenerateCredentialReport {
    const NAME: &'static str = "GenerateCredentialReport";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GenerateCredentialReport");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, _: &mut Violations) {}

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let account = &call.caller.account;
        let last = credential_report::find(txn, account).await?;
        if last.is_none_or(|it| GOOD < call.now.since(it.made)) {
            credential_report::make(txn, account, call.now).await?;
        }
        Ok(Answer::new(permit, Output { state: "COMPLETE" }))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "state": output.state }))
    }
}
