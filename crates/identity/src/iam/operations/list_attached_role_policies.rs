//! ListAttachedRolePolicies: the managed policies of a role.

use crate::entities::Role;
use crate::iam::attachments::AttachedPage;
use crate::iam::page::Ask;
use crate::iam::{Error, SOURCE, holder, names, page};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which role, and from where.
    pub struct ListAttachedRolePolicies {
        role_name: Text,
        path_prefix: Text,
        marker: Text,
        max_items: Integer,
    }
}

impl Operation for ListAttachedRolePolicies {
    const NAME: &'static str = "ListAttachedRolePolicies";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListAttachedRolePolicies");
    const READ_ONLY: bool = true;
    type Output = AttachedPage;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "roleName", self.role_name.as_ref(), 64);
        names::policy_path(found, "pathPrefix", self.path_prefix.as_ref());
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<AttachedPage>, Error> {
        let (permit, found) =
            holder::admit::<Role, _>(call, txn, self, self.role_name.as_ref()).await?;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        Ok(Answer::new(
            permit,
            AttachedPage::of(&*found.existing()?, self.path_prefix.as_ref(), ask)?,
        ))
    }
}
