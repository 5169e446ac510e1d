//! ListPolicies: the managed policies that the account can use.

use crate::iam::page::Ask;
use crate::iam::policies::Managed;
use crate::iam::shown::ShownPolicy;
use crate::iam::{Error, SOURCE, names, page, policies, uses};
use base::AccountId;
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use store::Txn;
use wire::Violations;
use wire::members::{Boolean, Integer, Text};

input! {
    /// Which policies, and from where.
    pub struct ListPolicies {
        scope: Text,
        only_attached: Boolean,
        path_prefix: Text,
        policy_usage_filter: Text,
        marker: Text,
        max_items: Integer,
    }
}

/// A page of policies.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policies: Vec<ShownPolicy>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Operation for ListPolicies {
    const NAME: &'static str = "ListPolicies";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListPolicies");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        found.one_of("scope", self.scope.as_ref(), &["All", "AWS", "Local"]);
        names::policy_path(found, "pathPrefix", self.path_prefix.as_ref());
        found.one_of("policyUsageFilter", self.policy_usage_filter.as_ref(), &uses::FILTERS);
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let permit = call.admit(self, call.own_account())?;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        let account = &call.caller.account;
        let mut wanted = self.wanted(txn, account).await?;
        wanted.sort_by(|one, other| one.0.cmp(&other.0));
        let (wanted, marker) =
            ask.of_items(wanted.iter().map(|(arn, it)| (arn.as_str(), (arn, it))))?;
        let mut policies = Vec::with_capacity(wanted.len());
        for (arn, policy) in wanted {
            let uses = uses::count(txn, account, arn).await?;
            policies.push(ShownPolicy::listed(policy, uses));
        }
        let is_truncated = marker.is_some();
        Ok(Answer::new(permit, Output { policies, is_truncated, marker }))
    }
}

impl ListPolicies {
    /// Policies with their ARNs.
    async fn wanted(
        &self,
        txn: &mut Txn<'_>,
        account: &AccountId,
    ) -> Result<Vec<(String, Managed)>, Error> {
        let scope = self.scope.as_ref().map_or("All", Text::as_str);
        let under = self.path_prefix.as_ref().map_or("/", Text::as_str);
        let any = self.policy_usage_filter.is_none() && self.only_attached.is_none();
        let mut wanted = Vec::new();
        for policy in policies::all(txn, account, scope).await? {
            let arn = policy.arn();
            if policy.path().starts_with(under)
                && (any || self.wants(uses::count(txn, account, &arn).await?))
            {
                wanted.push((arn, policy));
            }
        }
        Ok(wanted)
    }

    /// Whether a policy is wanted that is attached to so many, and the boundary of so many.
    fn wants(&self, (attached, bounding): (usize, usize)) -> bool {
        let used = match self.policy_usage_filter.as_ref().map(Text::as_str) {
            Some("PermissionsBoundary") => bounding > 0,
            Some("PermissionsPolicy") => attached > 0,
            _ => true,
        };
        used && (attached + bounding > 0 || !self.only_attached.is_some_and(Boolean::get))
    }
}
