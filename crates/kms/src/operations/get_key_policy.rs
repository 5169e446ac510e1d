//! GetKeyPolicy: who may do what with a key.

use crate::exception::Exception;
use crate::operations::SOURCE;
use crate::{lookup, policies};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// Which key.
    pub struct GetKeyPolicy {
        key_id: Text,
        policy_name: Text,
    }
}

/// The policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policy: String,
    policy_name: &'static str,
}

impl Operation for GetKeyPolicy {
    const NAME: &'static str = "GetKeyPolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:GetKeyPolicy");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
        policies::name_constraints(found, self.policy_name.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let sought = lookup::Sought::own(self.key_id.as_ref());
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        policies::only_default(self.policy_name.as_ref())?;
        let policy = match key.written_policy() {
            Some(written) => written.shown(txn).await?,
            None => return Err(policies::unknown()),
        };
        Ok(Answer::new(permit, Output { policy, policy_name: policies::DEFAULT }))
    }
}
