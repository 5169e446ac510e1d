//! ListPolicyVersions: the versions of a managed policy.

use crate::iam::page::Ask;
use crate::iam::shown::ShownVersion;
use crate::iam::{Error, SOURCE, names, page, policies};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which policy, and from where.
    pub struct ListPolicyVersions {
        policy_arn: Text,
        marker: Text,
        max_items: Integer,
    }
}

/// A page of versions.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    versions: Vec<ShownVersion>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Operation for ListPolicyVersions {
    const NAME: &'static str = "ListPolicyVersions";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListPolicyVersions");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::arn(found, "policyArn", self.policy_arn.as_ref());
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) = policies::admit(call, txn, self, self.policy_arn.as_ref()).await?;
        let policy = found.existing()?;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        let numbers = policy.numbers();
        // The newest first, so the position is how many came before.
        let keys: Vec<String> = (0..numbers.len()).map(|it| format!("{it:03}")).collect();
        let (numbers, marker) = ask.of_items(keys.iter().map(String::as_str).zip(numbers))?;
        let versions = numbers.into_iter().map(|it| ShownVersion::listed(&policy, it)).collect();
        let is_truncated = marker.is_some();
        Ok(Answer::new(permit, Output { versions, is_truncated, marker }))
    }
}
