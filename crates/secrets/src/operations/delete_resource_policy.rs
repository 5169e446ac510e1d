//! DeleteResourcePolicy: takes the policy off a secret. Without one, a success that changes nothing.

use crate::policies::{self, NamedPolicy};
use crate::secret::{Secret, policies};
use crate::{Error, lookup};
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which secret.
    pub struct DeleteResourcePolicy {
        secret_id: Text,
        policy_name: Text,
    }
}

impl Operation for DeleteResourcePolicy {
    const NAME: &'static str = "DeleteResourcePolicy";
    const ACTION: Action = Action("secretsmanager:DeleteResourcePolicy");
    const READ_ONLY: bool = false;
    type Output = NamedPolicy;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.secret_id.as_ref());
        policies::name_constraints(found, self.policy_name.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<NamedPolicy>, Error> {
        let (permit, found) = lookup::admit(call, txn, self, self.secret_id.as_ref()).await?;
        let (place, before) = found.live()?;
        policies::only_default(self.policy_name.as_ref())?;
        if before.has_policy {
            let mut secret = Secret::clone(&before);
            secret.has_policy = false;
            secret.touch(call.now);
            secret.save(txn, &place, &before)?;
            txn.remove(&policies(), &(&place, &secret.id));
        }
        Ok(Answer::new(permit, NamedPolicy::new(&before)))
    }

    fn elements(output: &NamedPolicy) -> Option<serde_json::Value> {
        Some(output.elements())
    }
}
