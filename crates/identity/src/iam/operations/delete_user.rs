//! DeleteUser: removes a user on whom nothing hangs any more.

use crate::iam::{Error, SOURCE, holder, names};
use crate::user::User;
use crate::{access_key, entities, login, service_use, user};
use service::{Action, Answer, Call, Operation, input, principals};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which user.
    pub struct DeleteUser {
        user_name: Text,
    }
}

impl Operation for DeleteUser {
    const NAME: &'static str = "DeleteUser";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:DeleteUser");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "userName", self.user_name.as_ref(), 128);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<User, _>(call, txn, self, self.user_name.as_ref()).await?;
        let user = found.existing()?;
        let account = &call.caller.account;
        holder::holds_nothing(&*user)?;
        if !user.devices.is_empty() {
            return Err(Error::Hangs("Cannot delete entity, must delete MFA device first."));
        }
        if login::find(txn, account, &user.id).await?.is_some() {
            return Err(Error::Hangs("Cannot delete entity, must delete login profile first."));
        }
        let keys = access_key::of_user(txn, account, &user.id).await?;
        if !keys.is_empty() || !user.groups.is_empty() {
            return Err(Error::Hangs(holder::REFERENCED));
        }
        holder::forget_uses(txn, account, &*user);
        service_use::forget(txn, account, &user.id);
        principals::forget(txn, &user.arn, &user.id);
        user::remove(txn, account, &user.name);
        entities::changed(txn, account, call.entropy)?;
        Ok(Answer::new(permit, ()))
    }
}
