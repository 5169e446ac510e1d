//! Who signed this? The third stop: from a request to a caller.

use crate::metrics::Reason;
use crate::route::Api;
use crate::signing_keys::{ScopedKey, SigningKeys};
use base::{Entropy, Region, Timestamp};
use envelope::Keyring;
use http::header::HOST;
use http::request::Parts;
use identity::{KeyRow, Status};
use service::{Access, chain};
use sigv4::{Current, Presented, Rejection, Scoped, SigningKey, Verified};
use std::sync::Arc;
use store::Backend;

/// What a checked signature gives: the proof, with the key the caller and the Region, and what the
/// caller's policies are.
pub(crate) struct Signed {
    pub(crate) proof: Verified,
    pub(crate) key: Arc<ScopedKey>,
    /// What the caller may do.
    pub(crate) access: Arc<Access>,
}

/// Why there is no caller.
#[derive(Debug)]
pub(crate) enum Refused {
    /// We failed; what happened, for the log.
    Failed(String),
    /// The signature is no good.
    Rejected(Rejection),
}

/// What signatures are checked with.
pub(crate) struct Authenticator {
    pub(crate) keys: SigningKeys,
    /// Regions that may be signed for; empty: all.
    pub(crate) regions: Vec<Region>,
    /// Hosts that clients sign where a proxy changes the header.
    pub(crate) canonical_hosts: Vec<String>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl Authenticator {
    /// Checks that an active access key has signed the request for `api`, just now.
    ///
    /// The key's row is read from the store each time: who was locked out stays out.
    pub(crate) async fn authenticate(
        &self,
        backend: &dyn Backend,
        (parts, body_hash): (&Parts, [u8; 32]),
        api: &Api,
        now: Timestamp,
    ) -> Result<Signed, Refused> {
        let mut headers = headers_of(parts);
        let request = request_of(parts, &headers, body_hash);
        let scoped = self.scope(&request, api, now)?;
        if scoped.session_token().is_some() {
            // Sessions are not built: no token was ever one of ours.
            return Err(Rejection::InvalidToken.into());
        }

        let mut txn = store::begin(backend);
        let row = identity::find_row(&mut txn, scoped.access_key_id()).await;
        let row = row.map_err(|error| Refused::Failed(chain(&error)))?;
        let known = row.as_ref().and_then(|row| self.keys.find(row, &scoped));
        let is_known = known.is_some();
        let key = match (known, &row) {
            (Some(key), _) => Some(key),
            (None, Some(row)) => self.derive(&mut txn, row, &scoped, now).await?,
            (None, None) => None,
        };
        let Some(key) = key else {
            // The same arithmetic as for a key that exists.
            let _never_right = scoped.verify(&SigningKey::dummy());
            return Err(Rejection::UnknownKey.into());
        };
        let mut outcome = scoped.verify(&key.key);
        drop(scoped);
        if outcome.is_err() {
            for host in &self.canonical_hosts {
                set_host(&mut headers, host);
                let request = request_of(parts, &headers, body_hash);
                outcome = self.scope(&request, api, now)?.verify(&key.key);
                if outcome.is_ok() {
                    break;
                }
            }
        }
        let proof = outcome?;
        if !is_known && let Some(row) = row {
            // Only for signatures that were right: nobody else fills the memory.
            self.keys.keep(row, &key);
        }
        let access = access(&mut txn, &key).await?;
        Ok(Signed { proof, key, access })
    }

    /// Everything that can be checked without a key.
    fn scope<'a>(
        &self,
        request: &sigv4::Request<'a>,
        api: &Api,
        now: Timestamp,
    ) -> Result<Scoped<'a>, Rejection> {
        let current: Current<'_> =
            Presented::parse(request)?.check_window(now, api.window_minutes)?;
        if api.is_json() {
            current.check_lifetime(now)?;
        }
        current.check_scope(&[api.signing_name], |it| self.is_region(it))
    }

    fn is_region(&self, name: &str) -> bool {
        match &self.regions[..] {
            [] => name.parse::<Region>().is_ok(),
            regions => regions.iter().any(|it| it.as_str() == name),
        }
    }

    /// The key for what was signed for, from the row of an access key; `None` if that is inactive.
    async fn derive(
        &self,
        txn: &mut store::Txn<'_>,
        row: &KeyRow,
        scoped: &Scoped<'_>,
        now: Timestamp,
    ) -> Result<Option<Arc<ScopedKey>>, Refused> {
        let failed = |error: &(dyn std::error::Error + 'static)| Refused::Failed(chain(error));
        let access_key = row.open(scoped.access_key_id()).map_err(|error| failed(&error))?;
        if access_key.status != Status::Active {
            return Ok(None);
        }
        let region: Region =
            scoped.region().parse().map_err(|error: base::Malformed| failed(&error))?;
        let scope = kms::Scope {
            keyring: &self.keyring,
            entropy: &*self.entropy,
            now,
            account: &access_key.account,
            region: &region,
        };
        let secret = identity::secret_of(txn, &scope, &access_key).await;
        let secret = secret.map_err(|error| failed(&error))?;
        let key = SigningKey::derive(&secret, scoped.date(), scoped.region(), scoped.service());
        Ok(Some(Arc::new(ScopedKey::new(key, region, access_key.into_caller(), scoped))))
    }
}

/// The policies of the caller behind `key`, gathered anew if anything about its account has changed.
async fn access(txn: &mut store::Txn<'_>, key: &ScopedKey) -> Result<Arc<Access>, Refused> {
    let failed = |error: &(dyn std::error::Error + 'static)| Refused::Failed(chain(error));
    let generation = identity::generation(txn, &key.caller.account).await;
    let generation = generation.map_err(|error| failed(&error))?;
    if let Some(access) = key.access(&generation) {
        return Ok(access);
    }
    let gathered = identity::gather(txn, &key.caller).await.map_err(|error| failed(&error))?;
    // Who was deleted has no key any more, whoever has the name now.
    let access = Arc::new(gathered.ok_or(Rejection::UnknownKey)?);
    key.keep_access(generation, &access);
    Ok(access)
}

impl From<Rejection> for Refused {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

/// How a rejection is counted.
pub(crate) fn reason(rejection: &Rejection) -> Reason {
    match rejection {
        Rejection::Algorithm(_)
        | Rejection::Ambiguous
        | Rejection::Credential(_)
        | Rejection::Date(_)
        | Rejection::Element { .. }
        | Rejection::Expires(_)
        | Rejection::IncompleteHeader(_)
        | Rejection::IncompleteQuery(_)
        | Rejection::Unsigned(_) => Reason::Incomplete,
        Rejection::Early(_) | Rejection::Expired(_) => Reason::Skew,
        Rejection::ExpiredToken | Rejection::InvalidToken | Rejection::UnknownKey => {
            Reason::UnknownKey
        }
        Rejection::Mismatch => Reason::Mismatch,
        Rejection::Missing => Reason::Missing,
        Rejection::Path | Rejection::QueryString(_) => Reason::Other,
        Rejection::Scope(_) => Reason::Scope,
    }
}

/// Header names and values in order of arrival; h2's `:authority` stands as `host`.
fn headers_of(parts: &Parts) -> Vec<(&str, &[u8])> {
    let mut headers = Vec::with_capacity(parts.headers.len() + 1);
    headers.extend(parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
    if !parts.headers.contains_key(HOST)
        && let Some(authority) = parts.uri.authority()
    {
        headers.push((HOST.as_str(), authority.as_str().as_bytes()));
    }
    headers
}

fn set_host<'a>(headers: &mut Vec<(&'a str, &'a [u8])>, host: &'a str) {
    headers.retain(|it| it.0 != HOST.as_str());
    headers.push((HOST.as_str(), host.as_bytes()));
}

fn request_of<'a>(
    parts: &'a Parts,
    headers: &'a [(&'a str, &'a [u8])],
    body_hash: [u8; 32],
) -> sigv4::Request<'a> {
    sigv4::Request {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers,
        body_hash,
    }
}
