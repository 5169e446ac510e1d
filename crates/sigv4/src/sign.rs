//! The client's side: what to add to a request so that a server accepts it.

use crate::canonical::{self, Canonical, Host};
use crate::instant::Instant;
use crate::key::SigningKey;
use crate::parameter;
use crate::rejection::Rejection;
use crate::request::{Request, body_hash};
use crate::verify::write_string_to_sign;
use crate::{ALGORITHM, TERMINATOR, hex};
use base::{Sensitive, Timestamp};
use std::collections::BTreeSet;

/// An access key with its secret.
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'a> {
    /// `AKIA…` or `ASIA…`.
    pub access_key_id: &'a str,
    /// The secret access key.
    pub secret: &'a Sensitive,
    /// Comes with temporary keys. Signed along.
    pub session_token: Option<&'a str>,
}

/// Signs requests as one caller, at one instant, for one place.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// Who signs.
    pub credentials: Credentials<'a>,
    /// The Region's name.
    pub region: &'a str,
    /// The service's signing name: `secretsmanager`, `kms`, `ssm`, `iam`, `sts`, …
    pub service: &'a str,
    /// When; cut to the second.
    pub at: Timestamp,
}

impl Signer<'_> {
    /// The headers that `request` lacks: `x-amz-date`, `authorization` and, with temporary
    /// keys, `x-amz-security-token`.
    ///
    /// Every header in `request` is signed but those that proxies change. They must not be added,
    /// removed or changed afterwards.
    ///
    /// # Errors
    ///
    /// - [`Rejection::Unsigned`]: `request` has no `host`.
    /// - [`Rejection::Path`], [`Rejection::QueryString`]: its URI is malformed.
    pub fn sign(&self, request: &Request<'_>) -> Result<Vec<(&'static str, String)>, Rejection> {
        let signed_at = Instant::of(self.at);
        let mut added = vec![("x-amz-date", signed_at.basic().to_owned())];
        if let Some(token) = self.credentials.session_token {
            added.push(("x-amz-security-token", token.to_owned()));
        }
        let mut headers = request.headers.to_vec();
        headers.retain(|it| !added.iter().any(|added| added.0 == it.0));
        headers.extend(added.iter().map(|it| (it.0, it.1.as_bytes())));

        let request = Request { headers: &headers, ..*request };
        let names = signed_names(&request)?;
        let signature = self.signature(&request, &names, &signed_at)?;
        let credential = self.credential(&signed_at);
        added.push((
            "authorization",
            format!(
                "{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
            ),
        ));
        Ok(added)
    }

    /// The query that makes `request` a presigned one, its own parameters included.
    ///
    /// `lifetime` is in seconds, 1 to 604800.
    ///
    /// # Errors
    ///
    /// Those of [`Signer::sign`].
    pub fn presign(&self, request: &Request<'_>, lifetime: u32) -> Result<String, Rejection> {
        let signed_at = Instant::of(self.at);
        let names = signed_names(request)?;
        let mut query = request.query.to_owned();
        let mut add = |name: &str, value: &str| {
            let separator = if query.is_empty() { "" } else { "&" };
            let value = parameter::encode(value.as_bytes());
            query.extend([separator, name, "=", &String::from_utf8_lossy(&value)]);
        };
        add("X-Amz-Algorithm", ALGORITHM);
        add("X-Amz-Credential", &self.credential(&signed_at));
        add("X-Amz-Date", signed_at.basic());
        add("X-Amz-Expires", &lifetime.to_string());
        add("X-Amz-SignedHeaders", &names);
        if let Some(token) = self.credentials.session_token {
            add("X-Amz-Security-Token", token);
        }
        let unsigned = Request { query: &query, ..*request };
        let signature = self.signature(&unsigned, &names, &signed_at)?;
        Ok(query + "&X-Amz-Signature=" + &signature)
    }

    fn signature(
        &self,
        request: &Request<'_>,
        names: &str,
        signed_at: &Instant,
    ) -> Result<String, Rejection> {
        let canonical = Canonical {
            request,
            path: &canonical::path(request.path)?,
            parameters: &parameter::parse(request.query)?,
            signed_headers: names,
            host: Host::AsReceived,
        };
        let (mut written, mut text) = (Vec::new(), Vec::new());
        canonical.write(&mut written);
        write_string_to_sign(
            crate::ALGORITHM,
            signed_at,
            &self.scope(signed_at),
            &body_hash(&written),
            &mut text,
        );

        let secret = self.credentials.secret;
        let key = SigningKey::derive(secret, signed_at.date(), self.region, self.service);
        Ok(hex::encode(&key.sign(&text)).into_iter().map(char::from).collect())
    }

    fn credential(&self, signed_at: &Instant) -> String {
        format!("{}/{}", self.credentials.access_key_id, self.scope(signed_at))
    }

    fn scope(&self, signed_at: &Instant) -> String {
        format!("{}/{}/{}/{TERMINATOR}", signed_at.date(), self.region, self.service)
    }
}

/// The names of the headers to sign, sorted and joined by `;`.
fn signed_names(request: &Request<'_>) -> Result<String, Rejection> {
    if request.first("host").is_none() {
        return Err(Rejection::Unsigned("host"));
    }
    let names: BTreeSet<_> = request.headers.iter().map(|it| it.0).collect();
    let signed: Vec<_> = names.into_iter().filter(|it| !CHANGED_ON_THE_WAY.contains(it)).collect();
    Ok(signed.join(";"))
}

const CHANGED_ON_THE_WAY: [&str; 8] = [
    "authorization",
    "connection",
    "expect",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
];
