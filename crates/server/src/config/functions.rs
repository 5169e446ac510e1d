//! `[functions]`: running Lambda-style functions as processes of this machine.

use super::ConfigError;
use base::{AccountId, Region};
use functions::Prefix;
use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// `[functions]`: running Lambda-style functions as processes of this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FunctionsConfig {
    /// Whether functions need a sandbox: `require` refuses them where this host can't build one, `prefer` takes
    /// the strongest it can, `none` is for hosts that are sandboxes themselves.
    pub sandbox: Sandbox,

    /// What functions are told to call this server by, `https://secrets.example.com`. Without it: the first
    /// address that is listened on.
    pub endpoint: Option<String>,

    /// PEM file: what functions believe besides the system's authorities, such as the one of that endpoint.
    pub ca_bundle: Option<PathBuf>,

    /// MB that the processes of all functions may have, `MemorySize` and `EphemeralStorage` together, those that
    /// wait for work included. Without it: three quarters of this machine's memory.
    pub memory_mb: Option<u32>,

    /// Invocations at the same time, of all functions. One that waits longer than 30 seconds for its turn, or for
    /// memory, is answered `TooManyRequestsException`.
    pub concurrency: Option<NonZeroU16>,

    /// `[[functions.remote]]`: functions that are somewhere else.
    pub remote: Vec<RemoteConfig>,
}

/// `[[functions.remote]]`: functions that are somewhere else, at any endpoint that answers Lambda's `Invoke`.
/// Rotations that name them have them invoked there, over HTTPS and signed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteConfig {
    /// How their ARNs begin: `arn:aws:lambda:eu-west-1:111122223333:function:`, or with the first letters of a
    /// name besides. Of several the longest counts. Functions of this server can't have such ARNs.
    pub arn_prefix: String,

    /// Where they are invoked: `https://lambda.eu-west-1.amazonaws.com`.
    pub endpoint: String,

    /// Whose secrets may be rotated by them. Without it: those of the account in the ARN.
    pub accounts: Option<BTreeSet<AccountId>>,

    /// Who signs.
    pub access_key_id: String,

    /// File with the secret half, and nothing else. Readable by the server's user only; read for each request.
    pub secret_access_key_file: PathBuf,

    /// The Region to sign for. Without it: the one in the ARN.
    pub region: Option<Region>,

    /// PEM file: the only authorities that the endpoint may show a certificate of. Without it: the system's.
    pub ca_bundle: Option<PathBuf>,

    /// What one step of a rotation may take there, further attempts included.
    #[serde(default = "default_timeout", with = "base::duration")]
    pub timeout: Duration,
}

impl FunctionsConfig {
    /// What makes `[[functions.remote]]` unfit.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let mut seen = BTreeSet::new();
        for remote in &self.remote {
            let prefix = &remote.arn_prefix;
            let again = || format!("`{prefix}` stands there twice");
            let checked =
                remote.check().and_then(|()| seen.insert(prefix).then_some(()).ok_or_else(again));
            checked.map_err(|reason| ConfigError::Policy { key: KEY.to_owned(), reason })?;
        }
        Ok(())
    }
}

impl RemoteConfig {
    fn check(&self) -> Result<(), String> {
        self.prefix()?;
        self.endpoint()?;
        let id = &self.access_key_id;
        if id.is_empty() || !id.bytes().all(|it| it.is_ascii_alphanumeric()) {
            return Err(format!("`{id}` is no access key id"));
        }
        if !LIMITS.contains(&self.timeout) {
            return Err(format!(
                "`timeout` is {:?}, but must be from \"1s\" to \"15m\"",
                self.timeout
            ));
        }
        Ok(())
    }

    /// How the ARNs begin, and for whom.
    pub(crate) fn prefix(&self) -> Result<Prefix, String> {
        let text = &self.arn_prefix;
        Prefix::new(text, self.accounts.clone()).ok_or_else(|| {
            format!("`{text}` is no beginning of ARNs such as `arn:aws:lambda:eu-west-1:111122223333:function:`")
        })
    }

    /// Where they are.
    pub(crate) fn endpoint(&self) -> Result<Uri, String> {
        let text = &self.endpoint;
        let refused =
            || format!("`{text}` is no endpoint such as `https://lambda.eu-west-1.amazonaws.com`");
        let uri: Uri = text.parse().map_err(|_| refused())?;
        let is_plain = |it: &Authority| !it.as_str().contains('@') && !it.host().is_empty();
        let fits = uri.scheme() == Some(&Scheme::HTTPS)
            && uri.authority().is_some_and(is_plain)
            && matches!(uri.path_and_query().map(PathAndQuery::as_str), None | Some("/"));
        fits.then_some(uri).ok_or_else(refused)
    }
}

fn default_timeout() -> Duration {
    Duration::from_mins(1)
}

const KEY: &str = "functions.remote";
/// A function may run for as long.
const LIMITS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_mins(15);

/// How much of a sandbox functions need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sandbox {
    /// None.
    None,
    /// The strongest that this host can build.
    #[default]
    Prefer,
    /// One with all its walls.
    Require,
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    const PREFIX: &str = "arn:aws:lambda:eu-west-1:111122223333:function:";
    const WHERE: &str = "https://lambda.example.com";

    fn mistake(rest: &str) -> String {
        let text = format!("[server]\ndata = \"/d\"\n{rest}");
        let checked = Config::parse(&text).and_then(|it| it.validate());
        checked.err().map_or_else(String::new, |it| it.to_string())
    }

    #[test]
    fn each_mistake_is_one_sentence() {
        let remote = |prefix: &str, endpoint: &str, more: &str| {
            format!(
                "[[functions.remote]]\narn_prefix = \"{prefix}\"\nendpoint = \"{endpoint}\"\n\
                 access_key_id = \"AKIA1\"\nsecret_access_key_file = \"/k\"\n{more}\n"
            )
        };
        let endpoint = |it: &str| {
            let told = "is no endpoint such as `https://lambda.eu-west-1.amazonaws.com`";
            (remote(PREFIX, it, ""), format!("`functions.remote`: `{it}` {told}"))
        };
        let prefix = |it: &str| {
            let told = "is no beginning of ARNs such as";
            (remote(it, WHERE, ""), format!("`functions.remote`: `{it}` {told} `{PREFIX}`"))
        };
        let twice = remote(PREFIX, WHERE, "") + &remote(PREFIX, "https://other.example.com", "");
        for (rest, expected) in [
            (remote(PREFIX, WHERE, ""), String::new()),
            (remote(PREFIX, "https://[::1]:8443/", "region = \"us-east-1\""), String::new()),
            (
                remote(PREFIX, WHERE, "accounts = [\"444455556666\"]\ntimeout = \"5m\""),
                String::new(),
            ),
            (twice, format!("`functions.remote`: `{PREFIX}` stands there twice")),
            prefix("arn:aws:lambda:eu-west-1:"),
            prefix("arn:aws:lambda:eu-west-1:111122223333:layer:"),
            endpoint("http://lambda.example.com"),
            endpoint("https://user@lambda.example.com"),
            endpoint("https://lambda.example.com/path"),
            endpoint("lambda.example.com"),
            (
                remote(PREFIX, WHERE, "timeout = \"16m\""),
                "`functions.remote`: `timeout` is 960s, but must be from \"1s\" to \"15m\""
                    .to_owned(),
            ),
        ] {
            assert_eq!(mistake(&rest), expected, "{rest}");
        }
    }
}
