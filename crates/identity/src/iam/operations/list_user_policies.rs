//! ListUserPolicies: the names of the inline policies of a user.

use crate::iam::page::Ask;
use crate::iam::{Error, SOURCE, holder, names, page};
use crate::user::User;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which user, and from where.
    pub struct ListUserPolicies {
        user_name: Text,
        marker: Text,
        max_items: Integer,
    }
}

/// A page of names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policy_names: Vec<String>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Operation for ListUserPolicies {
    const NAME: &'static str = "ListUserPolicies";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListUserPolicies");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "userName", self.user_name.as_ref(), 128);
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) =
            holder::admit::<User, _>(call, txn, self, self.user_name.as_ref()).await?;
        let user = found.existing()?;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        let names = user.given.inline.keys().map(|it| (it.as_str(), it.clone()));
        let (policy_names, marker) = ask.of_items(names)?;
        let is_truncated = marker.is_some();
        Ok(Answer::new(permit, Output { policy_names, is_truncated, marker }))
    }
}
