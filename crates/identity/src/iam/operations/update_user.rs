//! UpdateUser: gives a user another name or path.

use crate::iam::{Error, SOURCE, devices, holder, members, names};
use crate::user::User;
use crate::{access_key, user};
use service::{Action, Answer, Call, Operation, Target, input, principals};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which user, and what changes.
    pub struct UpdateUser {
        user_name: Text,
        new_path: Text,
        new_user_name: Text,
    }
}

impl Operation for UpdateUser {
    const NAME: &'static str = "UpdateUser";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:UpdateUser");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "userName", self.user_name.as_ref(), 128);
        names::path(found, "newPath", self.new_path.as_ref());
        names::optional(found, "newUserName", self.new_user_name.as_ref(), 64);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<User, _>(call, txn, self, self.user_name.as_ref()).await?;
        let before = found.existing()?;
        let account = &call.caller.account;
        let mut user = User::clone(&before);
        if let Some(name) = &self.new_user_name {
            name.as_str().clone_into(&mut user.name);
        }
        if let Some(path) = &self.new_path {
            path.as_str().clone_into(&mut user.path);
        }
        user.arn = format!("arn:aws:iam::{account}:user{}{}", user.path, user.name);
        // Who renames may do so to what the user becomes, too.
        call.authorize(Self::ACTION, Target::of(account, Some(&user.arn)))?;
        let taken = user::find_spelled(txn, account, &user.name).await?;
        if taken.is_some_and(|it| it.id != user.id) {
            return Err(Error::Exists { what: "User", name: user.name });
        }
        rename(call, txn, &before, &user).await?;
        Ok(Answer::new(permit, ()))
    }
}

/// Moves all that is found by the user's name or ARN.
async fn rename(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    before: &User,
    user: &User,
) -> Result<(), Error> {
    let account = &call.caller.account;
    holder::forget_uses(txn, account, before);
    principals::forget(txn, &before.arn, &before.id);
    user::remove(txn, account, &before.name);
    for group in &user.groups {
        members::remove(txn, account, group, &before.name);
        members::add(txn, account, group, &user.name)?;
    }
    for key in access_key::of_user(txn, account, &user.id).await? {
        access_key::rename(txn, key, user)?;
    }
    devices::rename(txn, account, user).await?;
    principals::register(txn, &user.arn, &user.id)?;
    holder::note_uses(txn, account, user)?;
    Ok(holder::save(call, txn, user)?)
}
