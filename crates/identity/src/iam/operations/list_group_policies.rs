//! ListGroupPolicies: the names of the inline policies of a group.

use crate::entities::Group;
use crate::iam::page::Ask;
use crate::iam::{Error, SOURCE, holder, names, page};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which group, and from where.
    pub struct ListGroupPolicies {
        group_name: Text,
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

impl Operation for ListGroupPolicies {
    const NAME: &'static str = "ListGroupPolicies";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListGroupPolicies");
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
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        let names = group.given.inline.keys().map(|it| (it.as_str(), it.clone()));
        let (policy_names, marker) = ask.of_items(names)?;
        let is_truncated = marker.is_some();
        Ok(Answer::new(permit, Output { policy_names, is_truncated, marker }))
    }
}
