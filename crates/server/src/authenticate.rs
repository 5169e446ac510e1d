//! Who signed this? The third stop: from a request to a caller.

use crate::metrics::Reason;
use crate::route::Api;
use crate::signing_keys::{Origin, ScopedKey, SigningKeys};
use base::{Entropy, Region, Timestamp};
use envelope::Keyring;
use http::header::HOST;
use http::request::Parts;
use identity::session::Claims;
use identity::{Status, session};
use service::{Access, Caller, chain};
use sigv4::{Current, Presented, Rejection, Scoped, SigningKey, Verified};
use std::sync::Arc;
use store::Backend;

/// What a checked signature gives: the proof, the caller and the Region, and what the caller's
/// policies are.
pub(crate) struct Signed {
    pub(crate) proof: Verified,
    pub(crate) caller: Arc<Caller>,
    /// The Region that was signed for.
    pub(crate) region: Region,
    /// What the caller may do.
    pub(crate) access: Arc<Access>,
    /// The key that signed; certificates have none.
    pub(crate) key: Option<Arc<ScopedKey>>,
}

/// Why there is no caller.
#[derive(Debug)]
pub(crate) enum Refused {
    /// We failed; what happened, for the log.
    Failed(String),
    /// The signature is no good.
    Rejected(Rejection),
    /// It is right, and by the key of a certificate that nobody believes; what the client is told.
    Untrusted(String),
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
        let mut txn = store::begin(backend);
        let origin = origin(&mut txn, &scoped).await?;
        let known = origin.as_ref().and_then(|it| self.keys.find(it, &scoped));
        let is_known = known.is_some();
        let key = match (known, &origin) {
            (Some(key), _) => Some(key),
            (None, Some(origin)) => self.derive(&mut txn, origin, &scoped, now).await?,
            (None, None) => None,
        };
        let Some(key) = key else {
            // The same arithmetic as for a key that exists.
            let _never_right = scoped.verify(&SigningKey::dummy());
            return Err(Rejection::UnknownKey.into());
        };
        if key.ends().is_some_and(|it| it <= now) {
            return Err(Rejection::ExpiredToken.into());
        }
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
        if !is_known && let Some(origin) = origin {
            // Only for signatures that were right: nobody else fills the memory.
            self.keys.keep(origin, &key);
        }
        let access = access(&mut txn, &key).await?;
        let (caller, region) = (Arc::clone(&key.caller), key.region.clone());
        Ok(Signed { proof, caller, region, access, key: Some(key) })
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
        if api.keeps_lifetimes() {
            current.check_lifetime(now)?;
        }
        current.check_scope(&[api.signing_name], |it| self.is_region(it))
    }

    pub(crate) fn is_region(&self, name: &str) -> bool {
        match &self.regions[..] {
            [] => name.parse::<Region>().is_ok(),
            regions => regions.iter().any(|it| it.as_str() == name),
        }
    }

    /// The key for what was signed for; `None` if its access key is inactive.
    async fn derive(
        &self,
        txn: &mut store::Txn<'_>,
        origin: &Origin,
        scoped: &Scoped<'_>,
        now: Timestamp,
    ) -> Result<Option<Arc<ScopedKey>>, Refused> {
        let region: Region =
            scoped.region().parse().map_err(|error: base::Malformed| failed(&error))?;
        let id = scoped.access_key_id();
        // Keys of accounts and of the whole store are in no Region.
        let account = session::account_of(id).ok_or(Rejection::UnknownKey)?;
        let scope = kms::Scope {
            keyring: &self.keyring,
            entropy: &*self.entropy,
            now,
            account: &account,
            region: &region,
        };
        let (secret, caller, claims) = match origin {
            Origin::Row(row) => {
                let key = row.open(id).map_err(|error| failed(&error))?;
                if key.status != Status::Active {
                    return Ok(None);
                }
                let scope = kms::Scope { account: &key.account, ..scope };
                let secret = identity::secret_of(txn, &scope, &key).await;
                (secret.map_err(|error| failed(&error))?, key.into_caller(), None)
            }
            Origin::Token(token) => {
                let opened = session::open(txn, &scope, id, token).await.map_err(rejected)?;
                (opened.secret, opened.claims.caller(id), Some(opened.claims))
            }
        };
        let key = SigningKey::derive(&secret, scoped.date(), scoped.region(), scoped.service());
        Ok(Some(Arc::new(ScopedKey::new((key, region), caller, claims, scoped))))
    }
}

/// What the access key that signed is known by; `None` if there is no such key.
async fn origin(txn: &mut store::Txn<'_>, scoped: &Scoped<'_>) -> Result<Option<Origin>, Refused> {
    if let Some(token) = scoped.session_token() {
        return Ok(Some(Origin::Token(token.into())));
    }
    let row = identity::find_row(txn, scoped.access_key_id()).await;
    Ok(row.map_err(|error| failed(&error))?.map(Origin::Row))
}

fn rejected(rejected: session::Rejected) -> Refused {
    match rejected {
        session::Rejected::Expired => Rejection::ExpiredToken.into(),
        session::Rejected::Failed(error) => failed(&error),
        session::Rejected::Invalid => Rejection::InvalidToken.into(),
    }
}

pub(crate) fn failed(error: &(dyn std::error::Error + 'static)) -> Refused {
    Refused::Failed(chain(error))
}

/// The policies of the caller behind `key`, gathered anew if anything about its account has changed.
async fn access(txn: &mut store::Txn<'_>, key: &ScopedKey) -> Result<Arc<Access>, Refused> {
    let generation = identity::generation(txn, &key.caller.account).await;
    let generation = generation.map_err(|error| failed(&error))?;
    // Of the key that began a session the generation tells nothing.
    let begun_by_key = key.claims.as_ref().filter(|it| it.parent.is_some());
    if let Some(claims) = begun_by_key {
        require_standing(txn, claims).await?;
    }
    if let Some(access) = key.access(&generation) {
        return Ok(access);
    }
    let gathered = identity::gather(txn, &key.caller).await.map_err(|error| failed(&error))?;
    // Who was deleted has no key any more, whoever has the name now.
    let mut access = gathered.ok_or(Rejection::UnknownKey)?;
    if let Some(claims) = &key.claims {
        require_standing(txn, claims).await?;
        access = session::narrow(txn, claims, access).await.map_err(|error| failed(&error))?;
    }
    let access = Arc::new(access);
    key.keep_access(generation, &access);
    Ok(access)
}

async fn require_standing(txn: &mut store::Txn<'_>, claims: &Claims) -> Result<(), Refused> {
    let stands = session::stands(txn, claims).await.map_err(|error| failed(&error))?;
    if stands { Ok(()) } else { Err(Rejection::InvalidToken.into()) }
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
        | Rejection::Certificate
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
pub(crate) fn headers_of(parts: &Parts) -> Vec<(&str, &[u8])> {
    let mut headers = Vec::with_capacity(parts.headers.len() + 1);
    headers.extend(parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
    if !parts.headers.contains_key(HOST)
        && let Some(authority) = parts.uri.authority()
    {
        headers.push((HOST.as_str(), authority.as_str().as_bytes()));
    }
    headers
}

pub(crate) fn set_host<'a>(headers: &mut Vec<(&'a str, &'a [u8])>, host: &'a str) {
    headers.retain(|it| it.0 != HOST.as_str());
    headers.push((HOST.as_str(), host.as_bytes()));
}

pub(crate) fn request_of<'a>(
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
