//! DeleteUserPermissionsBoundary: lets a user do all that its policies say.

use crate::iam::{Error, SOURCE, holder, names};
use crate::user::User;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which user.
    pub struct DeleteUserPermissionsBoundary {
        user_name: Text,
    }
}

impl Operation for DeleteUserPermissionsBoundary {
    const NAME: &'static str = "DeleteUserPermissionsBoundary";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:DeleteUserPermissionsBoundary");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "userName", self.user_name.as_ref(), 64);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<User, _>(call, txn, self, self.user_name.as_ref()).await?;
        let before = found.existing()?;
        if before.boundary.is_none() {
            let what = "permissions boundary of user".to_owned();
            return Err(Error::NotFound { what, name: before.name.clone() });
        }
        let user = User { boundary: None, ..User::clone(&before) };
        holder::forget_uses(txn, &call.caller.account, &*before);
        holder::note_uses(txn, &call.caller.account, &user)?;
        holder::save(call, txn, &user)?;
        Ok(Answer::new(permit, ()))
    }
}
