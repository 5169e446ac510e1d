//! ListAccessKeys: the access keys of a user.

use crate::access_key;
use crate::access_key::Status;
use crate::iam::page::Ask;
use crate::iam::{Error, SOURCE, keys, names, page};
use base::Timestamp;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};
use wire::query::instant;

input! {
    /// Whose; the caller's, if nobody is named.
    pub struct ListAccessKeys {
        user_name: Text,
        marker: Text,
        max_items: Integer,
    }
}

/// A page of access keys.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    access_key_metadata: Vec<Shown>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

/// An access key, without its secret.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Shown {
    user_name: String,
    access_key_id: String,
    status: Status,
    #[serde(serialize_with = "instant")]
    create_date: Timestamp,
}

impl Shown {
    fn of(key: &access_key::AccessKey) -> Self {
        Self {
            user_name: key.user_name.clone(),
            access_key_id: key.id.clone(),
            status: key.status,
            create_date: key.created,
        }
    }
}

impl Operation for ListAccessKeys {
    const NAME: &'static str = "ListAccessKeys";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListAccessKeys");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::optional(found, "userName", self.user_name.as_ref(), 128);
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, user) = keys::admit_owner(call, txn, self, self.user_name.as_ref()).await?;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        let keys = access_key::of_user(txn, &call.caller.account, &user.id).await?;
        let keys = keys.iter().map(|it| (it.id.as_str(), Shown::of(it)));
        let (access_key_metadata, marker) = ask.of_items(keys)?;
        let is_truncated = marker.is_some();
        Ok(Answer::new(permit, Output { access_key_metadata, is_truncated, marker }))
    }
}
