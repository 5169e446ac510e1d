//! GetCallerIdentity: who signed this request? Anybody who can sign may ask.

use super::Error;
use serde::{Deserialize, Serialize};
use service::{Action, Answer, Call, Operation};
use store::Txn;
use wire::Violations;

/// No parameters.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct GetCallerIdentity;

/// The caller, as it is named in policies and records.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CallerIdentity {
    arn: String,
    user_id: String,
    account: String,
}

impl Operation for GetCallerIdentity {
    const NAME: &'static str = "GetCallerIdentity";
    const SOURCE: &'static str = super::SOURCE;
    const ACTION: Action = Action("sts:GetCallerIdentity");
    const READ_ONLY: bool = true;
    type Output = CallerIdentity;
    type Error = Error;

    fn constraints(&self, _: &mut Violations) {}

    async fn run(&self, call: &Call<'_>, _: &mut Txn<'_>) -> Result<Answer<CallerIdentity>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let caller = call.caller;
        let identity = CallerIdentity {
            arn: caller.arn.clone(),
            user_id: caller.principal_id.clone(),
            account: caller.account.to_string(),
        };
        Ok(Answer::new(permit, identity))
    }
}
