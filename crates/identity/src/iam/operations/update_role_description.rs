//! UpdateRoleDescription: changes what a role is for.

use crate::entities::Role;
use crate::iam::shown::ShownRole;
use crate::iam::{Error, SOURCE, documents, holder, names};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which role, and what it is for.
    pub struct UpdateRoleDescription {
        role_name: Text,
        description: Text,
    }
}

/// The role.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    role: ShownRole,
}

impl Operation for UpdateRoleDescription {
    const NAME: &'static str = "UpdateRoleDescription";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:UpdateRoleDescription");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "roleName", self.role_name.as_ref(), 64);
        found.required("description", self.description.as_ref());
        names::description(found, self.description.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) =
            holder::admit::<Role, _>(call, txn, self, self.role_name.as_ref()).await?;
        let mut role = Role::clone(&*found.existing()?);
        role.description = self.description.as_ref().map(|it| it.as_str().to_owned());
        holder::save(call, txn, &role)?;
        let trust = documents::shown_trust(txn, &role).await?;
        Ok(Answer::new(permit, Output { role: ShownRole::listed(&role, trust) }))
    }
}
