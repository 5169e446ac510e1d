//! GetSessionToken: temporary credentials for the caller itself.

use super::answer::TemporaryCredentials;
use super::second_factor::Shown;
use super::{Error, bars, begin, limits};
use crate::session::{Claims, Principal};
use policy::engine::Values;
use serde::{Deserialize, Serialize};
use service::{Action, Answer, Call, Kind, Operation};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, SecretText, Text};

/// For how long, and with which second factor.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub struct GetSessionToken {
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_seconds: Option<Integer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_number: Option<Text>,
    #[serde(skip_serializing)]
    token_code: Option<SecretText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum_session_token_size: Option<Integer>,
}

/// The credentials.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Issued {
    credentials: TemporaryCredentials,
    session_token_utilization: usize,
    session_token_size: usize,
}

impl Operation for GetSessionToken {
    const NAME: &'static str = "GetSessionToken";
    const SOURCE: &'static str = super::SOURCE;
    const ACTION: Action = Action("sts:GetSessionToken");
    const READ_ONLY: bool = true;
    type Output = Issued;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        found.range("durationSeconds", self.duration_seconds, limits::OF_USER);
        limits::second_factor(found, self.second_factor());
        limits::token_size(found, self.minimum_session_token_size);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        self.second_factor().condition(key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Issued>, Error> {
        bars::long_term_only(call.caller, Self::NAME)?;
        let permit = call.admit(self, call.own_account())?;
        let mfa = self.second_factor().take(call, txn).await?;
        let claims = Claims { mfa, ..self.claims(call) };
        let least = self.minimum_session_token_size;
        let (credentials, _) = begin::issue(call, txn, &claims, least).await?;
        let size = credentials.size();
        let token = Issued {
            credentials,
            session_token_utilization: size.utilization,
            session_token_size: size.characters,
        };
        Ok(Answer::new(permit, token))
    }

    /// A code that isn't noted could be used again.
    fn only_marks(&self) -> bool {
        self.serial_number.is_none()
    }

    fn elements(output: &Issued) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "credentials": output.credentials.elements() }))
    }
}

impl GetSessionToken {
    fn second_factor(&self) -> Shown<'_> {
        Shown { serial: self.serial_number.as_ref(), code: self.token_code.as_ref() }
    }

    fn claims(&self, call: &Call<'_>) -> Claims {
        let caller = call.caller;
        let principal = match caller.kind {
            Kind::Root => Principal::Root,
            _ => Principal::User { arn: caller.arn.clone(), id: caller.principal_id.clone() },
        };
        let lifetime = limits::lifetime_of_user(caller, self.duration_seconds);
        let parent = Some(caller.access_key_id.clone());
        Claims { parent, ..begin::claims(call, &caller.account, principal, lifetime) }
    }
}
