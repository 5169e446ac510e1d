//! GetUserPolicy: an inline policy of a user.

use crate::iam::{Error, SOURCE, attachments, holder, names};
use crate::user::User;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;
use wire::query::document;

input! {
    /// Which user, and which policy.
    pub struct GetUserPolicy {
        user_name: Text,
        policy_name: Text,
    }
}

/// The policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    user_name: String,
    policy_name: String,
    #[serde(serialize_with = "document")]
    policy_document: String,
}

impl Operation for GetUserPolicy {
    const NAME: &'static str = "GetUserPolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:GetUserPolicy");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "userName", self.user_name.as_ref(), 128);
        names::required(found, "policyName", self.policy_name.as_ref(), 128);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) =
            holder::admit::<User, _>(call, txn, self, self.user_name.as_ref()).await?;
        let user = found.existing()?;
        let (policy_name, policy_document) =
            attachments::inline(&*user, self.policy_name.as_ref())?;
        let user_name = user.name.clone();
        Ok(Answer::new(permit, Output { user_name, policy_name, policy_document }))
    }
}
