//! What an endpoint answers, as far as it is believed.

use super::exchange::{Answered, Peer, Unreached};
use super::{Failed, Kind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// What came of an invocation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// What the function says of its failure, if it failed.
    pub(super) failure: Option<Vec<u8>>,
    /// The end of its log.
    pub(super) log: Vec<u8>,
}

/// Reads an answer of `peer` to a request of `kind`.
pub(super) fn read(peer: &Peer, kind: Kind, answered: &Answered) -> Result<Answer, Unreached> {
    let lasting = |it: String| Unreached::Lasting(Failed::ours(it));
    let Answered { status, body, .. } = answered;
    match (status, kind) {
        (204, Kind::DryRun) => return Ok(Answer { failure: None, log: Vec::new() }),
        (200, Kind::Wait) => (),
        (429 | 500 | 502 | 503 | 504, _) => {
            return Err(Unreached::Passing(refusal(peer, answered)));
        }
        _ => return Err(Unreached::Lasting(refusal(peer, answered))),
    }
    // A page of somebody else's is no success: only what has run a function says which version it was.
    if answered.header(VERSION).is_none() {
        return Err(lasting(format!("`{peer}` doesn't answer as Lambda does")));
    }
    let Some(body) = body else {
        return Err(lasting(format!("`{peer}` answers more than {LARGEST} bytes")));
    };
    let failure = answered.header(FAILED).map(|_| body.clone());
    let log = answered.header(LOG).filter(|it| it.len() <= LONGEST_LOG);
    let log = log.and_then(|it| STANDARD.decode(it).ok()).unwrap_or_default();
    Ok(Answer { failure, log })
}

/// That it was refused, and what the other side says why.
fn refusal(peer: &Peer, answered: &Answered) -> Failed {
    let Answered { status, body, .. } = answered;
    let said: Option<Value> = body.as_ref().and_then(|it| serde_json::from_slice(it).ok());
    let text = |name: &str| said.as_ref().and_then(|it| it.get(name)).and_then(Value::as_str);
    let message = text("message").or_else(|| text("Message")).unwrap_or_default();
    let kind = answered.header(TYPE).or_else(|| text("__type")).unwrap_or_default();
    let kind = kind.split(':').next().unwrap_or_default();
    let kind = kind.rsplit('#').next().unwrap_or_default();
    let mut theirs = [kind, message].map(plain).join(" ");
    theirs.truncate(theirs.floor_char_boundary(LONGEST_MESSAGE));
    Failed { ours: format!("`{peer}` answers {status}"), theirs: theirs.trim().into() }
}

/// `text` on one line.
fn plain(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect()
}

const VERSION: &str = "x-amz-executed-version";
const FAILED: &str = "x-amz-function-error";
const LOG: &str = "x-amz-log-result";
const TYPE: &str = "x-amzn-errortype";
/// Bytes of a payload, as Lambda has it, and of what is read at most.
pub(super) const LARGEST: usize = 6 * 1024 * 1024 + 100;
/// Characters of 4 KiB in base64.
const LONGEST_LOG: usize = 5464;
const LONGEST_MESSAGE: usize = 512;
