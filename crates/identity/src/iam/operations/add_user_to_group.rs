//! AddUserToGroup: makes a user one of a group.

use crate::entities::Group;
use crate::iam::{Error, SOURCE, documents, holder, members, names};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which group, and which user.
    pub struct AddUserToGroup {
        group_name: Text,
        user_name: Text,
    }
}

impl Operation for AddUserToGroup {
    const NAME: &'static str = "AddUserToGroup";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:AddUserToGroup");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "groupName", self.group_name.as_ref(), 128);
        names::required(found, "userName", self.user_name.as_ref(), 128);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<Group, _>(call, txn, self, self.group_name.as_ref()).await?;
        let group = found.existing()?;
        let mut user = members::load_user(call, txn, self.user_name.as_ref()).await?;
        if !user.groups.contains(&group.name) {
            if user.groups.len() >= members::MOST_GROUPS {
                return Err(documents::exceeded("GroupsPerUser", members::MOST_GROUPS));
            }
            user.groups.push(group.name.clone());
            members::add(txn, &call.caller.account, &group.name, &user.name)?;
            holder::save(call, txn, &user)?;
        }
        Ok(Answer::new(permit, ()))
    }
}
