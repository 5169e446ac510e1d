//! Users, groups, roles and policies as answers show them.

use crate::entities::{Group, Role};
use crate::iam::policies::Managed;
use crate::iam::profiles::Profile;
use crate::iam::tags::{self, Tag};
use crate::last_use::LastUse;
use crate::mfa::Device;
use crate::user::User;
use base::Timestamp;
use serde::Serialize;
use wire::query::{document_option, instant, instant_option};

/// A permissions boundary.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Boundary {
    permissions_boundary_type: &'static str,
    permissions_boundary_arn: String,
}

impl Boundary {
    pub(crate) fn of(arn: Option<&String>) -> Option<Self> {
        let arn = arn?.clone();
        Some(Self { permissions_boundary_type: "Policy", permissions_boundary_arn: arn })
    }
}

fn some(tags: &[(String, String)]) -> Option<Vec<Tag>> {
    (!tags.is_empty()).then(|| tags::shown(tags))
}

/// A user. Lists leave out its boundary and its tags.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ShownUser {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    user_id: String,
    arn: String,
    #[serde(serialize_with = "instant")]
    create_date: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<Boundary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
}

impl ShownUser {
    /// What an audit record tells of it.
    pub(crate) fn recorded(&self) -> serde_json::Value {
        serde_json::json!({ "path": self.path, "userName": self.user_name, "userId": self.user_id, "arn": self.arn })
    }

    /// All of it.
    pub(crate) fn whole(user: &User) -> Self {
        let boundary = Boundary::of(user.boundary.as_ref());
        Self { permissions_boundary: boundary, tags: some(&user.tags), ..Self::listed(user) }
    }

    /// The root user of the account `id`, which is as old as the account.
    pub(crate) fn root(id: &str, arn: &str, created: Timestamp) -> Self {
        Self {
            path: "/".to_owned(),
            user_name: None,
            user_id: id.to_owned(),
            arn: arn.to_owned(),
            create_date: created,
            permissions_boundary: None,
            tags: None,
        }
    }

    /// What lists show.
    pub(crate) fn listed(user: &User) -> Self {
        let User { name, id, arn, created, path, .. } = user;
        Self {
            path: path.clone(),
            user_name: Some(name.clone()),
            user_id: id.clone(),
            arn: arn.clone(),
            create_date: *created,
            permissions_boundary: None,
            tags: None,
        }
    }
}

/// A device of a user.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ShownDevice {
    user_name: String,
    serial_number: String,
    #[serde(serialize_with = "instant_option")]
    enable_date: Option<Timestamp>,
}

impl ShownDevice {
    /// `device`, which is one of `user`.
    pub(crate) fn of(device: &Device, user: &User) -> Self {
        Self {
            user_name: user.name.clone(),
            serial_number: device.serial.clone(),
            enable_date: device.owner.as_ref().map(|it| it.since),
        }
    }
}

/// A group.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ShownGroup {
    path: String,
    group_name: String,
    group_id: String,
    arn: String,
    #[serde(serialize_with = "instant")]
    create_date: Timestamp,
}

impl ShownGroup {
    /// What an audit record tells of it.
    pub(crate) fn recorded(&self) -> serde_json::Value {
        serde_json::json!({ "path": self.path, "groupName": self.group_name, "groupId": self.group_id, "arn": self.arn })
    }

    /// All of it.
    pub(crate) fn of(group: &Group) -> Self {
        let Group { name, path, id, arn, created, .. } = group.clone();
        Self { path, group_name: name, group_id: id, arn, create_date: created }
    }
}

/// When and where a role was last used; nothing if never.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoleLastUsed {
    #[serde(serialize_with = "instant_option")]
    last_used_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
}

impl RoleLastUsed {
    /// The last use, if there was any.
    pub(crate) fn of(last: Option<LastUse>) -> Self {
        last.map_or_else(Self::default, |it| Self {
            last_used_date: Some(it.at),
            region: Some(it.region),
        })
    }
}

/// A role. What answers leave out differs: a new one shows no longest session, a listed one no boundary, no
/// tags and no last use.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ShownRole {
    path: String,
    role_name: String,
    role_id: String,
    arn: String,
    #[serde(serialize_with = "instant")]
    create_date: Timestamp,
    #[serde(serialize_with = "document_option")]
    assume_role_policy_document: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_session_duration: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<Boundary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_last_used: Option<RoleLastUsed>,
}

impl ShownRole {
    /// What an audit record tells of it.
    pub(crate) fn recorded(&self) -> serde_json::Value {
        serde_json::json!({ "path": self.path, "roleName": self.role_name, "roleId": self.role_id, "arn": self.arn })
    }

    /// All of it; `trust` is its trust policy as it has to be read now.
    pub(crate) fn whole(role: &Role, trust: String) -> Self {
        Self {
            permissions_boundary: Boundary::of(role.boundary.as_ref()),
            tags: some(&role.tags),
            role_last_used: Some(RoleLastUsed::default()),
            ..Self::listed(role, trust)
        }
    }

    /// All of it, and its last use.
    pub(crate) fn with_use(role: &Role, trust: String, last: Option<LastUse>) -> Self {
        Self { role_last_used: Some(RoleLastUsed::of(last)), ..Self::whole(role, trust) }
    }

    /// What the answer to its making shows.
    pub(crate) fn made(role: &Role, trust: String) -> Self {
        Self { max_session_duration: None, role_last_used: None, ..Self::whole(role, trust) }
    }

    /// What lists show.
    pub(crate) fn listed(role: &Role, trust: String) -> Self {
        let Role { name, path, id, arn, created, description, max_session, .. } = role;
        Self {
            path: path.clone(),
            role_name: name.clone(),
            role_id: id.clone(),
            arn: arn.clone(),
            create_date: *created,
            assume_role_policy_document: Some(trust),
            description: description.clone(),
            max_session_duration: Some(*max_session),
            permissions_boundary: None,
            tags: None,
            role_last_used: None,
        }
    }
}

/// An instance profile. Lists leave out its tags.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ShownProfile {
    path: String,
    instance_profile_name: String,
    instance_profile_id: String,
    arn: String,
    #[serde(serialize_with = "instant")]
    create_date: Timestamp,
    roles: Vec<ShownRole>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
}

impl ShownProfile {
    /// What an audit record tells of it.
    pub(crate) fn recorded(&self) -> serde_json::Value {
        let (name, id) = (&self.instance_profile_name, &self.instance_profile_id);
        serde_json::json!({ "path": self.path, "instanceProfileName": name, "instanceProfileId": id, "arn": self.arn })
    }

    /// What lists show; with its role and that one's trust policy as it has to be read now.
    pub(crate) fn listed(profile: Profile, role: Option<(&Role, &String)>) -> Self {
        let inside = |(role, trust): (&Role, &String)| ShownRole {
            description: None,
            max_session_duration: None,
            ..ShownRole::listed(role, trust.clone())
        };
        Self {
            path: profile.path,
            instance_profile_name: profile.name,
            instance_profile_id: profile.id,
            arn: profile.arn,
            create_date: profile.created,
            roles: role.map(inside).into_iter().collect(),
            tags: None,
        }
    }

    /// The same with its tags.
    pub(crate) fn with_tags(self, tags: &[(String, String)]) -> Self {
        Self { tags: some(tags), ..self }
    }
}

/// A page of instance profiles.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProfilePage {
    instance_profiles: Vec<ShownProfile>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl ProfilePage {
    /// The page `instance_profiles`, after which `marker` leads on.
    pub(crate) fn of(instance_profiles: Vec<ShownProfile>, marker: Option<String>) -> Self {
        Self { instance_profiles, is_truncated: marker.is_some(), marker }
    }
}

/// A managed policy. Lists leave out description and tags; all of its versions are shown only together with
/// all there is of the account, without tags then.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ShownPolicy {
    policy_name: String,
    policy_id: String,
    arn: String,
    path: String,
    default_version_id: String,
    attachment_count: usize,
    permissions_boundary_usage_count: usize,
    is_attachable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(serialize_with = "instant")]
    create_date: Timestamp,
    #[serde(serialize_with = "instant")]
    update_date: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_version_list: Option<Vec<ShownVersion>>,
}

impl ShownPolicy {
    /// What an audit record tells of it.
    pub(crate) fn recorded(&self) -> serde_json::Value {
        serde_json::json!({ "path": self.path, "policyName": self.policy_name, "policyId": self.policy_id, "arn": self.arn })
    }

    /// All of it; `uses` says by how many it is attached and used as boundary.
    pub(crate) fn whole(policy: &Managed, uses: (usize, usize)) -> Self {
        let tags = match policy {
            Managed::Aws(_) => None,
            Managed::Own(it) => some(&it.tags),
        };
        let description = policy.description().map(str::to_owned);
        Self { description, tags, ..Self::listed(policy, uses) }
    }

    /// All of it and all of its versions, but no tags.
    pub(crate) fn with_versions(policy: &Managed, uses: (usize, usize)) -> Self {
        let numbers = policy.numbers().into_iter();
        let versions = numbers.filter_map(|it| ShownVersion::whole(policy, it)).collect();
        let whole = Self::whole(policy, uses);
        Self { policy_version_list: Some(versions), tags: None, ..whole }
    }

    /// What lists show.
    pub(crate) fn listed(policy: &Managed, (attached, bounding): (usize, usize)) -> Self {
        let (created, updated) = policy.dates();
        Self {
            policy_name: policy.name().to_owned(),
            policy_id: policy.id().to_owned(),
            arn: policy.arn(),
            path: policy.path().to_owned(),
            default_version_id: format!("v{}", policy.default()),
            attachment_count: attached,
            permissions_boundary_usage_count: bounding,
            is_attachable: true,
            description: None,
            create_date: created,
            update_date: updated,
            tags: None,
            policy_version_list: None,
        }
    }
}

/// A version of a managed policy. Lists leave out its document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ShownVersion {
    #[serde(serialize_with = "document_option")]
    document: Option<String>,
    version_id: String,
    is_default_version: bool,
    #[serde(serialize_with = "instant_option")]
    create_date: Option<Timestamp>,
}

impl ShownVersion {
    /// All of version `number` of `policy`, if there is one.
    pub(crate) fn whole(policy: &Managed, number: u32) -> Option<Self> {
        let document = policy.version(number)?.0.to_owned();
        Some(Self { document: Some(document), ..Self::listed(policy, number) })
    }

    /// What lists show.
    pub(crate) fn listed(policy: &Managed, number: u32) -> Self {
        Self {
            document: None,
            version_id: format!("v{number}"),
            is_default_version: policy.default() == number,
            create_date: policy.version(number).map(|it| it.1),
        }
    }
}
