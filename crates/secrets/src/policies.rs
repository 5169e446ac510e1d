//! Resource policies: what is taken, and how it is kept.

use crate::secret::Secret;
use crate::{Error, limits};
use policy::engine::{Attached, Grammar, Pins, Policy, Resolver as _, entities, render};
use policy::{Document, Invalid, Principal};
use serde::{Deserialize, Serialize};
use service::principals::{self, Known};
use store::{Record, Txn};
use wire::Violations;
use wire::members::Text;

/// The only name a policy may have that users put.
pub(crate) const DEFAULT: &str = "default";

/// A resource policy as it is kept: pretty-printed, with who its users and roles were when it was put.
#[derive(Debug)]
pub(crate) struct StoredPolicy {
    text: String,
    pins: Pins,
    compiled: Policy,
}

/// What stands in the row.
#[derive(Serialize, Deserialize)]
struct Written {
    text: String,
    #[serde(default)]
    pins: Pins,
}

impl Record for StoredPolicy {
    const SCHEMA: u16 = 2;

    fn encode(&self) -> Result<Vec<u8>, String> {
        let written = Written { text: self.text.clone(), pins: self.pins.clone() };
        serde_json::to_vec(&written).map_err(|error| error.to_string())
    }

    /// A policy that can't be understood any more is damage: nobody may be let in for it, nor in spite
    /// of it.
    fn decode(schema: u16, bytes: &[u8]) -> Result<Self, String> {
        let written = match schema {
            // The text alone: users and roles were not pinned.
            1 => serde_json::from_slice(bytes).map(|text| Written { text, pins: Pins::default() }),
            2 => serde_json::from_slice(bytes),
            _ => return Err(format!("schema {schema} is newer than this program")),
        };
        let Written { text, pins } = written.map_err(|_| "not a stored policy".to_owned())?;
        Self::new(text, pins).ok_or_else(|| "not a policy".to_owned())
    }
}

impl StoredPolicy {
    fn new(text: String, pins: Pins) -> Option<Self> {
        let compiled = Policy::compile_pinned(&text, Grammar::Resource, &pins).ok()?;
        Some(Self { text, pins, compiled })
    }

    /// As the policy engine takes it.
    pub(crate) fn attached(&self) -> Attached<'_> {
        Attached { id: DEFAULT, policy: &self.compiled }
    }

    /// Whom it names.
    pub(crate) fn named(&self) -> Vec<Principal> {
        let document = Document::parse(&self.text).ok();
        document.iter().flat_map(Document::principals).cloned().collect()
    }

    /// The text as it has to be read now: a user or role that was deleted shows its bare id.
    pub(crate) async fn shown(&self, txn: &mut Txn<'_>) -> Result<String, Error> {
        let Ok(document) = Document::parse(&self.text) else { return Ok(self.text.clone()) };
        let known = principals::look_up(txn, &document, &self.pins).await?;
        Ok(render(&self.text, &self.pins, &known).into_owned())
    }
}

/// `text` as it is to be kept, if it is a policy for principals that exist.
pub(crate) async fn pinned(txn: &mut Txn<'_>, text: &str) -> Result<StoredPolicy, Error> {
    let document = check(txn, text).await?;
    let known = principals::look_up(txn, &document, &Pins::default()).await?;
    let pins = entities(&document).into_iter();
    let pins = pins.filter_map(|arn| Some((arn.to_owned(), known.id(arn)?))).collect();
    let pretty = policy::pretty(text).map_err(|_| Error::PolicySyntax)?;
    StoredPolicy::new(pretty, pins).ok_or(Error::PolicySyntax)
}

/// `text` taken apart, if it is a policy for principals that exist.
pub(crate) async fn check(txn: &mut Txn<'_>, text: &str) -> Result<Document, Error> {
    let document = Document::parse(text).map_err(|invalid| match invalid {
        Invalid::Principal(_) => Error::PolicyPrincipal,
        Invalid::Syntax(_) => Error::PolicySyntax,
    })?;
    let known = principals::look_up(txn, &document, &Pins::default()).await?;
    for principal in document.principals() {
        if !exists(txn, principal, &known).await? {
            return Err(Error::PolicyPrincipal);
        }
    }
    Ok(document)
}

async fn exists(txn: &mut Txn<'_>, principal: &Principal, known: &Known) -> Result<bool, Error> {
    match principal {
        // What is left of somebody who was deleted can't be put again.
        Principal::UniqueId(id) => Ok(known.arn(id).is_some()),
        _ => Ok(principals::exists(txn, principal).await?),
    }
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
