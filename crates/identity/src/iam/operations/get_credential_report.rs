//! GetCredentialReport: the last report of all users' credentials.

use crate::credential_report::{self, GOOD};
use crate::iam::{Error, SOURCE};
use base::{Sensitive, Timestamp};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::json::blob;
use wire::query::instant;

input! {
    /// Nothing: the account is the caller's.
    pub struct GetCredentialReport {
    }
}

/// The report.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    #[serde(serialize_with = "blob")]
    content: Sensitive,
    report_format: &'static str,
    #[serde(serialize_with = "instant")]
    generated_time: Timestamp,
}

impl Operation for GetCredentialReport {
    const NAME: &'static str = "GetCredentialReport";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetCredentialReport");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, _: &mut Violations) {}

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let account = &call.caller.account;
        let found = credential_report::find(txn, account).await?;
        let report = found.ok_or(Error::ReportMissing)?;
        if GOOD < call.now.since(report.made) {
            return Err(Error::ReportExpired);
        }
        let text = credential_report::text(txn, account, &report).await?;
        let (content, generated_time) = (Sensitive::from(text), report.made);
        Ok(Answer::new(permit, Output { content, report_format: "text/csv", generated_time }))
    }
}
