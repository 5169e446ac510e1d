//! ListRoleTags: the tags of a role.

use crate::entities::Role;
use crate::iam::page::Ask;
use crate::iam::tags::TagPage;
use crate::iam::{Error, SOURCE, holder, names, page};
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

impl Operation for ListRoleTags {
    const NAME: &'static str = "ListRoleTags";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListRoleTags");
    const READ_ONLY: bool = true;
    type Output = TagPage;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "roleName", self.role_name.as_ref(), 64);
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<TagPage>, Error> {
        let (permit, found) =
            holder::admit::<Role, _>(call, txn, self, self.role_name.as_ref()).await?;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        Ok(Answer::new(permit, TagPage::of(&found.existing()?.tags, ask)?))
    }
}
