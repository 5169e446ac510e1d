//! GetGroup: a group and its users.

use crate::entities::Group;
use crate::iam::page::Ask;
use crate::iam::shown::{ShownGroup, ShownUser};
use crate::iam::{Error, SOURCE, holder, members, names, page};
use crate::user;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which group, and from where.
    pub struct GetGroup {
        group_name: Text,
        marker: Text,
        max_items: Integer,
    }
}

/// The group, and a page of its users.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    group: ShownGroup,
    users: Vec<ShownUser>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Operation for GetGroup {
    const NAME: &'static str = "GetGroup";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetGroup");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "groupName", self.group_name.as_ref(), 128);
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) =
            holder::admit::<Group, _>(call, txn, self, self.group_name.as_ref()).await?;
        let group = found.existing()?;
        let account = &call.caller.account;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        let (names, marker) = members::page(txn, account, &group.name, ask).await?;
        let mut users = Vec::with_capacity(names.len());
        for name in names {
            let user = user::find_spelled(txn, account, &name).await?;
            users.extend(user.map(|it| ShownUser::listed(&it)));
        }
        let is_truncated = marker.is_some();
        let group = ShownGroup::of(&group);
        Ok(Answer::new(permit, Output { group, users, is_truncated, marker }))
    }
}
