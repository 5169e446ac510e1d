//! RemoveUserFromGroup: takes a user out of a group.

use crate::entities::Group;
use crate::iam::{Error, SOURCE, holder, members, names};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which group, and which user.
    pub struct RemoveUserFromGroup {
        group_name: Text,
        user_name: Text,
    }
}

impl Operation for RemoveUserFromGroup {
    const NAME: &'static str = "RemoveUserFromGroup";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:RemoveUserFromGroup");
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
        if user.groups.contains(&group.name) {
            user.groups.retain(|it| *it != group.name);
            members::remove(txn, &call.caller.account, &group.name, &user.name);
            holder::save(call, txn, &user)?;
        }
        Ok(Answer::new(permit, ()))
    }
}
