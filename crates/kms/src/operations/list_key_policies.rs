//! ListKeyPolicies: the names of a key's policies. There is one, always.

use crate::exception::Exception;
use crate::operations::SOURCE;
use crate::{listing, lookup, policies};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which key, how many, and from where.
    pub struct ListKeyPolicies {
        key_id: Text,
        limit: Integer,
        marker: Text,
    }
}

/// The names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policy_names: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
    truncated: bool,
}

impl Operation for ListKeyPolicies {
    const NAME: &'static str = "ListKeyPolicies";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("kms:ListKeyPolicies");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Exception;

    fn constraints(&self, found: &mut Violations) {
        lookup::constraints(found, self.key_id.as_ref());
        listing::constraints(found, self.limit, self.marker.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Exception> {
        let sought = lookup::Sought::own(self.key_id.as_ref());
        let (permit, _) = lookup::admit(call, txn, self, sought).await?;
        // One page holds all there is, so no marker was ever given out.
        if self.marker.is_some() {
            return Err(Exception::Marker);
        }
        let policy_names = vec![policies::DEFAULT];
        let output = Output { policy_names, next_marker: None, truncated: false };
        Ok(Answer::new(permit, output))
    }
}
