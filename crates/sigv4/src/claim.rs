//! The two places where a signature can stand: the `Authorization` header and the query.

use crate::ALGORITHM;
use crate::certificate::Scheme;
use crate::hex;
use crate::parameter::{self, Parameter};
use crate::rejection::Rejection;
use crate::request::Request;
use std::borrow::Cow;
use std::time::Duration;

/// The parts of a signature, all present, none judged.
pub(crate) struct Claim<'a> {
    /// `AKID/YYYYMMDD/region/service/aws4_request`, if it keeps the form.
    pub(crate) credential: Cow<'a, str>,
    /// Header names joined by `;`.
    pub(crate) signed_headers: Cow<'a, str>,
    pub(crate) signature: Signature,
    pub(crate) date: Cow<'a, [u8]>,
    pub(crate) session_token: Option<Cow<'a, str>>,
    pub(crate) form: Form,
}

/// What is to be checked.
pub(crate) enum Signature {
    /// By the key of a certificate; empty if it isn't lower-case hex.
    Certificate(Scheme, Vec<u8>),
    /// By a shared secret; `None` if it isn't 64 lower-case hex digits.
    Secret(Option<[u8; 32]>),
}

impl Signature {
    /// The algorithm as it stands on the wire.
    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            Self::Certificate(scheme, _) => scheme.name(),
            Self::Secret(_) => ALGORITHM,
        }
    }
}

/// Where the signature stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Header,
    Query { expires: Option<Duration> },
}

impl<'a> Claim<'a> {
    /// Reads `Authorization: AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.
    ///
    /// The parts come in any order, and of two alike the last one counts.
    pub(crate) fn of_header(request: &Request<'a>, header: &'a [u8]) -> Result<Self, Rejection> {
        let is_ours = |it: &[u8]| (it == ALGORITHM.as_bytes()).then_some(());
        let (parts, ()) = HeaderParts::parse(header, is_ours)?;
        parts.complete(request, |it| Signature::Secret(hex::decode(it.as_bytes())))
    }

    /// Reads `Authorization: AWS4-X509-RSA-SHA256 Credential=…, …`, and that of the other scheme.
    pub(crate) fn of_certificate(
        request: &Request<'a>,
        header: &'a [u8],
    ) -> Result<Self, Rejection> {
        let (parts, scheme) = HeaderParts::parse(header, Scheme::of)?;
        let decode = |it: &str| hex::decode_any(it.as_bytes(), MOST_SIGNATURE).unwrap_or_default();
        parts.complete(request, |it| Signature::Certificate(scheme, decode(it)))
    }

    /// Reads `X-Amz-Credential`, `X-Amz-Signature`, … of a presigned request.
    ///
    /// Of two parameters alike the first one counts.
    pub(crate) fn of_query(parameters: &[Parameter<'a>]) -> Result<Self, Rejection> {
        let find = |name| parameter::first(parameters, name).cloned();
        let found = QUERY_PARTS.map(find);
        let [Some(credential), Some(signature), Some(signed_headers), Some(date)] = found else {
            let absent = QUERY_PARTS.into_iter().zip(&found).filter(|it| it.1.is_none());
            return Err(Rejection::IncompleteQuery(absent.map(|it| it.0).collect()));
        };
        Ok(Self {
            credential: text_of(credential),
            signed_headers: text_of(signed_headers),
            signature: Signature::Secret(hex::decode(&signature)),
            date,
            session_token: find("X-Amz-Security-Token").map(text_of),
            form: Form::Query {
                expires: find("X-Amz-Expires").map(|it| lifetime(&it)).transpose()?,
            },
        })
    }

    /// The names of the signed headers, in the order listed.
    pub(crate) fn signed_names(&self) -> impl Iterator<Item = &str> {
        self.signed_headers.split(';')
    }
}

/// What an `Authorization` header has said so far.
#[derive(Default)]
struct HeaderParts<'a> {
    credential: Option<&'a str>,
    signature: Option<&'a str>,
    signed_headers: Option<&'a str>,
}

impl<'a> HeaderParts<'a> {
    /// The parts behind an algorithm that `known` knows.
    fn parse<T>(
        header: &'a [u8],
        known: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<(Self, T), Rejection> {
        let header = header.trim_ascii();
        let end = header.iter().position(|it| *it == b' ').unwrap_or(header.len());
        let (algorithm, rest) = header.split_at(end);
        let algorithm = known(algorithm).ok_or_else(|| Rejection::Algorithm(echo(algorithm)))?;
        let no_element = |part: &[u8]| Rejection::Element {
            part: echo(part.trim_ascii()),
            header: echo(header),
        };
        let rest = str::from_utf8(rest).map_err(|_| no_element(rest))?;
        let mut parts = Self::default();
        for part in rest.split(',').map(str::trim_ascii).filter(|it| !it.is_empty()) {
            let element = part.split_once('=').ok_or_else(|| no_element(part.as_bytes()))?;
            parts.take(element);
        }
        Ok((parts, algorithm))
    }

    /// Takes one `key=value`; unknown keys are passed over, as AWS does.
    fn take(&mut self, (key, value): (&str, &'a str)) {
        match key {
            "Credential" => self.credential = Some(value),
            "Signature" => self.signature = Some(value),
            "SignedHeaders" => self.signed_headers = Some(value),
            _ => (),
        }
    }

    fn complete(
        &self,
        request: &Request<'a>,
        read: impl FnOnce(&str) -> Signature,
    ) -> Result<Claim<'a>, Rejection> {
        let date = request.first("x-amz-date").or_else(|| request.first("date"));
        let found = (self.credential, self.signature, self.signed_headers, date);
        let (Some(credential), Some(signature), Some(signed_headers), Some(date)) = found else {
            return Err(Rejection::IncompleteHeader(self.absent(date.is_some())));
        };
        Ok(Claim {
            credential: Cow::Borrowed(credential),
            signed_headers: Cow::Borrowed(signed_headers),
            signature: read(signature),
            date: Cow::Borrowed(date.trim_ascii()),
            session_token: request.first("x-amz-security-token").map(text),
            form: Form::Header,
        })
    }

    /// What is not there, in the order of AWS's message.
    fn absent(&self, has_date: bool) -> Vec<&'static str> {
        let found = [
            ("Credential", self.credential.is_some()),
            ("Signature", self.signature.is_some()),
            ("SignedHeaders", self.signed_headers.is_some()),
            ("Date", has_date),
        ];
        found.into_iter().filter(|it| !it.1).map(|it| it.0).collect()
    }
}

/// Digits and nothing else: Rust's numbers may have a sign.
fn lifetime(seconds: &[u8]) -> Result<Duration, Rejection> {
    let digits = seconds.iter().all(u8::is_ascii_digit);
    let text = str::from_utf8(seconds).ok().filter(|_| digits);
    let number = text.and_then(|it| it.parse().ok());
    match number {
        Some(number @ 1..=LONGEST_LIFETIME) => Ok(Duration::from_secs(number)),
        _ => Err(Rejection::Expires(echo(seconds))),
    }
}

/// `bytes` as text: UTF-8, or else Latin-1, which every byte string is.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}

fn text_of(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    match bytes {
        Cow::Borrowed(bytes) => text(bytes),
        Cow::Owned(bytes) => Cow::Owned(text(&bytes).into_owned()),
    }
}

/// What the client sent, for a message to that client; cut to 1024 characters.
pub(crate) fn echo(bytes: &[u8]) -> String {
    text(bytes).chars().take(1024).collect()
}

/// In the order of AWS's message.
const QUERY_PARTS: [&str; 4] =
    ["X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"];
/// Seven days, in seconds.
const LONGEST_LIFETIME: u64 = 604_800;
/// The longest signature of a certificate's key, in bytes: RSA with 8192 bits.
const MOST_SIGNATURE: usize = 1024;
