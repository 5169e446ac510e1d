//! A session's keys, as the server issued them.

use base::{Sensitive, Timestamp};

/// Temporary credentials of a role. Wiped when dropped; `Debug` shows the key's id at most.
#[derive(Debug)]
pub struct Keys {
    /// `ASIA…`: not a secret, and logged.
    pub access_key_id: String,
    /// The secret access key.
    pub secret: Sensitive,
    /// The session token.
    pub token: Sensitive,
    /// When they end.
    pub expires: Timestamp,
}

/// Which session is wanted.
#[derive(Debug)]
pub struct Wanted {
    /// The role's ARN.
    pub role_arn: String,
    /// The session's name: who it is in the server's audit trail.
    pub session_name: String,
    /// How long it should live.
    pub seconds: u32,
    /// A web-identity token to exchange, instead of the agent's own identity.
    pub web_token: Option<Sensitive>,
}

impl Wanted {
    /// The role's account: the fifth part of its ARN.
    pub(crate) fn account(&self) -> &str {
        self.role_arn.split(':').nth(4).unwrap_or_default()
    }
}

/// Why there is no session.
#[derive(Clone, Debug, thiserror::Error)]
pub enum IssueError {
    /// The agent's own key, token or certificate can't be used.
    #[error("{0}")]
    Identity(String),
    /// The server said no.
    #[error("{code}: {message}")]
    Refused {
        /// The error's code, such as `AccessDenied`.
        code: String,
        /// What the server says of it.
        message: String,
    },
    /// No answer came, or none in time.
    #[error("no answer from the server: {0}")]
    Unreachable(String),
    /// An answer came that is no session.
    #[error("the server's answer is no session: {0}")]
    Unusable(&'static str),
}

/// Where sessions come from.
#[async_trait::async_trait]
pub trait Issuer: Send + Sync {
    /// A fresh session, asked for at `now`.
    async fn issue(&self, wanted: &Wanted, now: Timestamp) -> Result<Keys, IssueError>;
}
