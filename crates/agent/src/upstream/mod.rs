//! The server's side: sessions fetched over HTTP, by one of three ways to prove who the agent is.

mod anywhere;
mod exchange;
mod sts;

use crate::config::{ConfigError, IdentityConfig, ServerConfig};
use crate::files::{self, Readers};
use crate::keys::{IssueError, Issuer, Keys, Wanted};
use base::{Sensitive, Timestamp};
use exchange::Exchange;
use http::Uri;
use serde::Deserialize;
use std::net::IpAddr;
use std::path::Path;

pub use anywhere::read as read_anywhere_answer;
pub use sts::read as read_sts_answer;

/// Fetches sessions from the server of a configuration.
#[derive(Debug)]
pub struct Upstream {
    server: ServerConfig,
    identity: Option<IdentityConfig>,
    exchange: Exchange,
}

/// Where a server is, taken apart.
pub(crate) struct Endpoint {
    pub(crate) is_tls: bool,
    /// The `Host` header.
    pub(crate) authority: String,
    host: String,
}

/// A key in a file, as `strongroom account create --json` and `aws configure export-credentials`
/// print one.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyFile<'a> {
    access_key_id: &'a str,
    secret_access_key: &'a str,
    session_token: Option<&'a str>,
}

impl Upstream {
    /// A client of `server` that proves to be `identity`. Reads the certificate authorities.
    pub fn new(
        server: &ServerConfig,
        identity: Option<&IdentityConfig>,
    ) -> Result<Self, ConfigError> {
        let exchange = Exchange::new(server)?;
        Ok(Self { server: server.clone(), identity: identity.cloned(), exchange })
    }

    /// Checks that what proves the identity can be read and used today.
    pub fn check(&self) -> Result<(), IssueError> {
        match &self.identity {
            Some(IdentityConfig::AccessKey { file }) => {
                let text = read(file, Readers::Owner)?;
                key_in(file, &text).map(drop)
            }
            Some(IdentityConfig::WebIdentity { token_file }) => {
                read(token_file, Readers::All).map(drop)
            }
            Some(IdentityConfig::X509(it)) => {
                anywhere::Signer::load(&it.certificate, &it.key).map(drop)
            }
            None => Ok(()),
        }
    }
}

#[async_trait::async_trait]
impl Issuer for Upstream {
    async fn issue(&self, wanted: &Wanted, now: Timestamp) -> Result<Keys, IssueError> {
        let authority = self.exchange.authority();
        let request = match (&wanted.web_token, &self.identity) {
            (Some(token), _) => sts::web_identity(wanted, token),
            (None, Some(IdentityConfig::WebIdentity { token_file })) => {
                let token = read(token_file, Readers::All)?;
                sts::web_identity(wanted, &trimmed(&token))
            }
            (None, Some(IdentityConfig::AccessKey { file })) => {
                let text = read(file, Readers::Owner)?;
                let key = key_in(file, &text)?;
                let secret = Sensitive::from(key.secret_access_key.as_bytes());
                let credentials = sigv4::Credentials {
                    access_key_id: key.access_key_id,
                    secret: &secret,
                    session_token: key.session_token,
                };
                let region = self.server.region.as_str();
                let signer = sigv4::Signer { credentials, region, service: "sts", at: now };
                sts::assume_role(wanted, &signer, authority)?
            }
            (None, Some(IdentityConfig::X509(identity))) => {
                let signer = anywhere::Signer::load(&identity.certificate, &identity.key)?;
                let region = self.server.region.as_str();
                signer.session(wanted, identity, &anywhere::Place { authority, region, at: now })?
            }
            (None, None) => return Err(IssueError::Identity("no `[identity]`".to_owned())),
        };
        let keys = self.exchange.send(request).await?;
        if keys.expires <= now {
            return Err(IssueError::Unusable("it has ended already; compare the two clocks"));
        }
        Ok(keys)
    }
}

impl Endpoint {
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        let host = host.unwrap_or(&self.host);
        host.parse().map_or(host == "localhost", |it: IpAddr| it.is_loopback())
    }
}

/// Takes `https://HOST[:PORT]` apart; `None` if `url` has another form.
pub(crate) fn endpoint(url: &str) -> Option<Endpoint> {
    let uri: Uri = url.parse().ok()?;
    let is_tls = match uri.scheme_str()? {
        "http" => false,
        "https" => true,
        _ => return None,
    };
    let authority = uri.authority()?;
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() || url.contains('@') {
        return None;
    }
    let host = authority.host().to_owned();
    Some(Endpoint { is_tls, authority: authority.as_str().to_owned(), host })
}

fn read(path: &Path, readers: Readers) -> Result<Sensitive, IssueError> {
    files::read(path, readers)
        .map_err(|error| IssueError::Identity(format!("can't read `{}`: {error}", path.display())))
}

/// `token` without the line break that editors leave.
fn trimmed(token: &Sensitive) -> Sensitive {
    Sensitive::from(token.expose().trim_ascii())
}

fn key_in<'a>(path: &Path, text: &'a Sensitive) -> Result<KeyFile<'a>, IssueError> {
    serde_json::from_slice(text.expose()).map_err(|_| {
        let path = path.display();
        let expected = "JSON with `AccessKeyId` and `SecretAccessKey`";
        IssueError::Identity(format!("`{path}` is not {expected}"))
    })
}

#[cfg(test)]
mod tests;
