//! Everything that is kept of a user, a group or a role, in one piece.

use crate::entities::{Given, Group, Role};
use crate::iam::attachments::AttachedPolicy;
use crate::iam::shown::{Boundary, RoleLastUsed, ShownProfile};
use crate::iam::tags::{self, Tag};
use crate::last_use::LastUse;
use crate::user::User;
use base::Timestamp;
use serde::Serialize;
use wire::query::{document, instant};

/// An inline policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Inline {
    policy_name: String,
    #[serde(serialize_with = "document")]
    policy_document: String,
}

fn inline(given: &Given) -> Vec<Inline> {
    let policies = given.inline.iter();
    policies
        .map(|(name, text)| Inline { policy_name: name.clone(), policy_document: text.clone() })
        .collect()
}

fn attached(given: &Given) -> Vec<AttachedPolicy> {
    given.attached.iter().map(|it| AttachedPolicy::of(it)).collect()
}

/// All of a user.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserDetail {
    path: String,
    user_name: String,
    user_id: String,
    arn: String,
    #[serde(serialize_with = "instant")]
    create_date: Timestamp,
    user_policy_list: Vec<Inline>,
    group_list: Vec<String>,
    attached_managed_policies: Vec<AttachedPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<Boundary>,
    tags: Vec<Tag>,
}

impl UserDetail {
    /// All of `user`.
    pub(crate) fn of(user: User) -> Self {
        Self {
            user_policy_list: inline(&user.given),
            attached_managed_policies: attached(&user.given),
            permissions_boundary: Boundary::of(user.boundary.as_ref()),
            tags: tags::shown(&user.tags),
            path: user.path,
            user_name: user.name,
            user_id: user.id,
            arn: user.arn,
            create_date: user.created,
            group_list: user.groups,
        }
    }
}

/// All of a group but its users.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GroupDetail {
    path: String,
    group_name: String,
    group_id: String,
    arn: String,
    #[serde(serialize_with = "instant")]
    create_date: Timestamp,
    group_policy_list: Vec<Inline>,
    attached_managed_policies: Vec<AttachedPolicy>,
}

impl GroupDetail {
    /// All of `group`.
    pub(crate) fn of(group: Group) -> Self {
        Self {
            group_policy_list: inline(&group.given),
            attached_managed_policies: attached(&group.given),
            path: group.path,
            group_name: group.name,
            group_id: group.id,
            arn: group.arn,
            create_date: group.created,
        }
    }
}

/// All of a role.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoleDetail {
    path: String,
    role_name: String,
    role_id: String,
    arn: String,
    #[serde(serialize_with = "instant")]
    create_date: Timestamp,
    #[serde(serialize_with = "document")]
    assume_role_policy_document: String,
    instance_profile_list: Vec<ShownProfile>,
    role_policy_list: Vec<Inline>,
    attached_managed_policies: Vec<AttachedPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<Boundary>,
    tags: Vec<Tag>,
    role_last_used: RoleLastUsed,
}

impl RoleDetail {
    /// All of `role`, which is in `profiles` and was used `last`; `trust` is its trust policy as it has to be
    /// read now.
    pub(crate) fn of(
        role: Role,
        trust: String,
        (profiles, last): (Vec<ShownProfile>, Option<LastUse>),
    ) -> Self {
        Self {
            role_policy_list: inline(&role.given),
            attached_managed_policies: attached(&role.given),
            permissions_boundary: Boundary::of(role.boundary.as_ref()),
            tags: tags::shown(&role.tags),
            path: role.path,
            role_name: role.name,
            role_id: role.id,
            arn: role.arn,
            create_date: role.created,
            assume_role_policy_document: trust,
            instance_profile_list: profiles,
            role_last_used: RoleLastUsed::of(last),
        }
    }
}
