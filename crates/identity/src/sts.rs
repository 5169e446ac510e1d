//! The Security Token Service, over the Query protocol: `GetCallerIdentity`.
//!
//! Source: AWS STS API Reference, version 2011-06-15.

use serde::{Deserialize, Serialize};
use service::{Action, Answer, Call, Fault, Operation, Reply, Row};
use store::Txn;
use wire::{Code, Violations, query, query_error};

/// How the service is spoken to.
pub const SERVICE: query::Service = query::Service { namespace: NAMESPACE, version: VERSION };
/// The namespace of every answer.
pub const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// The API's version, the `Version` of every request.
pub const VERSION: &str = "2011-06-15";
/// Every operation by its name on the wire, in alphabetical order.
pub const OPERATIONS: &[Row] = &[Row::query::<GetCallerIdentity>(&SERVICE)];

/// Who signed this request? Anybody who can sign may ask.
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

/// The question itself can't fail; whoever may not ask isn't a caller.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] service::Refusal);

impl Fault for Error {
    fn code(&self) -> Code {
        Code::query("AccessDenied", 403)
    }
}

impl Operation for GetCallerIdentity {
    const NAME: &'static str = "GetCallerIdentity";
    const SOURCE: &'static str = "sts.amazonaws.com";
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

/// The error `code` as the Query protocol tells it.
pub fn fault(code: &'static str, status: u16, message: &str, request_id: &str) -> Reply {
    let body = query_error(NAMESPACE, code, status, message, request_id);
    Reply { status, body, error: Some(code), cause: None }
}
