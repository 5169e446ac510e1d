//! GetRole: a role, and who may assume it.

use crate::entities::Role;
use crate::iam::shown::ShownRole;
use crate::iam::{Error, SOURCE, documents, holder, names};
use crate::last_use;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which role.
    pub struct GetRole {
        role_name: Text,
    }
}

/// The role.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    role: ShownRole,
}

impl Operation for GetRole {
    const NAME: &'static str = "GetRole";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetRole");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "roleName", self.role_name.as_ref(), 64);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) =
            holder::admit::<Role, _>(call, txn, self, self.role_name.as_ref()).await?;
        let role = found.existing()?;
        let trust = documents::shown_trust(txn, &role).await?;
        let last = last_use::find(txn, &call.caller.account, &role.id).await?;
        Ok(Answer::new(permit, Output { role: ShownRole::with_use(&role, trust, last) }))
    }
}
