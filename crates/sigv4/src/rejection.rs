//! Why a signature was not accepted, and how the two wire protocols say so.

use base::Timestamp;
use std::time::Duration;

/// Why a request is not taken as signed.
///
/// The texts for the wire are in [`Rejection::json`] and [`Rejection::query`]; `Display` is for
/// logs and repeats nothing that the client sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The `Authorization` header speaks of another algorithm, named here.
    #[error("unsupported signing algorithm")]
    Algorithm(String),
    /// Both an `Authorization` header and a presigned query.
    #[error("signed twice, in a header and in the query")]
    Ambiguous,
    /// No certificate came with a request that one has signed, or two. Answered as incomplete.
    #[error("no certificate")]
    Certificate,
    /// The credential, given here, has not five elements.
    #[error("malformed credential scope")]
    Credential(String),
    /// The date, given here, is not ISO 8601.
    #[error("malformed date of signing")]
    Date(String),
    /// Signed further in the future than the clocks may differ.
    #[error("signed in the future")]
    Early(Skew),
    /// A `part` of the `Authorization` header, given whole, is no `key=value`.
    #[error("malformed authorization header")]
    Element {
        /// The part without an equals sign.
        part: String,
        /// The header's value.
        header: String,
    },
    /// Signed too long ago.
    #[error("signature expired")]
    Expired(Skew),
    /// The session token was good once. Found by the caller, never by this crate.
    #[error("session token expired")]
    ExpiredToken,
    /// `X-Amz-Expires`, given here, is not a number from 1 to 604800.
    #[error("malformed lifetime of a presigned request")]
    Expires(String),
    /// Parts of the `Authorization` header are missing; `Date` stands for either date header.
    #[error("incomplete authorization header")]
    IncompleteHeader(Vec<&'static str>),
    /// Parameters of a presigned query are missing.
    #[error("incomplete presigned query")]
    IncompleteQuery(Vec<&'static str>),
    /// The session token was never one of ours. Found by the caller, never by this crate.
    #[error("session token invalid")]
    InvalidToken,
    /// Another key, or a changed request; the two look alike.
    #[error("signature mismatch")]
    Mismatch,
    /// Not signed at all.
    #[error("not signed")]
    Missing,
    /// The path can't be normalized. Answered by a bare 400.
    #[error("malformed path")]
    Path,
    /// The query can't be decoded.
    #[error("malformed query string")]
    QueryString(EscapeFault),
    /// Signed for another Region, service or day.
    #[error("wrong credential scope")]
    Scope(Vec<ScopeFault>),
    /// A header that must be signed is not; its name.
    #[error("header `{0}` is not signed")]
    Unsigned(&'static str),
    /// No such access key, or it is inactive. Found by the caller, never by this crate.
    #[error("unknown or inactive access key")]
    UnknownKey,
}

/// Two clocks that differ too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skew {
    /// When the client says it signed.
    pub signed_at: Timestamp,
    /// The earliest or latest instant that would have been accepted.
    pub limit: Timestamp,
    /// The server's time.
    pub now: Timestamp,
    /// How far apart `limit` and `now` are.
    pub window: Duration,
}

/// What is wrong with a percent escape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EscapeFault {
    /// The text ends inside the escape.
    Cut,
    /// The two characters after `%`, of which one is no hex digit.
    Illegal(char, char),
}

/// What is wrong with a credential scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeFault {
    /// The day is not the day of signing.
    Date {
        /// The scope's day.
        scope: String,
        /// The day of signing, `YYYYMMDD`.
        signed: String,
        /// The instant of signing, ISO 8601 basic.
        from: String,
    },
    /// No Region by this name is served here.
    Region(String),
    /// Signed for another service than this one, the expected.
    Service(String),
    /// The last element, given here, is not `aws4_request`.
    Terminator(String),
}

/// What goes on the wire for a [`Rejection`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `__type` of the JSON protocol, `Code` of the query protocol; empty for a bare answer
    /// without a body.
    pub code: &'static str,
    /// May be empty.
    pub message: String,
}

impl Rejection {
    /// The answer of a JSON service: Secrets Manager, KMS, Systems Manager.
    pub fn json(&self) -> Answer {
        let (code, _, _) = self.codes();
        let message = match self {
            Self::InvalidToken => Self::UnknownKey.message(),
            Self::Missing => "Missing Authentication Token".to_owned(),
            other => other.message(),
        };
        Answer { status: 400, code, message }
    }

    /// The answer of a service that speaks REST-JSON: as [`Rejection::json`], with a status that tells.
    pub fn rest(&self) -> Answer {
        let status = match self {
            Self::Path | Self::QueryString(_) => 400,
            _ => 403,
        };
        Answer { status, ..self.json() }
    }

    /// The answer of a query service: IAM, STS.
    pub fn query(&self) -> Answer {
        let (_, code, status) = self.codes();
        Answer { status, code, message: self.message() }
    }

    /// JSON type, query code, and the query protocol's HTTP status.
    fn codes(&self) -> (&'static str, &'static str, u16) {
        match self {
            Self::Algorithm(_)
            | Self::Certificate
            | Self::Credential(_)
            | Self::Date(_)
            | Self::Element { .. }
            | Self::Expires(_)
            | Self::IncompleteHeader(_)
            | Self::IncompleteQuery(_) => {
                ("IncompleteSignatureException", "IncompleteSignature", 400)
            }
            Self::Ambiguous
            | Self::Early(_)
            | Self::Expired(_)
            | Self::Mismatch
            | Self::Scope(_)
            | Self::Unsigned(_) => ("InvalidSignatureException", "SignatureDoesNotMatch", 403),
            Self::ExpiredToken => ("ExpiredTokenException", "ExpiredToken", 403),
            Self::InvalidToken | Self::UnknownKey => {
                ("UnrecognizedClientException", "InvalidClientTokenId", 403)
            }
            Self::Missing => {
                ("MissingAuthenticationTokenException", "MissingAuthenticationToken", 403)
            }
            Self::Path => ("", "", 400),
            Self::QueryString(_) => ("MalformedQueryStringException", "MalformedQueryString", 400),
        }
    }

    /// The text, as query services say it.
    fn message(&self) -> String {
        match self {
            Self::Algorithm(name) => format!("Unsupported AWS 'algorithm': '{name}'."),
            Self::Ambiguous | Self::Path => String::new(),
            Self::Certificate => "The request needs one certificate in 'X-Amz-X509'.".to_owned(),
            Self::Credential(text) => format!(
                "Credential must have exactly 5 slash-delimited elements, \
                 e.g. keyid/date/region/service/term, got '{text}'"
            ),
            Self::Date(text) => format!(
                "Date must be in ISO-8601 'basic format'. Got '{text}'. \
                 See http://en.wikipedia.org/wiki/ISO_8601"
            ),
            Self::Early(skew) => skew.message("not yet current", "still later", '+'),
            Self::Element { part, header } => format!(
                "'{part}' not a valid key=value pair (missing equal-sign) \
                 in Authorization header: '{header}'"
            ),
            Self::Expired(skew) => skew.message("expired", "now earlier", '-'),
            Self::ExpiredToken => "The security token included in the request is expired".into(),
            Self::Expires(text) => format!(
                "X-Amz-Expires must be a number of seconds between 1 and 604800, got '{text}'"
            ),
            Self::IncompleteHeader(parts) => incomplete_header(parts),
            Self::IncompleteQuery(parts) => incomplete_query(parts),
            Self::InvalidToken => "The security token included in the request is invalid".into(),
            Self::Mismatch => MISMATCH.to_owned(),
            Self::Missing => "Request is missing Authentication Token".to_owned(),
            Self::QueryString(fault) => fault.message(),
            Self::Scope(faults) => faults.iter().map(ScopeFault::message).collect(),
            Self::Unsigned("host") => "'Host' or ':authority' must be a 'SignedHeader' \
                                       in the AWS Authorization."
                .to_owned(),
            Self::Unsigned(name) => {
                format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")
            }
            Self::UnknownKey => "The security token included in the request is invalid.".into(),
        }
    }
}

impl Skew {
    fn message(&self, state: &str, side: &str, sign: char) -> String {
        let Self { signed_at, limit, now, window } = self;
        let (signed_at, limit, now) = (signed_at.basic(), limit.basic(), now.basic());
        let window = match window.as_secs() {
            seconds if seconds % 60 == 0 => format!("{} min.", seconds / 60),
            seconds => format!("{seconds} sec."),
        };
        format!("Signature {state}: {signed_at} is {side} than {limit} ({now} {sign} {window})")
    }
}

impl EscapeFault {
    fn message(self) -> String {
        match self {
            Self::Cut => "Incomplete trailing escape % sequence".to_owned(),
            Self::Illegal(high, low) => {
                format!("Illegal hex character in escape % pattern: %{high}{low}")
            }
        }
    }
}

impl ScopeFault {
    /// All but the date's text end in a space, so that several read as one.
    fn message(&self) -> String {
        match self {
            Self::Date { scope, signed, from } => format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
                 from HTTP: '{scope}' != '{signed}', from '{from}'."
            ),
            Self::Region(name) => {
                format!("Credential should be scoped to a valid region, not '{name}'. ")
            }
            Self::Service(name) => {
                format!("Credential should be scoped to correct service: '{name}'. ")
            }
            Self::Terminator(text) => format!(
                "Credential should be scoped with a valid terminator: 'aws4_request', \
                 not '{text}'. "
            ),
        }
    }
}

fn incomplete_header(parts: &[&str]) -> String {
    let mut out = String::new();
    for part in parts {
        let required = match *part {
            "Date" => "existence of either a 'X-Amz-Date' or a 'Date' header. ".to_owned(),
            part => format!("'{part}' parameter. "),
        };
        out += "Authorization header requires ";
        out += &required;
    }
    out + "Authorization=" + crate::ALGORITHM
}

fn incomplete_query(parts: &[&str]) -> String {
    let required = |part| format!("AWS query-string parameters must include '{part}'. ");
    let required: String = parts.iter().map(required).collect();
    required + "Re-examine the query-string parameters."
}

const MISMATCH: &str = "The request signature we calculated does not match the signature you \
    provided. Check your AWS Secret Access Key and signing method. Consult the service \
    documentation for details.";
