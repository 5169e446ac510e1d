//! CreateGroup: makes a group of users.

use crate::entities::{Given, Group};
use crate::iam::shown::ShownGroup;
use crate::iam::{Error, SOURCE, holder, names};
use crate::{entities, mint};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// What the group is called.
    pub struct CreateGroup {
        path: Text,
        group_name: Text,
    }
}

/// The new group.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    group: ShownGroup,
}

impl Operation for CreateGroup {
    const NAME: &'static str = "CreateGroup";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:CreateGroup");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::path(found, "path", self.path.as_ref());
        names::required(found, "groupName", self.group_name.as_ref(), 128);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let new = (self.path.as_ref(), self.group_name.as_ref());
        let (permit, found) = holder::admit_new::<Group, _>(call, txn, self, new).await?;
        found.absent()?;
        let account = &call.caller.account;
        holder::within_quota::<Group>(txn, &entities::prefix(account, "group")).await?;
        let name = self.group_name.as_ref().map_or("", Text::as_str);
        let group = Group {
            name: name.to_owned(),
            path: self.path.as_ref().map_or("/", Text::as_str).to_owned(),
            id: mint::unique_id("AGPA", call.entropy),
            arn: holder::arn(account, "group", self.path.as_ref(), name),
            created: call.now,
            given: Given::default(),
        };
        holder::save(call, txn, &group)?;
        Ok(Answer::new(permit, Output { group: ShownGroup::of(&group) }))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "group": output.group.recorded() }))
    }
}
