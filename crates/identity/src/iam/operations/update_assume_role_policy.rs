//! UpdateAssumeRolePolicy: changes who may assume a role.

use crate::entities::Role;
use crate::iam::{Error, SOURCE, documents, holder, names};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which role, and who may assume it.
    pub struct UpdateAssumeRolePolicy {
        role_name: Text,
        policy_document: Text,
    }
}

impl Operation for UpdateAssumeRolePolicy {
    const NAME: &'static str = "UpdateAssumeRolePolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:UpdateAssumeRolePolicy");
    const READ_ONLY: bool = false;
    type Output = ();
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "roleName", self.role_name.as_ref(), 64);
        names::document(found, "policyDocument", self.policy_document.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<()>, Error> {
        let (permit, found) =
            holder::admit::<Role, _>(call, txn, self, self.role_name.as_ref()).await?;
        let before = found.own()?;
        let (trust, pins) = documents::trust(txn, self.policy_document.as_ref()).await?;
        holder::save(call, txn, &Role { trust, pins, ..Role::clone(&before) })?;
        Ok(Answer::new(permit, ()))
    }
}
