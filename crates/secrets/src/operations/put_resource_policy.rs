//! PutResourcePolicy: attaches a policy to a secret, in place of the one before.

use crate::policies::{self, NamedPolicy};
use crate::secret::{Secret, policies};
use crate::{Error, condition, limits, lookup};
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Boolean, Text};

input! {
    /// Which secret, the policy, and whether one that lets everyone in is refused.
    pub struct PutResourcePolicy {
        secret_id: Text,
        resource_policy: Text,
        block_public_policy: Boolean,
        policy_name: Text,
    }
}

impl Operation for PutResourcePolicy {
    const NAME: &'static str = "PutResourcePolicy";
    const ACTION: Action = Action("secretsmanager:PutResourcePolicy");
    const READ_ONLY: bool = false;
    type Output = NamedPolicy;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.secret_id.as_ref());
        found.required("resourcePolicy", self.resource_policy.as_ref());
        found.length("resourcePolicy", self.resource_policy.as_ref(), limits::POLICY);
        policies::name_constraints(found, self.policy_name.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        match condition::own(key)? {
            "blockpublicpolicy" => condition::boolean(self.block_public_policy),
            _ => None,
        }
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<NamedPolicy>, Error> {
        let (permit, found) = lookup::admit(call, txn, self, self.secret_id.as_ref()).await?;
        let (place, before) = found.live()?;
        policies::only_default(self.policy_name.as_ref())?;
        let text = self.resource_policy.as_ref().map(Text::as_str).unwrap_or_default();
        let document = policies::check(txn, text).await?;
        if self.block_public_policy.is_some_and(Boolean::get) && document.is_public() {
            return Err(Error::PublicPolicy);
        }
        let mut secret = Secret::clone(&before);
        secret.has_policy = true;
        secret.touch(call.now);
        secret.save(txn, &place, &before)?;
        let kept = policies::pinned(txn, text).await?;
        txn.save(&policies(), &(&place, &secret.id), &kept)?;
        Ok(Answer::new(permit, NamedPolicy::new(&secret)))
    }

    fn elements(output: &NamedPolicy) -> Option<serde_json::Value> {
        Some(output.elements())
    }
}
