//! CreateAccessKey: makes an access key, and shows its secret for the only time.

use crate::access_key;
use crate::access_key::Status;
use crate::iam::{Error, SOURCE, keys, names};
use crate::user::User;
use base::{Sensitive, Timestamp};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::json::secret_text;
use wire::members::Text;
use wire::query::instant;

input! {
    /// Whose; the caller's, if nobody is named.
    pub struct CreateAccessKey {
        user_name: Text,
    }
}

/// The new access key.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    access_key: Shown,
}

/// An access key with its secret.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Shown {
    user_name: String,
    access_key_id: String,
    status: Status,
    #[serde(serialize_with = "secret_text")]
    secret_access_key: Sensitive,
    #[serde(serialize_with = "instant")]
    create_date: Timestamp,
}

impl Shown {
    /// What an audit record tells of it: not its secret.
    fn recorded(&self) -> serde_json::Value {
        let (user, id, status) = (&self.user_name, &self.access_key_id, self.status);
        serde_json::json!({ "userName": user, "accessKeyId": id, "status": status })
    }
}

impl Operation for CreateAccessKey {
    const NAME: &'static str = "CreateAccessKey";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:CreateAccessKey");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::optional(found, "userName", self.user_name.as_ref(), 128);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, user) = keys::admit_owner(call, txn, self, self.user_name.as_ref()).await?;
        let (key, secret) = access_key::make(txn, &keys::scope(call), User::clone(&user)).await?;
        let access_key = Shown {
            user_name: key.user_name,
            access_key_id: key.id,
            status: key.status,
            secret_access_key: secret,
            create_date: key.created,
        };
        Ok(Answer::new(permit, Output { access_key }))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "accessKey": output.access_key.recorded() }))
    }
}
