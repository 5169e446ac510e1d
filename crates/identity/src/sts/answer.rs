//! What several operations answer.

use crate::session::{Credentials, Token};
use base::{Sensitive, Timestamp};
use serde::{Serialize, Serializer, ser};

/// Temporary credentials, as a client gets them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TemporaryCredentials {
    access_key_id: String,
    #[serde(serialize_with = "exposed")]
    secret_access_key: Sensitive,
    #[serde(serialize_with = "exposed")]
    session_token: Sensitive,
    #[serde(serialize_with = "wire::query::instant")]
    expiration: Timestamp,
}

/// The session of a role.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumedRoleUser {
    pub(super) assumed_role_id: String,
    pub(super) arn: String,
}

/// The session of a federated user.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FederatedUser {
    pub(super) federated_user_id: String,
    pub(super) arn: String,
}

/// How long the token is, in characters and in percent of what it may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) characters: usize,
    pub(super) utilization: usize,
}

impl TemporaryCredentials {
    pub(super) fn new(issued: Credentials) -> Self {
        Self {
            access_key_id: issued.access_key_id,
            secret_access_key: issued.secret,
            session_token: issued.token,
            expiration: issued.expiration,
        }
    }

    pub(super) fn size(&self) -> Size {
        let characters = self.session_token.len();
        Size { characters, utilization: (characters * 100).div_ceil(Token::MAX_LEN) }
    }

    /// What an audit record tells of them: which they are, and until when.
    pub(super) fn elements(&self) -> serde_json::Value {
        serde_json::json!({
            "accessKeyId": self.access_key_id,
            "expiration": self.expiration.to_string(),
        })
    }
}

fn exposed<S: Serializer>(secret: &Sensitive, out: S) -> Result<S::Ok, S::Error> {
    let text = str::from_utf8(secret.expose()).map_err(|_| ser::Error::custom("no text"))?;
    out.serialize_str(text)
}
