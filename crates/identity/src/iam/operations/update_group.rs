//! UpdateGroup: gives a group another name or path.

use crate::entities;
use crate::entities::Group;
use crate::iam::{Error, SOURCE, holder, members, names};
use service::{Action, Answer, Call, Operation, Target, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which group, and what changes.
    pub struct UpdateGroup {
        group_name: Text,
        new_path: Text,
        new_group_name: Text,
    }
}

impl Operation for UpdateGroup {
    const NAME: &'static str = "UpdateGroup";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:UpdateGroup");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "groupName", self.group_name.as_ref(), 128);
        names::path(found, "newPath", self.new_path.as_ref());
        names::optional(found, "newGroupName", self.new_group_name.as_ref(), 128);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<Group, _>(call, txn, self, self.group_name.as_ref()).await?;
        let before = found.existing()?;
        let account = &call.caller.account;
        let mut group = Group::clone(&before);
        if let Some(name) = &self.new_group_name {
            name.as_str().clone_into(&mut group.name);
        }
        if let Some(path) = &self.new_path {
            path.as_str().clone_into(&mut group.path);
        }
        group.arn = format!("arn:aws:iam::{account}:group{}{}", group.path, group.name);
        // Who renames may do so to what the group becomes, too.
        call.authorize(Self::ACTION, Target::of(account, Some(&group.arn)))?;
        let taken = txn.find_shared(&entities::groups(), &(account, &group.name)).await?;
        if taken.is_some_and(|it| it.id != group.id) {
            return Err(Error::Exists { what: "Group", name: group.name });
        }
        members::rename(txn, account, &before.name, &group.name).await?;
        holder::forget_uses(txn, account, &*before);
        txn.remove(&entities::groups(), &(account, &before.name));
        holder::note_uses(txn, account, &group)?;
        holder::save(call, txn, &group)?;
        Ok(Answer::new(permit, ()))
    }
}
