//! Roles Anywhere: `CreateSession`, signed with the key of an X.509 certificate.
//!
//! The canonical request is Signature Version 4's; what differs is who signs and how it is named. The
//! ARNs go into the query, as the official helper sends them.
//!
//! Source: IAM Roles Anywhere User Guide, "The IAM Roles Anywhere authentication signing process".

use super::exchange::Prepared;
use super::sts;
use crate::config::X509Config;
use crate::files::{self, Readers};
use crate::keys::{IssueError, Keys, Wanted};
use base::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::SignatureScheme::{ECDSA_NISTP256_SHA256, RSA_PKCS1_SHA256};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use sigv4::body_hash;
use std::borrow::Cow;
use std::fmt::Write;
use std::path::Path;
use zeroize::Zeroizing;

/// A certificate and its private key.
pub(super) struct Signer {
    key: Box<dyn rustls::sign::Signer>,
    algorithm: &'static str,
    /// The certificate's serial number, in decimal.
    serial: String,
    /// The certificate, and those between it and the trust anchor, each in Base64.
    chain: Vec<String>,
}

/// Whom a request is for, and when.
pub(super) struct Place<'a> {
    pub(super) authority: &'a str,
    pub(super) region: &'a str,
    pub(super) at: Timestamp,
}

impl Signer {
    /// The certificate and key in two PEM files.
    pub(super) fn load(certificate: &Path, key: &Path) -> Result<Self, IssueError> {
        let unfit = |path: &Path, why: &str| {
            IssueError::Identity(format!("`{}` can't be used: {why}", path.display()))
        };
        let text = files::read(certificate, Readers::All)
            .map_err(|it| unfit(certificate, &it.to_string()))?;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(text.expose())
            .collect::<Result<_, _>>()
            .map_err(|it| unfit(certificate, &it.to_string()))?;
        let leaf = chain.first().ok_or_else(|| unfit(certificate, "no certificate is in it"))?;
        let (_, parsed) = x509_parser::parse_x509_certificate(leaf)
            .map_err(|_| unfit(certificate, "its first certificate is malformed"))?;
        let serial = parsed.tbs_certificate.serial.to_string();

        let text = files::read(key, Readers::Owner).map_err(|it| unfit(key, &it.to_string()))?;
        let der = PrivateKeyDer::from_pem_slice(text.expose())
            .map_err(|it| unfit(key, &it.to_string()))?;
        let private = aws_lc_rs::default_provider().key_provider.load_private_key(der);
        let private = private.map_err(|it| unfit(key, &it.to_string()))?;
        let public = private.public_key();
        if public.is_some_and(|it| it.as_ref() != parsed.tbs_certificate.subject_pki.raw) {
            return Err(unfit(key, "it doesn't belong to the certificate"));
        }
        let (key, algorithm) = [
            (ECDSA_NISTP256_SHA256, "AWS4-X509-ECDSA-SHA256"),
            (RSA_PKCS1_SHA256, "AWS4-X509-RSA-SHA256"),
        ]
        .into_iter()
        .find_map(|(scheme, name)| Some((private.choose_scheme(&[scheme])?, name)))
        .ok_or_else(|| unfit(key, "the key is neither RSA nor of the curve P-256"))?;
        let chain = chain.iter().map(|it| STANDARD.encode(it)).collect();
        Ok(Self { key, algorithm, serial, chain })
    }

    /// The request for `wanted`.
    pub(super) fn session(
        &self,
        wanted: &Wanted,
        identity: &X509Config,
        place: &Place<'_>,
    ) -> Result<Prepared, IssueError> {
        let arns = [&identity.profile_arn, &wanted.role_arn, &identity.trust_anchor_arn];
        let [profile, role, anchor] = arns.map(|it| encoded(it));
        // Sorted by name, as it is signed.
        let query = format!("profileArn={profile}&roleArn={role}&trustAnchorArn={anchor}");
        let name = identity.accepts_session_names.then_some(wanted.session_name.as_str());
        let body = Body { duration_seconds: wanted.seconds, role_session_name: name };
        let body = serde_json::to_vec(&body).unwrap_or_default();

        let date = place.at.basic();
        let mut headers = vec![("x-amz-date", date)];
        let (leaf, between) = self.chain.split_first().ok_or(IssueError::Unusable("no chain"))?;
        headers.push(("x-amz-x509", leaf.clone()));
        if !between.is_empty() {
            headers.push(("x-amz-x509-chain", between.join(",")));
        }
        let authorization = self.authorization(&headers, (&query, &body), place)?;
        headers.push(("authorization", authorization));
        let target = format!("/sessions?{query}");
        Ok(Prepared { target, headers, content_type: JSON, body: Zeroizing::new(body), read })
    }

    /// The `Authorization` header over `headers`, sorted by name, and over query and body.
    fn authorization(
        &self,
        headers: &[(&'static str, String)],
        (query, body): (&str, &[u8]),
        place: &Place<'_>,
    ) -> Result<String, IssueError> {
        let fixed = [("content-type", JSON), ("host", place.authority)];
        let signed = headers.iter().map(|(name, value)| (*name, value.as_str()));
        let (mut lines, mut names) = (String::new(), Vec::new());
        for (name, value) in fixed.into_iter().chain(signed) {
            lines.extend([name, ":", value, "\n"]);
            names.push(name);
        }
        let names = names.join(";");
        let hash = hex(&body_hash(body));
        let canonical = format!("POST\n/sessions\n{query}\n{lines}\n{names}\n{hash}");

        let date = place.at.basic();
        let day = date.get(..8).unwrap_or_default();
        let scope = format!("{day}/{}/rolesanywhere/aws4_request", place.region);
        let hash = hex(&body_hash(canonical.as_bytes()));
        let text = format!("{}\n{date}\n{scope}\n{hash}", self.algorithm);
        let signature = self.key.sign(text.as_bytes());
        let signature = hex(&signature.map_err(|it| IssueError::Identity(it.to_string()))?);
        let (algorithm, serial) = (self.algorithm, &self.serial);
        Ok(format!(
            "{algorithm} Credential={serial}/{scope}, SignedHeaders={names}, Signature={signature}"
        ))
    }
}

/// `CreateSession`'s body.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    duration_seconds: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_session_name: Option<&'a str>,
}

/// `CreateSession`'s answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(borrow)]
    credential_set: Vec<Member<'a>>,
}

#[derive(Deserialize)]
struct Member<'a> {
    #[serde(borrow)]
    credentials: Issued<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Issued<'a> {
    #[serde(borrow)]
    access_key_id: Cow<'a, str>,
    #[serde(borrow)]
    secret_access_key: Cow<'a, str>,
    #[serde(borrow)]
    session_token: Cow<'a, str>,
    #[serde(borrow)]
    expiration: Cow<'a, str>,
}

/// The session in the JSON of a success.
pub fn read(body: &[u8]) -> Result<Keys, IssueError> {
    let answer: Option<Answer<'_>> = serde_json::from_slice(body).ok();
    let it = answer.as_ref().and_then(|it| it.credential_set.first());
    let it = it.ok_or(IssueError::Unusable("it is no JSON with a `credentialSet`"))?;
    let Issued { access_key_id, secret_access_key, session_token, expiration } = &it.credentials;
    sts::keys((access_key_id, secret_access_key, session_token), expiration)
}

/// The message in the JSON of a refusal; its code is in a header.
pub(super) fn read_fault(body: &[u8]) -> Option<String> {
    let fault: serde_json::Value = serde_json::from_slice(body).ok()?;
    let message = fault.get("message").or_else(|| fault.get("Message"))?;
    message.as_str().map(str::to_owned)
}

/// Percent-encodes every byte of `text` but letters, digits and `-._~`.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _never_fails = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _never_fails = write!(out, "{byte:02x}");
    }
    out
}

const JSON: &str = "application/json";
