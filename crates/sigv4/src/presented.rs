//! The first step: a request that claims to be signed, and is complete.

use crate::ALGORITHM;
use crate::canonical;
use crate::claim::{Claim, echo};
use crate::instant::Instant;
use crate::parameter::{self, Parameter};
use crate::rejection::Rejection;
use crate::request::Request;
use base::Timestamp;
use std::borrow::Cow;
use std::fmt;

/// What a request claims about its signature. Nothing is proven yet.
///
/// The next step is [`Presented::check_window`].
pub struct Presented<'a> {
    pub(crate) request: Request<'a>,
    pub(crate) path: Cow<'static, str>,
    pub(crate) parameters: Vec<Parameter<'a>>,
    pub(crate) claim: Claim<'a>,
    pub(crate) signed_at: Instant,
}

impl<'a> Presented<'a> {
    /// Finds the signature, in the `Authorization` header or in the query, with all its parts.
    ///
    /// Costs time linear in the request and needs no key, so it can run before anything dear. The
    /// credential's inside is looked at later, by [`Current::check_scope`](crate::Current): AWS
    /// speaks of a wrong clock first.
    ///
    /// # Errors
    ///
    /// In AWS's order:
    ///
    /// - [`Rejection::Path`], [`Rejection::QueryString`]: broken escapes, a path above the root.
    /// - [`Rejection::Ambiguous`], [`Rejection::Missing`]: two forms of signature, or none.
    /// - [`Rejection::Algorithm`], [`Rejection::Element`], [`Rejection::IncompleteHeader`],
    ///   [`Rejection::IncompleteQuery`], [`Rejection::Expires`]: the form is not kept.
    /// - [`Rejection::Unsigned`]: a header that must be signed is not among the signed ones.
    /// - [`Rejection::Date`]: not ISO 8601.
    pub fn parse(request: &Request<'a>) -> Result<Self, Rejection> {
        let path = canonical::path(request.path)?;
        let parameters = parameter::parse(request.query)?;
        let algorithm = parameter::first(&parameters, "X-Amz-Algorithm");
        let claim = match (request.first("authorization"), algorithm) {
            (Some(_), Some(_)) => return Err(Rejection::Ambiguous),
            (Some(header), None) => Claim::of_header(request, header)?,
            (None, Some(name)) if **name == *ALGORITHM.as_bytes() => Claim::of_query(&parameters)?,
            (None, _) => return Err(Rejection::Missing),
        };
        Self::of(request, path, parameters, claim)
    }

    /// The same for a request that a certificate's key has signed: the signature stands in the
    /// header, and in place of an access key the certificate's serial number, in decimal digits.
    ///
    /// # Errors
    ///
    /// As [`Presented::parse`], and [`Rejection::Certificate`]: there is no certificate, or there
    /// are two.
    ///
    /// Source: IAM Roles Anywhere User Guide, "The authentication signing process".
    pub fn parse_certificate(request: &Request<'a>) -> Result<Self, Rejection> {
        let path = canonical::path(request.path)?;
        let parameters = parameter::parse(request.query)?;
        let header = request.first("authorization").ok_or(Rejection::Missing)?;
        let claim = Claim::of_certificate(request, header)?;
        let count = |name| request.values(name).count();
        if count(CERTIFICATE) != 1 || count(CERTIFICATE_CHAIN) > 1 {
            return Err(Rejection::Certificate);
        }
        Self::of(request, path, parameters, claim)
    }

    fn of(
        request: &Request<'a>,
        path: Cow<'static, str>,
        parameters: Vec<Parameter<'a>>,
        claim: Claim<'a>,
    ) -> Result<Self, Rejection> {
        check_coverage(request, &claim)?;
        let signed_at =
            Instant::parse(&claim.date).ok_or_else(|| Rejection::Date(echo(&claim.date)))?;
        Ok(Self { request: *request, path, parameters, claim, signed_at })
    }

    /// The access key the request names, for the record of a rejection; may be any text.
    pub fn access_key_id(&self) -> &str {
        self.claim.credential.split('/').next().unwrap_or_default()
    }

    /// `X-Amz-Date`, or `Date` without it; exact to the second.
    pub fn signed_at(&self) -> Timestamp {
        self.signed_at.at
    }
}

impl fmt::Debug for Presented<'_> {
    /// The request's outline and the credential scope; neither signature nor session token.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { request, claim, signed_at, .. } = self;
        write!(out, "{request:?} {} {}", claim.credential, signed_at.basic())
    }
}

/// Checks that the headers which say what happens are among the signed ones.
///
/// Whoever could change an unsigned `x-amz-target` could swap the operation.
fn check_coverage(request: &Request<'_>, claim: &Claim<'_>) -> Result<(), Rejection> {
    let is_signed = |name: &str| claim.signed_names().any(|it| it.eq_ignore_ascii_case(name));
    if !is_signed("host") && !is_signed(":authority") {
        return Err(Rejection::Unsigned("host"));
    }
    for name in SIGNED_IF_PRESENT {
        if request.first(name).is_some() && !is_signed(name) {
            return Err(Rejection::Unsigned(name));
        }
    }
    Ok(())
}

const CERTIFICATE: &str = "x-amz-x509";
const CERTIFICATE_CHAIN: &str = "x-amz-x509-chain";
const SIGNED_IF_PRESENT: [&str; 6] = [
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-target",
    CERTIFICATE,
    CERTIFICATE_CHAIN,
];
