//! PutKeyPolicy: who may do what with a key, in place of what was said before.

use crate::exception::Exception;
use crate::operations::SOURCE;
use crate::policies::{self, KeyPolicy};
use crate::shown::Nothing;
use crate::{KmsKey, access, condition, limits, lookup};
use policy::engine::Values;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Boolean, Text};

input! {
    /// Which key, its policy, and whether one that shuts the caller out is taken.
    pub struct PutKeyPolicy {
        key_id: Text,
        policy_name: Text,
        policy: Text,
        bypass_policy_lockout_safety_check: Boolean,
    }
}

impl Operation for PutKeyPolicy {
    const NAME: &'static str = "PutKeyPolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:PutKeyPolicy");
    const READ_ONLY: bool = false;
    type Output = Nothing;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
        policies::name_constraints(found, self.policy_name.as_ref());
        found.required("policy", self.policy.as_ref());
        found.length("policy", self.policy.as_ref(), limits::POLICY);
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        match condition::own(key)? {
            "bypasspolicylockoutsafetycheck" => {
                Some(condition::flag(self.bypass_policy_lockout_safety_check))
            }
            "policyname" => condition::text(self.policy_name.as_ref()),
            _ => None,
        }
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Nothing>, Exception> {
        let sought = lookup::Sought::own(self.key_id.as_ref());
        let (permit, key) = lookup::admit(call, txn, self, sought).await?;
        policies::only_default(self.policy_name.as_ref())?;
        let text = self.policy.as_ref().map(Text::as_str).unwrap_or_default();
        let policy = Some(KeyPolicy::check(txn, text).await?);
        let key = KmsKey { policy, ..KmsKey::clone(&key) };
        if !self.bypass_policy_lockout_safety_check.is_some_and(Boolean::get) {
            access::check_lockout(call, &key)?;
        }
        key.save(txn)?;
        Ok(Answer::new(permit, Nothing {}))
    }
}
