//! GenerateServiceLastAccessedDetails: makes a report of who last called which service. It is done with the answer.

use crate::iam::accessed::{self, Subject};
use crate::iam::{Error, SOURCE, names};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, Target, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// About whom or what, and in which detail.
    pub struct GenerateServiceLastAccessedDetails {
        arn: Text,
        granularity: Text,
    }
}

/// What to ask for the report by.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    job_id: String,
}

impl Operation for GenerateServiceLastAccessedDetails {
    const NAME: &'static str = "GenerateServiceLastAccessedDetails";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GenerateServiceLastAccessedDetails");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::arn(found, "arn", self.arn.as_ref());
        found.one_of("granularity", self.granularity.as_ref(), &GRANULARITIES);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let account = &call.caller.account;
        let arn = self.arn.as_ref().map_or("", Text::as_str);
        let permit = call.admit(self, Target::of(account, Some(arn)))?;
        if self.granularity.as_ref().is_some_and(|it| it.as_str() == ACTION_LEVEL) {
            return Err(Error::Input("ACTION_LEVEL: which actions were used is not recorded."));
        }
        let Some(subject) = Subject::find(txn, account, arn).await? else {
            return Err(Error::Missing(format!("ARN {arn} cannot be found.")));
        };
        let job_id = accessed::make(call, txn, (&subject, arn)).await?;
        Ok(Answer::new(permit, Output { job_id }))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "jobId": output.job_id }))
    }
}

const ACTION_LEVEL: &str = "ACTION_LEVEL";
const GRANULARITIES: [&str; 2] = ["SERVICE_LEVEL", ACTION_LEVEL];
