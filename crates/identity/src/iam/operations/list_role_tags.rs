//! ListRoleTags: the tags of a role.

use crate::entities::Role;
use crate::iam::page::Ask;
use crate::iam::tags::Tag;
use crate::iam::{Error, SOURCE, holder, names, page, tags};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which role, and from where.
    pub struct ListRoleTags {
        role_name: Text,
        marker: Text,
        max_items: Integer,
    }
}

/// A page of tags.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    tags: Vec<Tag>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Operation for ListRoleTags {
    const NAME: &'static str = "ListRoleTags";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListRoleTags");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "roleName", self.role_name.as_ref(), 64);
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) =
            holder::admit::<Role, _>(call, txn, self, self.role_name.as_ref()).await?;
        let role = found.existing()?;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        let (tags, marker) = tags::page(&role.tags, ask)?;
        let is_truncated = marker.is_some();
        Ok(Answer::new(permit, Output { tags, is_truncated, marker }))
    }
}
