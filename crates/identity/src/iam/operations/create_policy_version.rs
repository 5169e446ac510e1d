//! CreatePolicyVersion: gives a managed policy another document.

use crate::entities::PolicyVersion;
use crate::iam::policies::Managed;
use crate::iam::shown::ShownVersion;
use crate::iam::{Error, SOURCE, documents, names, policies};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use std::sync::Arc;
use store::Txn;
use wire::Violations;
use wire::members::{Boolean, Text};

input! {
    /// Which policy, what it says, and whether that is in force.
    pub struct CreatePolicyVersion {
        policy_arn: Text,
        policy_document: Text,
        set_as_default: Boolean,
    }
}

/// The new version.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policy_version: ShownVersion,
}

impl Operation for CreatePolicyVersion {
    const NAME: &'static str = "CreatePolicyVersion";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:CreatePolicyVersion");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::arn(found, "policyArn", self.policy_arn.as_ref());
        names::document(found, "policyDocument", self.policy_document.as_ref());
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) = policies::admit(call, txn, self, self.policy_arn.as_ref()).await?;
        let mut policy = found.own()?;
        let text = documents::managed(self.policy_document.as_ref())?;
        if policy.versions.len() >= MOST {
            return Err(Error::Limit(TOO_MANY.to_owned()));
        }
        policy.newest += 1;
        let number = policy.newest;
        policy.versions.insert(number, PolicyVersion { text, created: call.now });
        policy.updated = call.now;
        if self.set_as_default.is_some_and(Boolean::get) {
            policy.default = number;
        }
        policies::save(call, txn, &policy)?;
        let policy_version = ShownVersion::listed(&Managed::Own(Arc::new(policy)), number);
        Ok(Answer::new(permit, Output { policy_version }))
    }
}

const MOST: usize = 5;
const TOO_MANY: &str = "A managed policy can have up to 5 versions. Before you create a new version, you must \
                        delete an existing version.";
