//! GetGroupPolicy: an inline policy of a group.

use crate::entities::Group;
use crate::iam::{Error, SOURCE, attachments, holder, names};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;
use wire::query::document;

input! {
    /// Which group, and which policy.
    pub struct GetGroupPolicy {
        group_name: Text,
        policy_name: Text,
    }
}

/// The policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    group_name: String,
    policy_name: String,
    #[serde(serialize_with = "document")]
    policy_document: String,
}

impl Operation for GetGroupPolicy {
    const NAME: &'static str = "GetGroupPolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetGroupPolicy");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "groupName", self.group_name.as_ref(), 128);
        names::required(found, "policyName", self.policy_name.as_ref(), 128);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) =
            holder::admit::<Group, _>(call, txn, self, self.group_name.as_ref()).await?;
        let group = found.existing()?;
        let (policy_name, policy_document) =
            attachments::inline(&*group, self.policy_name.as_ref())?;
        let group_name = group.name.clone();
        Ok(Answer::new(permit, Output { group_name, policy_name, policy_document }))
    }
}
