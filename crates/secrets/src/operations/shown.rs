//! What DescribeSecret and ListSecrets show of a secret.

use crate::rotation::Rotation;
use crate::secret::Secret;
use crate::tags::{self, TagShown};
use base::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use wire::json::{instant, instant_option};

/// ARN and name: the whole answer of many operations.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Named {
    #[serde(rename = "ARN")]
    pub(crate) arn: String,
    pub(crate) name: String,
}

/// ARN and name, and the version that was made or read.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NamedVersion {
    #[serde(rename = "ARN")]
    pub(crate) arn: String,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version_id: Option<String>,
}

/// An empty object: operations without output.
#[derive(Debug, Serialize)]
pub struct Nothing {}

/// A secret without its value. One of the two maps of stages is left out, by operation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Shown {
    #[serde(rename = "ARN")]
    arn: String,
    #[serde(serialize_with = "instant")]
    created_date: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "instant_option")]
    deleted_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "instant_option")]
    last_accessed_date: Option<Timestamp>,
    #[serde(serialize_with = "instant")]
    last_changed_date: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "instant_option")]
    last_rotated_date: Option<Timestamp>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "instant_option")]
    next_rotation_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owning_service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_enabled: Option<bool>,
    #[serde(rename = "RotationLambdaARN", skip_serializing_if = "Option::is_none")]
    rotation_lambda_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_rules: Option<RulesShown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_versions_to_stages: Option<StagesShown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<TagShown>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_ids_to_stages: Option<StagesShown>,
}

/// `RotationRules`: beside an expression, the days between its windows.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RulesShown {
    #[serde(skip_serializing_if = "Option::is_none")]
    automatically_after_days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule_expression: Option<String>,
}

impl RulesShown {
    fn new(rotation: &Rotation) -> Option<Self> {
        let rules = rotation.rules.as_ref()?;
        Some(Self {
            automatically_after_days: rules.days().map(u32::from).or(rotation.days),
            duration: rules.duration().map(|it| it.to_string()),
            schedule_expression: rules.expression().map(|it| it.text().to_owned()),
        })
    }
}

type StagesShown = BTreeMap<String, Vec<String>>;

impl Named {
    pub(crate) fn new(secret: &Secret) -> Self {
        Self { arn: secret.arn.clone(), name: secret.name.clone() }
    }

    /// `{"arn":…}`, what the audit record of most changes shows.
    pub(crate) fn arn_element(&self) -> serde_json::Value {
        serde_json::json!({ "arn": self.arn })
    }

    /// `{"arn":…,"name":…}`.
    pub(crate) fn elements(&self) -> serde_json::Value {
        serde_json::json!({ "arn": self.arn, "name": self.name })
    }
}

impl NamedVersion {
    /// `{"arn":…}`, what the audit record of most changes shows.
    pub(crate) fn arn_element(&self) -> serde_json::Value {
        serde_json::json!({ "arn": self.arn })
    }
}

impl Shown {
    /// As DescribeSecret shows it.
    pub(crate) fn described(secret: Secret) -> Self {
        let stages = stages(&secret);
        Self { version_ids_to_stages: stages, ..Self::without_stages(secret) }
    }

    /// As ListSecrets shows it.
    pub(crate) fn listed(secret: Secret) -> Self {
        let stages = stages(&secret);
        Self { secret_versions_to_stages: stages, ..Self::without_stages(secret) }
    }

    fn without_stages(secret: Secret) -> Self {
        let rotation = secret.rotation.as_ref();
        Self {
            arn: secret.arn,
            created_date: secret.created,
            deleted_date: secret.deletion.map(|it| it.requested),
            description: secret.description,
            kms_key_id: secret.kms_key_id,
            last_accessed_date: secret.accessed,
            last_changed_date: secret.changed,
            last_rotated_date: rotation.and_then(|it| it.rotated),
            name: secret.name,
            next_rotation_date: rotation.and_then(Rotation::next_date),
            owning_service: secret.owning_service,
            rotation_enabled: rotation.map(|it| it.enabled),
            rotation_lambda_arn: rotation.and_then(|it| it.function.clone()),
            rotation_rules: rotation.and_then(RulesShown::new),
            secret_versions_to_stages: None,
            tags: secret.tags.as_ref().map(tags::shown),
            r#type: secret.kind,
            version_ids_to_stages: None,
        }
    }
}

/// Labelled versions with their labels; nothing at all if no version carries one.
fn stages(secret: &Secret) -> Option<StagesShown> {
    let versions = secret.stages.by_version();
    let shown = versions.into_iter().map(|(version, labels)| {
        let labels = labels.into_iter().map(|it| it.as_str().to_owned()).collect();
        (version.as_str().to_owned(), labels)
    });
    (!secret.stages.is_empty()).then(|| shown.collect())
}
