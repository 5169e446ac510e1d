//! The Security Token Service, over the Query protocol: `GetCallerIdentity`.
//!
//! Source: AWS STS API Reference, version 2011-06-15.

use serde::{Deserialize, Serialize};
use service::{Action, Answer, Call, Failure, Fault, Operation, Ports, Reply, chain, execute};
use store::Txn;
use wire::{Code, Violations, query, query_error};

/// The namespace of every answer.
pub const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// The API's version, the `Version` of every request.
pub const VERSION: &str = "2011-06-15";
/// The operations that are built.
pub const OPERATIONS: [&str; 1] = [GetCallerIdentity::NAME];

/// Who signed this request? Anybody who can sign may ask.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct GetCallerIdentity;

/// The caller, as it is named in policies and records.
#[derive(Debug, Serialize)]
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
        Code::ACCESS_DENIED
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

/// Answers `GetCallerIdentity`, in XML.
pub async fn get_caller_identity(call: &Call<'_>, ports: Ports<'_>) -> Reply {
    let request_id = call.request_id.to_string();
    match execute(call, &GetCallerIdentity, ports).await {
        Ok(CallerIdentity { arn, user_id, account }) => {
            let members = [("Arn", arn), ("UserId", user_id), ("Account", account)];
            let members: String =
                members.iter().map(|(name, text)| query::element(name, text)).collect();
            let body = query::response(NAMESPACE, GetCallerIdentity::NAME, &members, &request_id);
            Reply { status: 200, body, error: None, cause: None }
        }
        Err(Failure::Busy) => fault("Throttling", 400, "Rate exceeded", &request_id),
        Err(Failure::Operation(Error(refusal))) => {
            fault("AccessDenied", 403, &refusal.to_string(), &request_id)
        }
        Err(Failure::Store(error)) => internal(chain(&error), &request_id),
        Err(Failure::Trail(error)) => internal(chain(&error), &request_id),
    }
}

/// The error `code` as the Query protocol tells it.
pub fn fault(code: &'static str, status: u16, message: &str, request_id: &str) -> Reply {
    let body = query_error(NAMESPACE, code, status, message, request_id);
    Reply { status, body, error: Some(code), cause: None }
}

fn internal(cause: String, request_id: &str) -> Reply {
    let text = "An internal error has occurred. Retry your query.";
    Reply { cause: Some(cause), ..fault("InternalFailure", 500, text, request_id) }
}
