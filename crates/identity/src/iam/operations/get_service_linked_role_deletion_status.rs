//! GetServiceLinkedRoleDeletionStatus: whether a service's role is gone.

use crate::iam::{Error, SOURCE, linked};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, Target, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// What DeleteServiceLinkedRole answered.
    pub struct GetServiceLinkedRoleDeletionStatus {
        deletion_task_id: Text,
    }
}

/// That it is gone.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    status: &'static str,
}

impl Operation for GetServiceLinkedRoleDeletionStatus {
    const NAME: &'static str = "GetServiceLinkedRoleDeletionStatus";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetServiceLinkedRoleDeletionStatus");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        found.required("deletionTaskId", self.deletion_task_id.as_ref());
        found.length("deletionTaskId", self.deletion_task_id.as_ref(), 1..=1000);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let account = &call.caller.account;
        let task = self.deletion_task_id.as_ref().map_or("", Text::as_str);
        let role = role_of(task).map(|it| format!("arn:aws:iam::{account}:role/{it}"));
        let permit = call.admit(self, Target::of(account, role.as_deref()))?;
        if role.is_none() {
            return Err(Error::Unfit(format!("{task} is not the id of a deletion task.")));
        }
        if !linked::is_done(txn, account, task).await? {
            return Err(Error::Missing(format!("Deletion task {task} cannot be found.")));
        }
        Ok(Answer::new(permit, Output { status: "SUCCEEDED" }))
    }
}

/// Path and name of the role whose deletion `task` is.
fn role_of(task: &str) -> Option<&str> {
    let place = task.strip_prefix("task/")?;
    let (role, _) = place.rsplit_once('/')?;
    let parts = role.split('/').count();
    (role.starts_with("aws-service-role/") && parts == 3).then_some(role)
}
