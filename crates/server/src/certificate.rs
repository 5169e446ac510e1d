//! Who signed this, with the key of a certificate? The third stop of CreateSession.

use crate::authenticate::{
    Authenticator, Refused, Signed, failed, headers_of, request_of, set_host,
};
use crate::route::Api;
use anywhere::{Certificate, trust};
use base::{Region, Timestamp};
use http::request::Parts;
use sigv4::{Presented, Rejection, Request, Scoped, Verified};
use std::sync::Arc;
use store::Backend;

impl Authenticator {
    /// Checks that the key of a certificate has signed the request for `api`, just now, and that the
    /// trust anchor which `members`, the request as one JSON object, names believes the certificate.
    ///
    /// Everything about the certificate that can change without it (revocation, the anchor's switch)
    /// is the operation's to ask, so that it leaves a record.
    pub(crate) async fn authenticate_certificate(
        &self,
        backend: &dyn Backend,
        (parts, body_hash): (&Parts, [u8; 32]),
        (api, members): (&Api, &[u8]),
        now: Timestamp,
    ) -> Result<Signed, Refused> {
        let mut headers = headers_of(parts);
        let request = request_of(parts, &headers, body_hash);
        let scoped = self.scope_of_certificate(&request, api, now)?;
        let certificate = certificate(parts)?;
        let region: Region =
            scoped.region().parse().map_err(|error: base::Malformed| failed(&error))?;
        let mut outcome = verify(&scoped, &certificate);
        drop(scoped);
        for host in &self.canonical_hosts {
            if outcome.is_ok() {
                break;
            }
            set_host(&mut headers, host);
            let request = request_of(parts, &headers, body_hash);
            outcome = verify(&self.scope_of_certificate(&request, api, now)?, &certificate);
        }
        let proof = outcome.map_err(|_| untrusted("Invalid signature"))?;
        let mut txn = store::begin(backend);
        let caller = trust::caller(&mut txn, (&certificate, members), &region, now).await;
        let caller = caller.map_err(|error| failed(&error))?;
        let caller = caller.map_err(|refused| untrusted(&refused.to_string()))?;
        // It has no policies of its own; those of the organization count.
        let access = identity::gather(&mut txn, &caller).await.map_err(|error| failed(&error))?;
        let (caller, access) = (Arc::new(caller), Arc::new(access.unwrap_or_default()));
        Ok(Signed { proof, caller, region, access, key: None })
    }

    /// Everything that can be checked without a key.
    fn scope_of_certificate<'a>(
        &self,
        request: &Request<'a>,
        api: &Api,
        now: Timestamp,
    ) -> Result<Scoped<'a>, Rejection> {
        let presented = Presented::parse_certificate(request)?;
        let current = presented.check_window(now, api.window_minutes)?;
        current.check_scope(&[api.signing_name], |it| self.is_region(it))
    }
}

/// The certificate that came with the request: [`Presented::parse_certificate`] has seen that it is one.
fn certificate(parts: &Parts) -> Result<Certificate, Refused> {
    let header = parts.headers.get("x-amz-x509").and_then(|it| it.to_str().ok());
    let certificate = Certificate::parse(header.map_or("", str::trim_ascii));
    certificate.map_err(|unfit| untrusted(&unfit.to_string()))
}

/// The signature is right, and the credential names this certificate.
fn verify(scoped: &Scoped<'_>, certificate: &Certificate) -> Result<Verified, Rejection> {
    if scoped.access_key_id() != certificate.serial() {
        return Err(Rejection::Mismatch);
    }
    scoped.verify_certificate(certificate.public_key())
}

fn untrusted(text: &str) -> Refused {
    Refused::Untrusted(text.to_owned())
}
