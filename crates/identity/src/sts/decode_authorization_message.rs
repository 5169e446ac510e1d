//! DecodeAuthorizationMessage: why was a call denied? Its message says so, to its own account.

use super::{Error, bars};
use crate::authorization;
use serde::{Deserialize, Serialize};
use service::{Action, Answer, Call, Operation};
use store::Txn;
use wire::Violations;
use wire::members::Text;

/// Which message.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub struct DecodeAuthorizationMessage {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    encoded_message: Option<Text>,
}

/// What it says.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Decoded {
    decoded_message: String,
}

impl Operation for DecodeAuthorizationMessage {
    const NAME: &'static str = "DecodeAuthorizationMessage";
    const SOURCE: &'static str = super::SOURCE;
    const ACTION: Action = Action("sts:DecodeAuthorizationMessage");
    const READ_ONLY: bool = true;
    type Output = Decoded;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        let message = self.encoded_message.as_ref();
        found.required("encodedMessage", message);
        found.length("encodedMessage", message, 1..=authorization::MAX_LEN);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Decoded>, Error> {
        bars::not_for_users_sessions(call.caller, Self::NAME)?;
        let permit = call.admit(self, call.own_account())?;
        let account = &call.caller.account;
        let scope = kms::Scope {
            keyring: call.keyring,
            entropy: call.entropy,
            now: call.now,
            account,
            region: call.region,
        };
        let text = self.encoded_message.as_ref().map_or("", Text::as_str);
        let opened = authorization::open(txn, &scope, account, text).await;
        let message = opened.map_err(crate::Error::from)?.ok_or(Error::Message)?;
        let decoded_message = message.decoded().to_string();
        Ok(Answer::new(permit, Decoded { decoded_message }))
    }
}
