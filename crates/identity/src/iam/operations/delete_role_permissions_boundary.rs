//! DeleteRolePermissionsBoundary: lets a role do all that its policies say.

use crate::entities::Role;
use crate::iam::{Error, SOURCE, holder, names};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which role.
    pub struct DeleteRolePermissionsBoundary {
        role_name: Text,
    }
}

impl Operation for DeleteRolePermissionsBoundary {
    const NAME: &'static str = "DeleteRolePermissionsBoundary";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:DeleteRolePermissionsBoundary");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "roleName", self.role_name.as_ref(), 64);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<Role, _>(call, txn, self, self.role_name.as_ref()).await?;
        let before = found.own()?;
        if before.boundary.is_none() {
            let what = "permissions boundary of role".to_owned();
            return Err(Error::NotFound { what, name: before.name.clone() });
        }
        let role = Role { boundary: None, ..Role::clone(&before) };
        holder::forget_uses(txn, &call.caller.account, &*before);
        holder::note_uses(txn, &call.caller.account, &role)?;
        holder::save(call, txn, &role)?;
        Ok(Answer::new(permit, ()))
    }
}
