//! Functions that are somewhere else: any endpoint that answers Lambda's Invoke, over HTTPS, signed.
//!
//! Which endpoint is asked for a function is the configuration's to say, and the whole ARN goes with each request:
//! what isn't at that endpoint is refused there. What the function does with a secret it does as a client of this
//! server, with credentials of its own.

mod answer;
mod exchange;
mod key;

use crate::config::RemoteConfig;
use answer::Answer;
use base::{Clock, Entropy};
use exchange::{Peer, Unreached};
use functions::{Elsewhere, Prefix};
use http::Uri;
use key::KeyFile;
use rotation::Hidden;
use sigv4::{Credentials, Request, Signer, body_hash};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// All endpoints that the configuration names.
pub(crate) struct Remotes {
    elsewhere: Elsewhere,
    /// In the order of its prefixes.
    all: Vec<Remote>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// Before the second attempt; twice as long before the third.
    pause: Duration,
}

/// One of them.
struct Remote {
    peer: Peer,
    access_key_id: String,
    key: KeyFile,
    region: String,
    timeout: Duration,
}

/// What the configuration says of an endpoint can't be used.
#[derive(Debug, thiserror::Error)]
#[error("`functions.remote` of `{prefix}`: {reason}")]
pub struct RemoteError {
    prefix: String,
    reason: String,
}

/// Why a function hasn't done what it was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Failed {
    /// What we say of it.
    ours: String,
    /// What the other side says: it may hold anything.
    theirs: Vec<u8>,
}

impl Remotes {
    /// The endpoints of `config`. Reads their keys and certificates.
    ///
    /// # Errors
    ///
    /// Which file can't be used, and why.
    pub(crate) fn open(
        config: &[RemoteConfig],
        (clock, entropy): (&Arc<dyn Clock>, &Arc<dyn Entropy>),
    ) -> Result<Self, RemoteError> {
        let (clock, entropy) = (Arc::clone(clock), Arc::clone(entropy));
        let (mut prefixes, mut all) = (Vec::new(), Vec::new());
        for remote in config {
            let refused = |reason| RemoteError { prefix: remote.arn_prefix.clone(), reason };
            let prefix = remote.prefix().map_err(refused)?;
            all.push(Remote::open(remote, &prefix).map_err(refused)?);
            prefixes.push(prefix);
        }
        Ok(Self { elsewhere: Elsewhere::new(prefixes), all, clock, entropy, pause: PAUSE })
    }

    /// Which functions they have.
    pub(crate) fn elsewhere(&self) -> &Elsewhere {
        &self.elsewhere
    }

    /// Whether the function `arn` is at one of them.
    pub(crate) fn has(&self, arn: &str) -> bool {
        self.elsewhere.find(arn).is_some()
    }

    /// Has the function `arn` take one step of a rotation, and gives each line of its log to `log`.
    pub(super) async fn step(
        &self,
        arn: &str,
        event: &[u8],
        hidden: &dyn Hidden,
        log: &dyn runtime::LogSink,
    ) -> Result<(), String> {
        let before = hidden.texts().await.unwrap_or_default();
        let told = self.invoke(arn, Kind::Wait, event).await;
        let Some(after) = hidden.texts().await else {
            let ours = match told {
                Ok(Answer { failure: None, .. }) => return Ok(()),
                Ok(_) => "the function has failed".to_owned(),
                Err(failed) => failed.ours,
            };
            return Err(format!("{ours}, and what it says is not told"));
        };
        let masked = |text: &[u8]| {
            let text = runtime::masked(text, before.iter().chain(&after));
            String::from_utf8_lossy(&text).into_owned()
        };
        let (done, lines) = match told {
            Ok(Answer { failure, log }) => {
                (failure.map_or(Ok(()), |it| Err(masked(&it))), masked(&log))
            }
            Err(Failed { ours, theirs }) if theirs.is_empty() => (Err(ours), String::new()),
            Err(Failed { ours, theirs }) => {
                (Err(format!("{ours}: {}", masked(&theirs))), String::new())
            }
        };
        lines.lines().for_each(|it| log.line(arn, it));
        done
    }

    /// Whether the function `arn` could be invoked, without doing it: why not.
    pub(crate) async fn try_out(&self, arn: &str) -> Result<(), String> {
        let told = self.invoke(arn, Kind::DryRun, b"{}").await;
        told.map(drop).map_err(|Failed { ours, theirs }| {
            if theirs.is_empty() {
                ours
            } else {
                format!("{ours}: {}", String::from_utf8_lossy(&theirs))
            }
        })
    }

    async fn invoke(&self, arn: &str, kind: Kind, payload: &[u8]) -> Result<Answer, Failed> {
        let remote = self.elsewhere.find(arn).and_then(|it| self.all.get(it));
        let remote = remote.ok_or_else(|| Failed::ours("no endpoint is configured for it"))?;
        let done = timeout(remote.timeout, self.attempts(remote, (arn, kind), payload)).await;
        done.unwrap_or_else(|_| {
            let limit = remote.timeout;
            Err(Failed::ours(format!("`{}` hasn't answered within {limit:?}", remote.peer)))
        })
    }

    /// Tries again what only stumbled: each step of a rotation may be taken twice.
    async fn attempts(
        &self,
        remote: &Remote,
        (arn, kind): (&str, Kind),
        payload: &[u8],
    ) -> Result<Answer, Failed> {
        let mut pause = self.pause;
        for _ in 1..ATTEMPTS {
            match self.attempt(remote, (arn, kind), payload).await {
                Err(Unreached::Passing(_)) => (),
                done => return done.map_err(Unreached::into_inner),
            }
            sleep(pause.mul_f64(0.5 + f64::from(self.entropy.bytes::<1>()[0]) / 512.0)).await;
            pause *= 2;
        }
        let last = self.attempt(remote, (arn, kind), payload).await;
        last.map_err(Unreached::into_inner)
    }

    async fn attempt(
        &self,
        remote: &Remote,
        (arn, kind): (&str, Kind),
        payload: &[u8],
    ) -> Result<Answer, Unreached> {
        let lasting = |it: String| Unreached::Lasting(Failed::ours(it));
        let secret = remote.key.read().await.map_err(lasting)?;
        let headers = remote.headers(kind);
        let mut headers: Vec<_> = headers.iter().map(|(name, it)| (*name, it.as_bytes())).collect();
        headers.sort_unstable();
        let path = format!("/2015-03-31/functions/{}/invocations", arn.replace(':', "%3A"));
        let path = path.replace('$', "%24");
        let (method, query) = ("POST", "");
        let request = Request {
            method,
            path: &path,
            query,
            headers: &headers,
            body_hash: body_hash(payload),
        };
        let credentials = Credentials {
            access_key_id: &remote.access_key_id,
            secret: &secret,
            session_token: None,
        };
        let signer =
            Signer { credentials, region: &remote.region, service: "lambda", at: self.clock.now() };
        let added = signer.sign(&request).map_err(|it| lasting(it.to_string()))?;
        let answered = remote.peer.post(&path, (&headers, &added), payload).await?;
        answer::read(&remote.peer, kind, &answered)
    }
}

impl Remote {
    fn open(config: &RemoteConfig, prefix: &Prefix) -> Result<Self, String> {
        let key = KeyFile::new(&config.secret_access_key_file);
        key.check()?;
        let endpoint: Uri = config.endpoint()?;
        Ok(Self {
            peer: Peer::new(&endpoint, config.ca_bundle.as_deref())?,
            access_key_id: config.access_key_id.clone(),
            key,
            region: config.region.as_ref().unwrap_or(prefix.region()).to_string(),
            timeout: config.timeout,
        })
    }

    fn headers(&self, kind: Kind) -> [(&'static str, &str); 4] {
        [
            ("host", self.peer.authority()),
            ("content-type", "application/json"),
            ("x-amz-invocation-type", kind.as_str()),
            ("x-amz-log-type", "Tail"),
        ]
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    DryRun,
    Wait,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::DryRun => "DryRun",
            Self::Wait => "RequestResponse",
        }
    }
}

impl Failed {
    fn ours(text: impl Into<String>) -> Self {
        Self { ours: text.into(), theirs: Vec::new() }
    }
}

/// As many as AWS's own clients make.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests;
