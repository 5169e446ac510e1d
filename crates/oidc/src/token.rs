//! A token on its way from a text to somebody's identity.

use crate::identity::Identity;
use crate::keys::{Keys, Scheme};
use crate::{Issuer, Rejection, unique};
use base::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use std::fmt;

/// A token that somebody has shown. Nothing that it says is known to be true.
pub struct Presented {
    text: String,
    scheme: Scheme,
    key_id: Option<String>,
    issuer: String,
    claims: Map<String, Value>,
}

/// A token that would be good now, if its issuer has signed it.
pub struct Checked {
    token: Presented,
    identity: Identity,
}

/// That an issuer says so: made of a right signature and of nothing else.
#[derive(Debug)]
pub struct Verified(Identity);

impl Presented {
    /// The most bytes of a token.
    ///
    /// Source: AWS STS API Reference, "AssumeRoleWithWebIdentity".
    pub const MAX_LEN: usize = 20_000;

    /// Reads a signed token in its compact form.
    ///
    /// # Errors
    ///
    /// - [`Rejection::Shape`]: it is none, is too long, holds a name twice, asks for an extension, or is signed
    ///   by a scheme that nobody takes, such as `none` or `HS256`.
    /// - [`Rejection::Missing`]: it names no issuer.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        let shaped = (text.len() <= Self::MAX_LEN).then(|| parts(text)).flatten();
        let (header, claims) = shaped.ok_or(Rejection::Shape)?;
        let scheme = header.get("alg").and_then(Value::as_str).and_then(Scheme::parse);
        let scheme = scheme.filter(|_| !header.contains_key("crit")).ok_or(Rejection::Shape)?;
        let key_id = match header.get("kid") {
            None => None,
            Some(Value::String(id)) => Some(id.clone()),
            Some(_) => return Err(Rejection::Shape),
        };
        let issuer = claims.get("iss").ok_or(Rejection::Missing("iss"))?;
        let issuer = issuer.as_str().ok_or(Rejection::Claim("iss"))?.to_owned();
        Ok(Self { text: text.to_owned(), scheme, key_id, issuer, claims })
    }

    /// Who has issued it, as it says.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// That it would be good at `now` for one of `audiences`, if `issuer` has signed it.
    ///
    /// # Errors
    ///
    /// [`Rejection`], the first of: a claim is missing or malformed, the time, the audience.
    pub fn check(
        self,
        issuer: &Issuer,
        audiences: &[String],
        now: Timestamp,
    ) -> Result<Checked, Rejection> {
        if self.issuer != issuer.as_str() {
            return Err(Rejection::Claim("iss"));
        }
        let identity = Identity::new(&self.claims, issuer, audiences, now)?;
        Ok(Checked { token: self, identity })
    }
}

impl Checked {
    /// That one of `keys` has signed it.
    ///
    /// # Errors
    ///
    /// - [`Rejection::UnknownKey`]: none of them is the one that it names; newer keys may have it.
    /// - [`Rejection::Signature`]: it is, and has signed something else.
    pub fn verify(&self, keys: &Keys) -> Result<Verified, Rejection> {
        let Presented { text, scheme, key_id, .. } = &self.token;
        let (message, signature) = text.rsplit_once('.').ok_or(Rejection::Shape)?;
        match keys.verify((*scheme, key_id.as_deref()), message, signature) {
            Some(true) => Ok(Verified(self.identity.clone())),
            Some(false) => Err(Rejection::Signature),
            None => Err(Rejection::UnknownKey),
        }
    }
}

impl Verified {
    /// Whose it is.
    pub fn identity(&self) -> &Identity {
        &self.0
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Presented").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl fmt::Debug for Checked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.token.fmt(out)
    }
}

type Members = Map<String, Value>;

/// The header and the claims; there is a third part, which nobody has looked at.
fn parts(text: &str) -> Option<(Members, Members)> {
    let mut parts = text.split('.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || signature.is_empty() {
        return None;
    }
    let read = |part: &str| unique::object(&URL_SAFE_NO_PAD.decode(part).ok()?);
    Some((read(header)?, read(claims)?))
}
