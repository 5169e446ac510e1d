//! Key policies: what is taken, how it is kept, and the fixed one of keys that AWS manages.
//!
//! Source: KMS Developer Guide, "Key policies" and "Default key policy"; API Reference, PutKeyPolicy.

use crate::exception::Exception;
use crate::{Error, KmsKey, limits};
use policy::engine::{Grammar, Pins, Policy, Resolver as _, entities, render};
use policy::{Document, Invalid, Principal};
use serde::{Deserialize, Serialize};
use service::principals::{self, Known};
use std::sync::OnceLock;
use store::Txn;
use wire::Violations;
use wire::members::Text;

/// The only name a key policy has.
pub(crate) const DEFAULT: &str = "default";

/// The most bytes of a key policy.
const MOST_BYTES: usize = 32 * 1024;

/// A key policy as it is kept: pretty-printed, with who its users and roles were when it was put.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyPolicy {
    text: String,
    #[serde(default)]
    pins: Pins,
}

/// A key's policy, taken apart when it is first asked. A copy of the key takes it apart anew.
#[derive(Debug, Default)]
pub(crate) struct Compiled(OnceLock<Box<Policy>>);

impl Clone for Compiled {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Compiled {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Compiled {}

impl KeyPolicy {
    /// `text` as it is to be kept, if it is a key policy for principals that exist.
    pub(crate) async fn check(txn: &mut Txn<'_>, text: &str) -> Result<Self, Exception> {
        if text.len() > MOST_BYTES {
            return Err(Exception::Limit(
                "The key policy exceeds the maximum size of 32768 bytes.".to_owned(),
            ));
        }
        let document = Document::parse(text).map_err(|invalid| match invalid {
            Invalid::Principal(_) => Exception::PolicyPrincipal,
            Invalid::Syntax(_) => malformed(),
        })?;
        let known = principals::look_up(txn, &document, &Pins::default()).await?;
        for principal in document.principals() {
            if !exists(txn, principal, &known).await? {
                return Err(Exception::PolicyPrincipal);
            }
        }
        let pins = entities(&document).into_iter();
        let pins = pins.filter_map(|arn| Some((arn.to_owned(), known.id(arn)?))).collect();
        let text = policy::pretty(text).map_err(|_| malformed())?;
        let kept = Self { text, pins };
        kept.compile().ok_or_else(malformed).map(|_| kept)
    }

    /// The policy of a key made without one: it leaves everything to the account.
    pub(crate) fn of_account(key: &KmsKey) -> Self {
        let root = root_arn(key);
        let document = serde_json::json!({
            "Version": "2012-10-17",
            "Id": "key-default-1",
            "Statement": [{
                "Sid": "Enable IAM User Permissions",
                "Effect": "Allow",
                "Principal": { "AWS": root },
                "Action": "kms:*",
                "Resource": "*",
            }],
        });
        Self::fixed(&document)
    }

    /// The policy of keys that AWS manages for `service`, such as `secretsmanager`: through that service
    /// everyone of the account, directly nothing but looking.
    ///
    /// `kms:Encrypt` isn't in the documented text; changing a secret's key needs it.
    fn of_service(key: &KmsKey, service: &str) -> Self {
        let place = key.place();
        let via = format!("{service}.{}.amazonaws.com", place.region());
        let document = serde_json::json!({
            "Version": "2012-10-17",
            "Id": format!("auto-{service}-1"),
            "Statement": [
                {
                    "Sid": "Allow access through the service for all principals in the account that may use it",
                    "Effect": "Allow",
                    "Principal": { "AWS": "*" },
                    "Action": [
                        "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*",
                        "kms:CreateGrant", "kms:DescribeKey",
                    ],
                    "Resource": "*",
                    "Condition": { "StringEquals": {
                        "kms:ViaService": via,
                        "kms:CallerAccount": place.account(),
                    } },
                },
                {
                    "Sid": "Allow direct access to key metadata to the account",
                    "Effect": "Allow",
                    "Principal": { "AWS": root_arn(key) },
                    "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
                    "Resource": "*",
                },
            ],
        });
        Self::fixed(&document)
    }

    fn fixed(document: &serde_json::Value) -> Self {
        let text = document.to_string();
        let text = policy::pretty(&text).unwrap_or(text);
        Self { text, pins: Pins::default() }
    }

    /// As it is kept.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    fn compile(&self) -> Option<Policy> {
        Policy::compile_pinned(&self.text, Grammar::Key, &self.pins).ok()
    }

    /// The text as it has to be read now: a user or role that was deleted shows its bare id.
    pub(crate) async fn shown(&self, txn: &mut Txn<'_>) -> Result<String, store::Error> {
        let Ok(document) = Document::parse(&self.text) else { return Ok(self.text.clone()) };
        let known = principals::look_up(txn, &document, &self.pins).await?;
        Ok(render(&self.text, &self.pins, &known).into_owned())
    }
}

impl KmsKey {
    /// Its policy, put by its owner or fixed.
    pub(crate) fn written_policy(&self) -> Option<KeyPolicy> {
        let fixed = || {
            let service = self.alias.as_deref()?.strip_prefix("aws/")?;
            Some(KeyPolicy::of_service(self, service))
        };
        self.policy.clone().or_else(fixed)
    }

    /// Its policy, ready to be asked.
    ///
    /// # Errors
    ///
    /// [`store::Error::Corrupt`] if it can't be understood any more: nobody may be let in for it, nor in
    /// spite of it.
    pub(crate) fn compiled_policy(&self) -> Result<&Policy, Error> {
        let Compiled(known) = &self.compiled;
        if let Some(policy) = known.get() {
            return Ok(policy);
        }
        let written = self.written_policy();
        let policy = written.and_then(|it| it.compile()).ok_or_else(|| store::Error::Corrupt {
            key: self.arn.clone(),
            reason: "not a key policy".to_owned(),
        })?;
        Ok(known.get_or_init(|| Box::new(policy)))
    }
}

/// The model's constraints on a policy's name.
pub(crate) fn name_constraints(found: &mut Violations, name: Option<&Text>) {
    found.length("policyName", name, limits::POLICY_NAME);
    found.pattern("policyName", name, r"[\w]+", |text| {
        text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')
    });
}

/// Refuses every name but the one there is.
pub(crate) fn only_default(name: Option<&Text>) -> Result<(), Exception> {
    let other = name.is_some_and(|it| it.as_str() != DEFAULT);
    if other { Err(unknown()) } else { Ok(()) }
}

/// That a key has no policy of that name.
pub(crate) fn unknown() -> Exception {
    Exception::NotFound("No such policy exists".to_owned())
}

async fn exists(txn: &mut Txn<'_>, who: &Principal, known: &Known) -> Result<bool, store::Error> {
    match who {
        // What is left of somebody who was deleted can't be put again.
        Principal::UniqueId(id) => Ok(known.arn(id).is_some()),
        _ => principals::exists(txn, who).await,
    }
}

fn root_arn(key: &KmsKey) -> String {
    let partition = key.arn.split(':').nth(1).unwrap_or("aws");
    format!("arn:{partition}:iam::{}:root", key.place().account())
}

fn malformed() -> Exception {
    Exception::PolicySyntax
}
