//! ListAccountAliases: the account's other name, if it has one.

use crate::iam::page::Ask;
use crate::iam::{Error, SOURCE, aliases, page};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// From where.
    pub struct ListAccountAliases {
        marker: Text,
        max_items: Integer,
    }
}

/// The names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    account_aliases: Vec<String>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Operation for ListAccountAliases {
    const NAME: &'static str = "ListAccountAliases";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListAccountAliases");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        let alias = aliases::of(txn, &call.caller.account).await?;
        let alias = alias.iter().map(|it| (it.as_str(), it.clone()));
        let (account_aliases, marker) = ask.of_items(alias)?;
        let is_truncated = marker.is_some();
        Ok(Answer::new(permit, Output { account_aliases, is_truncated, marker }))
    }
}
