//! Resource policies: what is taken, and how it is kept.

use crate::secret::Secret;
use crate::{Error, limits};
use policy::{Document, Invalid};
use serde::Serialize;
use store::Txn;
use wire::Violations;
use wire::members::Text;

/// The only name a policy may have that users put.
pub(crate) const DEFAULT: &str = "default";

/// `text` taken apart, if it is a policy for principals that exist.
pub(crate) async fn check(txn: &mut Txn<'_>, text: &str) -> Result<Document, Error> {
    let document = Document::parse(text).map_err(|invalid| match invalid {
        Invalid::Principal(_) => Error::PolicyPrincipal,
        Invalid::Syntax(_) => Error::PolicySyntax,
    })?;
    for principal in document.principals() {
        if !service::principals::exists(txn, principal).await? {
            return Err(Error::PolicyPrincipal);
        }
    }
    Ok(document)
}

/// The model's constraints on a policy's name.
pub(crate) fn name_constraints(found: &mut Violations, name: Option<&Text>) {
    found.length("policyName", name, limits::POLICY_NAME);
    found.pattern("policyName", name, r"[0-9A-Za-z\-\_]+", |text| {
        text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-' || it == b'_')
    });
}

/// Refuses every name but the one users may put.
pub(crate) fn only_default(name: Option<&Text>) -> Result<(), Error> {
    match name {
        Some(name) if name.as_str() != DEFAULT => {
            Err(Error::Parameter("You can only change the policy named default.".to_owned()))
        }
        _ => Ok(()),
    }
}

/// A secret and the policy that was changed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NamedPolicy {
    #[serde(rename = "ARN")]
    arn: String,
    name: String,
    policy_name: &'static str,
}

impl NamedPolicy {
    pub(crate) fn new(secret: &Secret) -> Self {
        Self { arn: secret.arn.clone(), name: secret.name.clone(), policy_name: DEFAULT }
    }

    /// `{"arn":…,"name":…}`.
    pub(crate) fn elements(&self) -> serde_json::Value {
        serde_json::json!({ "arn": self.arn, "name": self.name })
    }
}
