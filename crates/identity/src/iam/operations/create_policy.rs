//! CreatePolicy: makes a managed policy, in its first version.

use crate::entities::{ManagedPolicy, PolicyVersion};
use crate::iam::policies::Managed;
use crate::iam::shown::ShownPolicy;
use crate::iam::tags::TagsGiven;
use crate::iam::{Error, SOURCE, documents, holder, names, policies, tags};
use crate::{entities, mint};
use policy::engine::Values;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, Target, input};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Txn;
use wire::Violations;
use wire::members::Text;

input! {
    /// What the policy is called, and what it says.
    pub struct CreatePolicy {
        policy_name: Text,
        path: Text,
        policy_document: Text,
        description: Text,
        tags: TagsGiven,
    }
}

/// The new policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policy: ShownPolicy,
}

impl Operation for CreatePolicy {
    const NAME: &'static str = "CreatePolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:CreatePolicy");
    const READ_ONLY: bool = false;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::required(found, "policyName", self.policy_name.as_ref(), 128);
        names::policy_path(found, "path", self.path.as_ref());
        names::document(found, "policyDocument", self.policy_document.as_ref());
        found.length("description", self.description.as_ref(), 0..=1000);
        tags::constraints(found, self.tags.as_ref());
    }

    fn condition(&self, key: &str) -> Option<Values<'_>> {
        tags::condition(self.tags.as_ref(), key)
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let account = &call.caller.account;
        let name = self.policy_name.as_ref().map_or("", Text::as_str);
        let arn = holder::arn(account, "policy", self.path.as_ref(), name);
        let permit = call.admit(self, Target::of(account, Some(&arn)))?;
        tags::permit(call, self, (TAG, &arn), self.tags.as_ref())?;
        if txn.find_shared(&entities::managed_policies(), &(account, name)).await?.is_some() {
            return Err(Error::PolicyExists(name.to_owned()));
        }
        policies::within_quota(txn, account).await?;
        let text = documents::managed(self.policy_document.as_ref())?;
        let policy = ManagedPolicy {
            name: name.to_owned(),
            path: self.path.as_ref().map_or("/", Text::as_str).to_owned(),
            id: mint::unique_id("ANPA", call.entropy),
            arn,
            created: call.now,
            updated: call.now,
            description: self.description.as_ref().map(|it| it.as_str().to_owned()),
            default: 1,
            newest: 1,
            versions: BTreeMap::from([(1, PolicyVersion { text, created: call.now })]),
            tags: tags::merged(&Vec::new(), self.tags.as_ref())?,
        };
        policies::save(call, txn, &policy)?;
        let policy = ShownPolicy::whole(&Managed::Own(Arc::new(policy)), (0, 0));
        Ok(Answer::new(permit, Output { policy }))
    }

    fn elements(output: &Output) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "policy": output.policy.recorded() }))
    }
}

const TAG: Action = Action("iam:TagPolicy");
