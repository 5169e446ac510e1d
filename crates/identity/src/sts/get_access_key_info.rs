//! GetAccessKeyInfo: which account does an access key belong to? Its id says so, used or not.

use super::{Error, bars, limits};
use crate::session::account_of;
use serde::{Deserialize, Serialize};
use service::{Action, Answer, Call, Operation};
use store::Txn;
use wire::Violations;
use wire::members::Text;

/// Which access key.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub struct GetAccessKeyInfo {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    access_key_id: Option<Text>,
}

/// The account.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccessKeyInfo {
    account: String,
}

impl Operation for GetAccessKeyInfo {
    const NAME: &'static str = "GetAccessKeyInfo";
    const SOURCE: &'static str = super::SOURCE;
    const ACTION: Action = Action("sts:GetAccessKeyInfo");
    const READ_ONLY: bool = true;
    type Output = AccessKeyInfo;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        let id = self.access_key_id.as_ref();
        found.required("accessKeyId", id);
        found.length("accessKeyId", id, 16..=128);
        found.pattern("accessKeyId", id, r"[\w]*", |it| limits::is_made_of(it, b""));
    }

    async fn run(&self, call: &Call<'_>, _: &mut Txn<'_>) -> Result<Answer<AccessKeyInfo>, Error> {
        bars::not_for_users_sessions(call.caller, Self::NAME)?;
        let permit = call.admit(self, call.own_account())?;
        let id = self.access_key_id.as_ref().map_or("", Text::as_str);
        let account = account_of(id).ok_or_else(|| Error::Invalid(format!("{id} is invalid")))?;
        Ok(Answer::new(permit, AccessKeyInfo { account: account.to_string() }))
    }
}
