//! GetResourcePolicy: the policy attached to a secret, pretty-printed as the service does.

use crate::policies::{self, DEFAULT};
use crate::secret::policies;
use crate::{Error, lookup};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which secret.
    pub struct GetResourcePolicy {
        secret_id: Text,
        policy_name: Text,
    }
}

/// The policy; without text if none is attached.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    #[serde(rename = "ARN")]
    arn: String,
    name: String,
    policy_name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_policy: Option<String>,
}

impl Operation for GetResourcePolicy {
    const NAME: &'static str = "GetResourcePolicy";
    const ACTION: Action = Action("secretsmanager:GetResourcePolicy");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.secret_id.as_ref());
        policies::name_constraints(found, self.policy_name.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) = lookup::admit(call, txn, self, self.secret_id.as_ref()).await?;
        let (place, secret) = found.existing()?;
        if self.policy_name.as_ref().is_some_and(|it| it.as_str() != DEFAULT) {
            return Err(Error::PolicyUnknown);
        }
        let kept = if secret.has_policy {
            txn.find_shared(&policies(), &(&place, &secret.id)).await?
        } else {
            None
        };
        let text = match kept {
            Some(kept) => Some(kept.shown(txn).await?),
            None => None,
        };
        Ok(Answer::new(
            permit,
            Output {
                arn: secret.arn.clone(),
                name: secret.name.clone(),
                policy_name: DEFAULT,
                resource_policy: text,
            },
        ))
    }
}
