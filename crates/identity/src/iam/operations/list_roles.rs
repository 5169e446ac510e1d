//! ListRoles: the roles of the account.

use crate::entities;
use crate::entities::Role;
use crate::iam::page::Ask;
use crate::iam::shown::ShownRole;
use crate::iam::{Error, SOURCE, documents, names, page};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which roles, and from where.
    pub struct ListRoles {
        path_prefix: Text,
        marker: Text,
        max_items: Integer,
    }
}

/// A page of roles.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    roles: Vec<ShownRole>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Operation for ListRoles {
    const NAME: &'static str = "ListRoles";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListRoles");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::prefix(found, self.path_prefix.as_ref());
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let account = &call.caller.account;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        let under = self.path_prefix.as_ref().map_or("/", Text::as_str);
        let wants = |it: &Role| it.path.starts_with(under);
        let (rows, marker) = ask.of_rows(txn, &entities::prefix(account, "role"), wants).await?;
        let mut roles = Vec::with_capacity(rows.len());
        for role in &rows {
            let trust = documents::shown_trust(txn, role).await?;
            roles.push(ShownRole::listed(role, trust));
        }
        let is_truncated = marker.is_some();
        Ok(Answer::new(permit, Output { roles, is_truncated, marker }))
    }
}
