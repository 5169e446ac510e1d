//! The rows of this crate, and how answers show them.
//!
//! ```text
//! s/{account}/{region}/trust-anchor/{id}      whose certificates are believed, and its revocation lists' ids
//! s/{account}/{region}/anywhere-profile/{id}  which roles may be assumed, and how far
//! s/{account}/{region}/anywhere-crl/{id}      a revocation list of one trust anchor
//! s/{account}/{region}/anywhere-subject/{id}  who was given sessions, by the subject of its certificates
//! ```

use crate::kept::{Kept, What};
use base::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Authorities that an account trusts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TrustAnchor {
    /// As it was given, in PEM.
    pub(crate) bundle: String,
    /// Ids of its revocation lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) crls: Vec<String>,
}

/// Which roles may be assumed, and how far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Profile {
    pub(crate) role_arns: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) session_policy: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) managed_policy_arns: Vec<String>,
    /// In seconds.
    pub(crate) duration: u64,
    pub(crate) accept_session_name: bool,
    /// The account that made it.
    pub(crate) created_by: String,
}

/// A revocation list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Crl {
    /// As it was given, in base64.
    pub(crate) data: String,
    pub(crate) anchor_arn: String,
}

/// Who was given sessions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Subject {
    pub(crate) distinguished: String,
    pub(crate) seen: Timestamp,
    /// The newest certificates, the last one last.
    pub(crate) credentials: Vec<Shown>,
}

/// A certificate that was shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) serial: String,
    pub(crate) issuer: String,
    pub(crate) certificate: String,
    pub(crate) seen: Timestamp,
}

impl What for TrustAnchor {
    const WORD: &'static str = "trust-anchor";
    const ROW: &'static str = "trust-anchor";
    const MEMBER: &'static str = "trustAnchor";
    const MEMBERS: &'static str = "trustAnchors";
    const CALLED: &'static str = "Trust anchor";
    type Shown<'a> = Value;

    fn shown(kept: &Kept<Self>) -> Value {
        json!({
            "trustAnchorId": kept.id,
            "trustAnchorArn": kept.arn,
            "name": kept.name,
            "source": {
                "sourceType": CERTIFICATE_BUNDLE,
                "sourceData": { "x509CertificateData": kept.what.bundle },
            },
            "enabled": kept.enabled,
            "createdAt": kept.created.to_string(),
            "updatedAt": kept.updated.to_string(),
        })
    }
}

impl What for Profile {
    const WORD: &'static str = "profile";
    const ROW: &'static str = "anywhere-profile";
    const MEMBER: &'static str = "profile";
    const MEMBERS: &'static str = "profiles";
    const CALLED: &'static str = "Profile";
    type Shown<'a> = Value;

    fn shown(kept: &Kept<Self>) -> Value {
        let profile = &kept.what;
        let mut shown = json!({
            "profileId": kept.id,
            "profileArn": kept.arn,
            "name": kept.name,
            "requireInstanceProperties": false,
            "enabled": kept.enabled,
            "createdBy": profile.created_by,
            "roleArns": profile.role_arns,
            "managedPolicyArns": profile.managed_policy_arns,
            "createdAt": kept.created.to_string(),
            "updatedAt": kept.updated.to_string(),
            "durationSeconds": profile.duration,
            "acceptRoleSessionName": profile.accept_session_name,
            "attributeMappings": [
                mapping("x509Issuer", &["*"]),
                mapping("x509SAN", &["DNS", "URI", "Name/*"]),
                mapping("x509Subject", &["*"]),
            ],
        });
        if let (Some(policy), Some(shown)) = (&profile.session_policy, shown.as_object_mut()) {
            shown.insert("sessionPolicy".to_owned(), Value::from(policy.as_str()));
        }
        shown
    }
}

impl What for Crl {
    const WORD: &'static str = "crl";
    const ROW: &'static str = "anywhere-crl";
    const MEMBER: &'static str = "crl";
    const MEMBERS: &'static str = "crls";
    const CALLED: &'static str = "CRL";
    type Shown<'a> = Value;

    fn shown(kept: &Kept<Self>) -> Value {
        json!({
            "crlId": kept.id,
            "crlArn": kept.arn,
            "name": kept.name,
            "enabled": kept.enabled,
            "crlData": kept.what.data,
            "trustAnchorArn": kept.what.anchor_arn,
            "createdAt": kept.created.to_string(),
            "updatedAt": kept.updated.to_string(),
        })
    }
}

impl What for Subject {
    const WORD: &'static str = "subject";
    const ROW: &'static str = "anywhere-subject";
    const MEMBER: &'static str = "subject";
    const MEMBERS: &'static str = "subjects";
    const CALLED: &'static str = "Subject";
    type Shown<'a> = Value;

    fn shown(kept: &Kept<Self>) -> Value {
        let credential = |it: &Shown| {
            json!({
                "seenAt": it.seen.to_string(),
                "serialNumber": it.serial,
                "issuer": it.issuer,
                "enabled": true,
                "x509CertificateData": it.certificate,
                "failed": false,
            })
        };
        json!({
            "subjectArn": kept.arn,
            "subjectId": kept.id,
            "enabled": kept.enabled,
            "x509Subject": kept.what.distinguished,
            "lastSeenAt": kept.what.seen.to_string(),
            "createdAt": kept.created.to_string(),
            "updatedAt": kept.updated.to_string(),
            "credentials": kept.what.credentials.iter().map(credential).collect::<Vec<_>>(),
        })
    }

    fn listed(kept: &Kept<Self>) -> Value {
        let mut shown = Self::shown(kept);
        if let Some(members) = shown.as_object_mut() {
            members.remove("credentials");
        }
        shown
    }
}

impl Crl {
    /// Its lists, as DER; one that can't be read any more is kept, so that it revokes everything.
    pub(crate) fn lists(&self) -> Vec<Vec<u8>> {
        let data = STANDARD.decode(&self.data).unwrap_or_default();
        crate::revocations(&data).unwrap_or_else(|_| vec![data])
    }
}

fn mapping(field: &str, specifiers: &[&str]) -> Value {
    let rules: Vec<_> = specifiers.iter().map(|it| json!({ "specifier": it })).collect();
    json!({ "certificateField": field, "mappingRules": rules })
}

/// The only source that is taken.
pub(crate) const CERTIFICATE_BUNDLE: &str = "CERTIFICATE_BUNDLE";
