//! DeleteServiceLinkedRole: removes a service's role. It is done with the answer: no service here uses one.

use crate::entities::Role;
use crate::iam::operations::delete_role;
use crate::iam::{Error, SOURCE, holder, linked, names};
use base::Uuid;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which role.
    pub struct DeleteServiceLinkedRole {
        role_name: Text,
    }
}

/// What to ask for the outcome by.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    deletion_task_id: String,
}

impl Operation for DeleteServiceLinkedRole {
    const NAME: &'static str = "DeleteServiceLinkedRole";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:DeleteServiceLinkedRole");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "roleName", self.role_name.as_ref(), 64);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) =
            holder::admit::<Role, _>(call, txn, self, self.role_name.as_ref()).await?;
        let role = found.existing()?;
        let Some(service) = &role.linked else {
            let what = "service-linked role".to_owned();
            return Err(Error::NotFound { what, name: role.name.clone() });
        };
        let id = Uuid::random(call.entropy);
        let task = format!("task{}{service}/{}/{id}", linked::PATH, role.name);
        linked::note(txn, &call.caller.account, (task.clone(), call.now)).await?;
        delete_role::remove(call, txn, &role)?;
        Ok(Answer::new(permit, Output { deletion_task_id: task }))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "deletionTaskId": output.deletion_task_id }))
    }
}
