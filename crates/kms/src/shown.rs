//! What answers show of a key.

use crate::access::{ENCRYPT_DECRYPT, SYMMETRIC};
use crate::{KeyState, KmsKey, Manager, import};
use base::Timestamp;
use serde::Serialize;
use wire::json::{instant, instant_option};

/// An empty object: operations without output.
#[derive(Debug, Serialize)]
pub struct Nothing {}

/// `KeyMetadata`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyMetadata {
    #[serde(rename = "AWSAccountId")]
    aws_account_id: String,
    key_id: String,
    arn: String,
    #[serde(serialize_with = "instant")]
    creation_date: Timestamp,
    enabled: bool,
    description: String,
    key_usage: &'static str,
    key_state: KeyState,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "instant_option")]
    deletion_date: Option<Timestamp>,
    origin: &'static str,
    key_manager: Manager,
    customer_master_key_spec: &'static str,
    key_spec: &'static str,
    encryption_algorithms: [&'static str; 1],
    multi_region: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_key_material_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_model: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "instant_option")]
    valid_to: Option<Timestamp>,
}

impl KeyMetadata {
    /// What is told of `key`.
    pub(crate) fn of(key: &KmsKey) -> Self {
        Self {
            aws_account_id: key.place().account().to_owned(),
            key_id: key.id.clone(),
            arn: key.arn.clone(),
            creation_date: key.created,
            enabled: key.state == KeyState::Enabled,
            description: key.description.clone(),
            key_usage: ENCRYPT_DECRYPT,
            key_state: key.state,
            deletion_date: key.deletion.map(|it| it.date),
            origin: key.origin.as_str(),
            key_manager: key.manager,
            customer_master_key_spec: SYMMETRIC,
            key_spec: SYMMETRIC,
            encryption_algorithms: [SYMMETRIC],
            multi_region: false,
            current_key_material_id: key.material.map(|it| it.to_string()),
            expiration_model: import::expiration(key),
            valid_to: import::earliest_end(key),
        }
    }

    /// The same for an audit record.
    pub(crate) fn elements(&self) -> serde_json::Value {
        serde_json::json!({ "keyMetadata": {
            "aWSAccountId": self.aws_account_id,
            "keyId": self.key_id,
            "arn": self.arn,
            "creationDate": self.creation_date.to_string(),
            "enabled": self.enabled,
            "description": self.description,
            "keyUsage": self.key_usage,
            "keyState": self.key_state,
            "origin": self.origin,
            "keyManager": self.key_manager,
            "keySpec": self.key_spec,
            "multiRegion": self.multi_region,
        } })
    }
}
