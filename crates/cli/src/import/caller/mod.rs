//! Asks the API: signed requests over a connection of one's own, tried again where that may help.

use super::endpoint::Endpoint;
use anyhow::{Context, Result};
use base::{Clock, Entropy, Sensitive, SystemClock, SystemEntropy};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use sigv4::{Credentials, Signer, body_hash};
use std::time::Duration;

/// Who asks, whom, and how patiently.
pub(crate) struct Caller {
    pub(crate) endpoint: Endpoint,
    pub(crate) keys: Keys,
    pub(crate) patience: Patience,
}

/// What requests are signed with.
pub(crate) struct Keys {
    pub(crate) access_key_id: String,
    pub(crate) secret: Sensitive,
    pub(crate) session_token: Option<String>,
    pub(crate) region: String,
}

/// How often, and after which pauses, something is tried again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) retries: u32,
    /// Doubles with each retry.
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
}

/// About half a minute: as long as a server may take to start again.
pub(crate) const PATIENCE: Patience =
    Patience { retries: 12, first: Duration::from_millis(100), longest: Duration::from_secs(5) };

/// Why a call wasn't done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The server said no to this call.
    #[error("{code}{}{message}", if message.is_empty() { "" } else { ": " })]
    Refused { code: String, message: String },
    /// The server said no to who calls, so it would to any other call.
    #[error("{code}{}{message}", if message.is_empty() { "" } else { ": " })]
    Stranger { code: String, message: String },
    /// There is no answer.
    #[error("no answer from {authority}: {why}")]
    Unreachable { authority: String, why: String },
}

impl Refusal {
    /// Whether another call would fare the same.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Stranger { .. } | Self::Unreachable { .. })
    }

    pub(crate) fn has_code(&self, wanted: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code == wanted)
    }
}

/// One connection, made when it is needed.
#[derive(Default)]
pub(crate) struct Connection {
    sender: Option<SendRequest<Full<Bytes>>>,
}

/// An answer of the server.
struct Answer {
    status: StatusCode,
    body: Bytes,
}

impl Connection {
    /// Asks for `operation`; the answer's body. `body` must be the same call however often it comes.
    pub(crate) async fn ask(
        &mut self,
        caller: &Caller,
        operation: &str,
        body: &Bytes,
    ) -> Result<Bytes, Refusal> {
        let mut tried = 0;
        loop {
            let refusal = match self.bounded(caller, operation, body).await {
                Ok(answer) if answer.status == StatusCode::OK => return Ok(answer.body),
                Ok(answer) => {
                    let refusal = answer.refusal();
                    if !answer.is_worth_a_retry(&refusal) {
                        return Err(refusal);
                    }
                    refusal
                }
                Err(error) => {
                    // What comes next on this connection may belong to the request given up.
                    self.sender = None;
                    let authority = caller.endpoint.authority.clone();
                    Refusal::Unreachable { authority, why: reason(&error) }
                }
            };
            if tried >= caller.patience.retries {
                return Err(refusal);
            }
            tokio::time::sleep(caller.patience.pause(tried, &SystemEntropy)).await;
            tried += 1;
        }
    }

    async fn bounded(&mut self, caller: &Caller, operation: &str, body: &Bytes) -> Result<Answer> {
        let attempt = self.attempt(caller, operation, body);
        tokio::time::timeout(ATTEMPT, attempt).await.context("too late")?
    }

    async fn attempt(&mut self, caller: &Caller, operation: &str, body: &Bytes) -> Result<Answer> {
        let request = caller.request(operation, body)?;
        let mut sender = match self.sender.take() {
            Some(sender) if !sender.is_closed() => sender,
            _ => {
                let stream = TokioIo::new(caller.endpoint.connect().await?);
                let (sender, connection) = http1::handshake(stream).await?;
                // Ends with its sender; what goes wrong is told to the one who waits for an answer.
                tokio::spawn(connection);
                sender
            }
        };
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!(error))?.to_bytes();
        self.sender = Some(sender);
        Ok(Answer { status, body })
    }
}

impl Caller {
    fn request(&self, operation: &str, body: &Bytes) -> Result<Request<Full<Bytes>>> {
        let target = format!("secretsmanager.{operation}");
        let headers = [
            ("host", self.endpoint.authority.as_str()),
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", target.as_str()),
        ];
        let plain = headers.map(|(name, value)| (name, value.as_bytes()));
        let Keys { access_key_id, secret, session_token, region } = &self.keys;
        let session_token = session_token.as_deref();
        let signer = Signer {
            credentials: Credentials { access_key_id, secret, session_token },
            region,
            service: "secretsmanager",
            at: SystemClock.now(),
        };
        let body_hash = body_hash(body);
        let (method, path, query) = ("POST", "/", "");
        let request = sigv4::Request { method, path, query, headers: &plain, body_hash };
        let added = signer.sign(&request).context("can't sign")?;
        let mut request = Request::post("/").header("user-agent", AGENT);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        for (name, value) in added {
            request = request.header(name, value);
        }
        Ok(request.body(Full::new(body.clone()))?)
    }
}

impl Answer {
    /// The code and message of an awsJson error, whatever the server calls them.
    fn refusal(&self) -> Refusal {
        #[derive(Default, Deserialize)]
        struct Body {
            #[serde(rename = "__type")]
            kind: Option<String>,
            #[serde(alias = "Message")]
            message: Option<String>,
        }
        let told: Body = serde_json::from_slice(&self.body).unwrap_or_default();
        let kind = told.kind.unwrap_or_default();
        let code = kind.rsplit('#').next().unwrap_or_default();
        let message = printable(&told.message.unwrap_or_default());
        let code = match printable(code) {
            none if none.is_empty() => format!("status {}", self.status.as_u16()),
            code => code,
        };
        if STRANGER.contains(&code.as_str()) {
            Refusal::Stranger { code, message }
        } else {
            Refusal::Refused { code, message }
        }
    }

    fn is_worth_a_retry(&self, refusal: &Refusal) -> bool {
        self.status.is_server_error()
            || self.status == StatusCode::TOO_MANY_REQUESTS
            || THROTTLED.iter().any(|it| refusal.has_code(it))
    }
}

impl Patience {
    /// The pause before retry `tried`: somewhere in the upper half of its length, so that those who
    /// failed together don't come back together.
    fn pause(&self, tried: u32, entropy: &dyn Entropy) -> Duration {
        let whole = self.first.saturating_mul(2_u32.saturating_pow(tried)).min(self.longest);
        let half = whole / 2;
        half + half * entropy.below(1000) / 1000
    }
}

/// What went wrong, down to its cause.
fn reason(error: &anyhow::Error) -> String {
    let mut facts: Vec<String> = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        if !facts.iter().any(|it| it.contains(&cause)) {
            facts.push(cause);
        }
    }
    printable(&facts.join(": "))
}

/// At most some lines of `text`, without what moves a terminal's cursor.
fn printable(text: &str) -> String {
    let shown = |it: char| if it.is_control() { ' ' } else { it };
    text.chars().take(LONGEST_MESSAGE).map(shown).collect()
}

/// For one attempt, connecting included.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(30);
/// Bytes.
const LONGEST_ANSWER: usize = 1024 * 1024;
/// Characters.
const LONGEST_MESSAGE: usize = 1000;
const AGENT: &str = concat!("strongroom/", env!("CARGO_PKG_VERSION"));

/// Codes of throttling, as AWS SDKs know them.
const THROTTLED: [&str; 6] = [
    "RequestLimitExceeded",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// Codes that say no to the key, its signature or its session.
const STRANGER: [&str; 7] = [
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

#[cfg(test)]
mod tests;
