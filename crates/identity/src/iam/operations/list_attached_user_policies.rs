//! ListAttachedUserPolicies: the managed policies of a user.

use crate::iam::attachments::AttachedPage;
use crate::iam::page::Ask;
use crate::iam::{Error, SOURCE, holder, names, page};
use crate::user::User;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which user, and from where.
    pub struct ListAttachedUserPolicies {
        user_name: Text,
        path_prefix: Text,
        marker: Text,
        max_items: Integer,
    }
}

impl Operation for ListAttachedUserPolicies {
    const NAME: &'static str = "ListAttachedUserPolicies";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListAttachedUserPolicies");
    const READ_ONLY: bool = true;
    type Output = AttachedPage;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "userName", self.user_name.as_ref(), 128);
        names::policy_path(found, "pathPrefix", self.path_prefix.as_ref());
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<AttachedPage>, Error> {
        let (permit, found) =
            holder::admit::<User, _>(call, txn, self, self.user_name.as_ref()).await?;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        Ok(Answer::new(
            permit,
            AttachedPage::of(&*found.existing()?, self.path_prefix.as_ref(), ask)?,
        ))
    }
}
