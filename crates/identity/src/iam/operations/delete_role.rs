//! DeleteRole: removes a role on which nothing hangs any more.

use crate::entities::Role;
use crate::iam::{Error, SOURCE, holder, names, profiles};
use crate::{entities, last_use, service_use};
use service::{Action, Answer, Call, Operation, input, principals};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which role.
    pub struct DeleteRole {
        role_name: Text,
    }
}

impl Operation for DeleteRole {
    const NAME: &'static str = "DeleteRole";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:DeleteRole");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "roleName", self.role_name.as_ref(), 64);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<Role, _>(call, txn, self, self.role_name.as_ref()).await?;
        let role = found.own()?;
        let account = &call.caller.account;
        holder::holds_nothing(&*role)?;
        if profiles::any(txn, account, &role.name).await? {
            return Err(Error::Hangs(profiles::IN_USE));
        }
        remove(call, txn, &role)?;
        Ok(Answer::new(permit, ()))
    }
}

/// Removes `role` and all that is known of it.
pub(crate) fn remove(call: &Call<'_>, txn: &mut Txn<'_>, role: &Role) -> Result<(), store::Error> {
    let account = &call.caller.account;
    holder::forget_uses(txn, account, role);
    last_use::forget(txn, account, &role.id);
    service_use::forget(txn, account, &role.id);
    principals::forget(txn, &role.arn, &role.id);
    txn.remove(&entities::roles(), &(account, &role.name));
    entities::changed(txn, account, call.entropy)
}
