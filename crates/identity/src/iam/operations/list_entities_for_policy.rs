//! ListEntitiesForPolicy: the users, groups and roles that use a managed policy.

use crate::iam::page::Ask;
use crate::iam::uses::As;
use crate::iam::{Error, SOURCE, names, page, policies, uses};
use serde::Serialize;
use service::{Action, Answer, Call, Operation, input};
use std::collections::BTreeMap;
use store::Txn;
use wire::Violations;
use wire::members::{Integer, Text};

input! {
    /// Which policy, who, and from where.
    pub struct ListEntitiesForPolicy {
        policy_arn: Text,
        entity_filter: Text,
        path_prefix: Text,
        policy_usage_filter: Text,
        marker: Text,
        max_items: Integer,
    }
}

/// A page of those that use the policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policy_groups: Vec<GroupUse>,
    policy_users: Vec<UserUse>,
    policy_roles: Vec<RoleUse>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

/// A group that uses the policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GroupUse {
    group_name: String,
    group_id: String,
}

impl GroupUse {
    fn of(by: &uses::Use) -> Self {
        Self { group_name: by.name.clone(), group_id: by.id.clone() }
    }
}

/// A user that uses the policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserUse {
    user_name: String,
    user_id: String,
}

impl UserUse {
    fn of(by: &uses::Use) -> Self {
        Self { user_name: by.name.clone(), user_id: by.id.clone() }
    }
}

/// A role that uses the policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoleUse {
    role_name: String,
    role_id: String,
}

impl RoleUse {
    fn of(by: &uses::Use) -> Self {
        Self { role_name: by.name.clone(), role_id: by.id.clone() }
    }
}

impl Operation for ListEntitiesForPolicy {
    const NAME: &'static str = "ListEntitiesForPolicy";
    const SOURCE: &'static str = SOURCE;
    const ACTION: Action = Action("iam:ListEntitiesForPolicy");
    const READ_ONLY: bool = true;
    type Output = Output;
    type Error = Error;

    fn constraints(&self, found: &mut Violations) {
        names::arn(found, "policyArn", self.policy_arn.as_ref());
        found.one_of("entityFilter", self.entity_filter.as_ref(), &ENTITIES);
        names::prefix(found, self.path_prefix.as_ref());
        found.one_of("policyUsageFilter", self.policy_usage_filter.as_ref(), &uses::FILTERS);
        page::constraints(found, self.marker.as_ref(), self.max_items);
    }

    async fn run(&self, call: &Call<'_>, txn: &mut Txn<'_>) -> Result<Answer<Output>, Error> {
        let (permit, found) = policies::admit(call, txn, self, self.policy_arn.as_ref()).await?;
        found.existing()?;
        let ask = Ask::of(Self::NAME, self.marker.as_ref(), self.max_items);
        let used = self.uses(call, txn).await?;
        let (used, marker) = ask.of_items(used.iter().map(|(key, by)| (key.as_str(), by)))?;
        let of = |kind: &'static str| used.iter().filter(move |it| it.kind == kind);
        let is_truncated = marker.is_some();
        let output = Output {
            policy_groups: of("group").map(|it| GroupUse::of(it)).collect(),
            policy_users: of("user").map(|it| UserUse::of(it)).collect(),
            policy_roles: of("role").map(|it| RoleUse::of(it)).collect(),
            is_truncated,
            marker,
        };
        Ok(Answer::new(permit, output))
    }
}

const ENTITIES: [&str; 5] = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];

impl ListEntitiesForPolicy {
    /// Those that are wanted, by kind and name.
    async fn uses(
        &self,
        call: &Call<'_>,
        txn: &mut Txn<'_>,
    ) -> Result<BTreeMap<String, uses::Use>, Error> {
        let arn = self.policy_arn.as_ref().map_or("", Text::as_str);
        let usage = self.policy_usage_filter.as_ref().map(Text::as_str);
        let kind = self.entity_filter.as_ref().map(|it| it.as_str().to_ascii_lowercase());
        let under = self.path_prefix.as_ref().map_or("/", Text::as_str);
        let mut used = BTreeMap::new();
        for (how, unwanted) in
            [(As::Attached, "PermissionsBoundary"), (As::Boundary, "PermissionsPolicy")]
        {
            if usage == Some(unwanted) {
                continue;
            }
            let by = uses::of(txn, &call.caller.account, (arn, how)).await?;
            let wants = |it: &uses::Use| {
                it.path.starts_with(under) && kind.as_ref().is_none_or(|kind| it.kind == *kind)
            };
            let wanted = by.into_iter().filter(wants);
            used.extend(wanted.map(|it| (format!("{}/{}", it.kind, it.name), it)));
        }
        Ok(used)
    }
}
