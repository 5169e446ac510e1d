//! PutUserPermissionsBoundary: sets what a user can do at most.

use crate::iam::{Error, SOURCE, condition, holder, names, policies};
use crate::user::User;
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which user, and which policy.
    pub struct PutUserPermissionsBoundary {
        user_name: Text,
        permissions_boundary: Text,
    }
}

impl Operation for PutUserPermissionsBoundary {
    const NAME: &'static str = "PutUserPermissionsBoundary";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:PutUserPermissionsBoundary");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "userName", self.user_name.as_ref(), 64);
        names::arn(found, "permissionsBoundary", self.permissions_boundary.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        condition::boundary(self.permissions_boundary.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<User, _>(call, txn, self, self.user_name.as_ref()).await?;
        let before = found.existing()?;
        let given = self.permissions_boundary.as_ref();
        let boundary = policies::attachable(txn, &call.caller.account, given).await?;
        let user = User { boundary: Some(boundary), ..User::clone(&before) };
        holder::forget_uses(txn, &call.caller.account, &*before);
        holder::note_uses(txn, &call.caller.account, &user)?;
        holder::save(call, txn, &user)?;
        Ok(Answer::new(permit, ()))
    }
}
