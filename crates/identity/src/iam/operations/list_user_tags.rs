//! ListUserTags: the tags of a user.

use crate::iam::page::Ask;
use crate::iam::tags::Tag;
use crate::iam::{Error, SOURCE, holder, names, page, tags};
use crate::user::User;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which user, and from where.
    pub struct ListUserTags {
        user_name: Text,
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

impl Operation for ListUserTags {
    const NAME: &'static str = "ListUserTags";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListUserTags");
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
        let (tags, marker) = tags::page(&user.tags, ask)?;
        let is_truncated = marker.is_some();
        Ok(Answer::new(permit, Output { tags, is_truncated, marker }))
    }
}
