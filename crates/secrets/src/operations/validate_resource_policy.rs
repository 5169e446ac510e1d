//! ValidateResourcePolicy: what PutResourcePolicy would say to a policy.

use crate::operations::put_resource_policy;
use crate::{Error, limits, lookup, policies};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// The policy, and the secret it is meant for.
    pub struct ValidateResourcePolicy {
        secret_id: Text,
        resource_policy: Text,
    }
}

/// Whether every check passed, and those that did not.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policy_validation_passed: bool,
    validation_errors: Vec<Failed>,
}

/// A check that failed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Failed {
    check_name: &'static str,
    error_message: String,
}

impl Operation for ValidateResourcePolicy {
    const NAME: &'static str = "ValidateResourcePolicy";
    const ACTION: Action = Action("secretsmanager:ValidateResourcePolicy");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        found.length("secretId", self.secret_id.as_ref(), limits::SECRET_ID);
        found.required("resourcePolicy", self.resource_policy.as_ref());
        found.length("resourcePolicy", self.resource_policy.as_ref(), limits::POLICY);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let found = lookup::find(call, txn, self.secret_id.as_ref()).await?;
        let own = found.attached();
        let permit = call.permit(self, Self::ACTION, found.target(own.as_slice()))?;
        // Whoever learns what would be refused could put it.
        call.permit(
            self,
            put_resource_policy::PutResourcePolicy::ACTION,
            found.target(own.as_slice()),
        )?;
        call.validate(self)?;
        found.check_name()?;
        if self.secret_id.is_some() {
            found.existing()?;
        }
        let text = self.resource_policy.as_ref().map(Text::as_str).unwrap_or_default();
        let document = policies::check(txn, text).await?;
        let public = document.is_public().then(|| Failed {
            check_name: "BlockPublicPolicyCheck",
            error_message: Error::PublicPolicy.to_string(),
        });
        Ok(Answer::new(
            permit,
            Output {
                policy_validation_passed: public.is_none(),
                validation_errors: public.into_iter().collect(),
            },
        ))
    }
}
