//! ListGroupsForUser: the groups of a user.

use crate::entities;
use crate::iam::page::Ask;
use crate::iam::shown::ShownGroup;
use crate::iam::{Error, SOURCE, holder, names, page};
use crate::user::User;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use std::collections::BTreeSet;
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which user, and from where.
    pub struct ListGroupsForUser {
        user_name: Text,
        marker: Text,
        max_items: Integer,
    }
}

/// A page of groups.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    groups: Vec<ShownGroup>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Operation for ListGroupsForUser {
    const NAME: &'static str = "ListGroupsForUser";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListGroupsForUser");
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
        let names: BTreeSet<&str> = user.groups.iter().map(String::as_str).collect();
        let (names, marker) = ask.of_items(names.into_iter().map(|it| (it, it)))?;
        let mut groups = Vec::with_capacity(names.len());
        for name in names {
            let key = (&call.caller.account, name);
            let group = txn.find_shared(&entities::groups(), &key).await?;
            groups.extend(group.map(|it| ShownGroup::of(&it)));
        }
        let is_truncated = marker.is_some();
        Ok(Answer::new(permit, Output { groups, is_truncated, marker }))
    }
}
