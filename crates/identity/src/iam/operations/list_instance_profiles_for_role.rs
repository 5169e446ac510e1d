//! ListInstanceProfilesForRole: the instance profiles that a role is in.

use crate::entities::Role;
use crate::iam::page::Ask;
use crate::iam::shown::ProfilePage;
use crate::iam::{Error, SOURCE, holder, names, page, profiles};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which role, and from where.
    pub struct ListInstanceProfilesForRole {
        role_name: Text,
        marker: Text,
        max_items: Integer,
    }
}

impl Operation for ListInstanceProfilesForRole {
    const NAME: &'static str = "ListInstanceProfilesForRole";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListInstanceProfilesForRole");
    const READ_ONLY: bool = true;
    type Output = ProfilePage;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "roleName", self.role_name.as_ref(), 64);
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<ProfilePage>, Error> {
        let (permit, found) =
            holder::admit::<Role, _>(call, txn, self, self.role_name.as_ref()).await?;
        let role = found.existing()?;
        let account = &call.caller.account;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        let (found, marker) = profiles::of_role(txn, account, &role.name, ask).await?;
        let shown = profiles::shown(txn, account, found).await?;
        Ok(Answer::new(permit, ProfilePage::of(shown, marker)))
    }
}
