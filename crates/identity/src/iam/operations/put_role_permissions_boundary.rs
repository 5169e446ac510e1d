//! PutRolePermissionsBoundary: sets what a role can do at most.

use crate::entities::Role;
use crate::iam::{Error, SOURCE, condition, holder, names, policies};
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which role, and which policy.
    pub struct PutRolePermissionsBoundary {
        role_name: Text,
        permissions_boundary: Text,
    }
}

impl Operation for PutRolePermissionsBoundary {
    const NAME: &'static str = "PutRolePermissionsBoundary";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:PutRolePermissionsBoundary");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "roleName", self.role_name.as_ref(), 64);
        names::arn(found, "permissionsBoundary", self.permissions_boundary.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        condition::boundary(self.permissions_boundary.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<Role, _>(call, txn, self, self.role_name.as_ref()).await?;
        let before = found.own()?;
        let given = self.permissions_boundary.as_ref();
        let boundary = policies::attachable(txn, &call.caller.account, given).await?;
        let role = Role { boundary: Some(boundary), ..Role::clone(&before) };
        holder::forget_uses(txn, &call.caller.account, &*before);
        holder::note_uses(txn, &call.caller.account, &role)?;
        holder::save(call, txn, &role)?;
        Ok(Answer::new(permit, ()))
    }
}
