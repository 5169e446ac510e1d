//! ListUserTags: the tags of a user.

use crate::iam::page::Ask;
use crate::iam::tags::TagPage;
use crate::iam::{Error, SOURCE, holder, names, page};
use crate::user::User;
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

impl Operation for ListUserTags {
    const NAME: &'static str = "ListUserTags";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListUserTags");
    const READ_ONLY: bool = true;
    type Output = TagPage;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "userName", self.user_name.as_ref(), 128);
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<TagPage>, Error> {
        let (permit, found) =
            holder::admit::<User, _>(call, txn, self, self.user_name.as_ref()).await?;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        Ok(Answer::new(permit, TagPage::of(&found.existing()?.tags, ask)?))
    }
}
