//! GetRolePolicy: an inline policy of a role.

use crate::entities::Role;
use crate::iam::{Error, SOURCE, attachments, holder, names};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;
use wire::query::document;

input! {
    /// Which role, and which policy.
    pub struct GetRolePolicy {
        role_name: Text,
        policy_name: Text,
    }
}

/// The policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    role_name: String,
    policy_name: String,
    #[serde(serialize_with = "document")]
    policy_document: String,
}

impl Operation for GetRolePolicy {
    const NAME: &'static str = "GetRolePolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetRolePolicy");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "roleName", self.role_name.as_ref(), 64);
        names::required(found, "policyName", self.policy_name.as_ref(), 128);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) =
            holder::admit::<Role, _>(call, txn, self, self.role_name.as_ref()).await?;
        let role = found.existing()?;
        let (policy_name, policy_document) =
            attachments::inline(&*role, self.policy_name.as_ref())?;
        let role_name = role.name.clone();
        Ok(Answer::new(permit, Output { role_name, policy_name, policy_document }))
    }
}
