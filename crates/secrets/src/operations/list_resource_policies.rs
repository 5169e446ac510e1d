//! ListResourcePolicies: the names of the policies attached to a secret.

use crate::policies::DEFAULT;
use crate::{Error, listing, lookup};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which secret.
    pub struct ListResourcePolicies {
        secret_id: Text,
        max_results: Integer,
        next_token: Text,
    }
}

/// At most one name, so far: users can put one policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    resource_policies: Vec<Entry>,
}

/// One policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Entry {
    policy_name: &'static str,
}

impl Operation for ListResourcePolicies {
    const NAME: &'static str = "ListResourcePolicies";
    const ACTION: Action = Action("secretsmanager:ListResourcePolicies");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.secret_id.as_ref());
        listing::constraints(found, self.max_results, self.next_token.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) = lookup::admit(call, txn, self, self.secret_id.as_ref()).await?;
        let (_, secret) = found.existing()?;
        // All names fit one page, so no token was ever given out.
        if self.next_token.is_some() {
            return Err(Error::InvalidNextToken);
        }
        let names = secret.has_policy.then_some(Entry { policy_name: DEFAULT });
        Ok(Answer::new(permit, Output { resource_policies: names.into_iter().collect() }))
    }
}
