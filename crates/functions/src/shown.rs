//! Functions as answers show them.

use crate::Error;
use crate::function::{Kept, Logging};
use crate::given::scope;
use crate::names::LATEST;
use base::Sensitive;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use service::Call;
use std::collections::BTreeMap;
use store::Txn;
use wire::json::secret_text;

/// What a function is set to: the answer of most operations.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Configuration {
    function_name: String,
    function_arn: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    runtime: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    role: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    handler: String,
    code_size: u64,
    description: String,
    timeout: u32,
    memory_size: u32,
    last_modified: String,
    code_sha256: String,
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<Environment>,
    tracing_config: Value,
    revision_id: String,
    state: &'static str,
    last_update_status: &'static str,
    package_type: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    architectures: Vec<String>,
    ephemeral_storage: Value,
    snap_start: Value,
    logging_config: Value,
}

/// The environment, or why it isn't shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) enum Environment {
    Variables(BTreeMap<String, Plain>),
    Error(Value),
}

/// Borrowed by none, written straight into the answer.
#[derive(Debug)]
pub(crate) struct Plain(Sensitive);

impl Serialize for Plain {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        secret_text(&self.0, out)
    }
}

impl Configuration {
    /// `kept` with its `environment`, under the ARN with `qualifier` if it was asked for with one.
    fn new(kept: &Kept, environment: Option<Environment>, qualifier: Option<&str>) -> Self {
        let arn = qualifier.map_or_else(|| kept.arn.clone(), |it| format!("{}:{it}", kept.arn));
        Self {
            function_name: kept.name.clone(),
            function_arn: arn,
            runtime: kept.runtime.clone(),
            role: kept.role.clone(),
            handler: kept.handler.clone(),
            code_size: kept.code.bytes,
            description: kept.description.clone(),
            timeout: kept.timeout,
            memory_size: kept.memory,
            last_modified: kept.modified.format("%Y-%m-%dT%H:%M:%S.%3f+0000"),
            code_sha256: base64_of(&kept.code.sha256),
            version: LATEST,
            environment,
            tracing_config: json!({ "Mode": kept.tracing }),
            revision_id: kept.revision.clone(),
            state: "Active",
            last_update_status: "Successful",
            package_type: "Zip",
            architectures: Some(kept.architecture.clone())
                .filter(|it| !it.is_empty())
                .into_iter()
                .collect(),
            ephemeral_storage: json!({ "Size": kept.scratch }),
            snap_start: json!({ "ApplyOn": "None", "OptimizationStatus": "Off" }),
            logging_config: logging(&kept.name, &kept.logging),
        }
    }

    /// What its record tells.
    pub(crate) fn told(&self) -> Value {
        json!({
            "functionName": self.function_name,
            "functionArn": self.function_arn,
            "runtime": self.runtime,
            "role": self.role,
            "handler": self.handler,
            "codeSize": self.code_size,
            "timeout": self.timeout,
            "memorySize": self.memory_size,
            "lastModified": self.last_modified,
            "codeSha256": self.code_sha256,
            "version": self.version,
            "revisionId": self.revision_id,
        })
    }
}

/// `kept` as `call` may see it: its environment only from its own account.
pub(crate) async fn configuration(
    call: &Call<'_>,
    txn: &mut Txn<'_>,
    kept: &Kept,
    qualifier: Option<&str>,
) -> Result<Configuration, Error> {
    let environment = if kept.environment.is_none() {
        None
    } else if kept.account == call.caller.account {
        variables(kept.open(txn, &scope(call)).await?)
    } else {
        Some(hidden())
    };
    Ok(Configuration::new(kept, environment, qualifier))
}

/// Variables that are shown; nothing where there are none.
fn variables(opened: BTreeMap<String, Sensitive>) -> Option<Environment> {
    let shown: BTreeMap<_, _> = opened.into_iter().map(|(name, it)| (name, Plain(it))).collect();
    Some(shown).filter(|it| !it.is_empty()).map(Environment::Variables)
}

/// That they may not be seen from another account.
fn hidden() -> Environment {
    Environment::Error(json!({
        "ErrorCode": "AccessDeniedException",
        "Message": "Lambda was unable to decrypt your environment variables because the KMS access was denied.",
    }))
}

fn logging(name: &str, kept: &Logging) -> Value {
    let mut shown = json!({
        "LogFormat": kept.format.as_deref().unwrap_or("Text"),
        "LogGroup": kept.group.clone().unwrap_or_else(|| format!("/aws/lambda/{name}")),
    });
    for (member, level) in
        [("ApplicationLogLevel", &kept.application), ("SystemLogLevel", &kept.system)]
    {
        if let (Some(level), Some(shown)) = (level, shown.as_object_mut()) {
            shown.insert(member.to_owned(), Value::from(level.as_str()));
        }
    }
    shown
}

/// Hex as base64, which answers have.
fn base64_of(hex: &str) -> String {
    let digits = hex.as_bytes().chunks(2).filter_map(|it| str::from_utf8(it).ok());
    STANDARD.encode(digits.filter_map(|it| u8::from_str_radix(it, 16).ok()).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_have_both_forms() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(base64_of(hex), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!(base64_of(""), "");
    }
}
