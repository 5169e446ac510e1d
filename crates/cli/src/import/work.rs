//! One secret's way to the server.

use super::caller::{Caller, Connection, Refusal};
use super::entry::{Entry, Tag, Value};
use super::token;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What happens to a secret that exists with other content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Existing {
    /// Leave it, and count a failure
    Fail,
    /// Leave it
    Skip,
    /// Make the content its current one; tags are added, none removed
    Update,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    Created,
    Skipped,
    Updated,
}

const CREATE: &str = "CreateSecret";
const PUT: &str = "PutSecretValue";
const TAG: &str = "TagResource";
const UPDATE: &str = "UpdateSecret";
/// The code of a name that is taken.
pub(crate) const EXISTS: &str = "ResourceExistsException";
const NOT_FOUND: &str = "ResourceNotFoundException";
const CURRENT: &str = "AWSCURRENT";

/// `CreateSecret`, or with less of it the other operations.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_request_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_string: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_binary: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Tag]>::is_empty")]
    tags: &'a [Tag],
    #[serde(skip_serializing_if = "<[&str]>::is_empty")]
    version_stages: &'a [&'a str],
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    version_stages: Vec<String>,
}

/// Makes `entry` a secret. Each call may come twice, so all of it may.
pub(crate) async fn bring(
    connection: &mut Connection,
    caller: &Caller,
    entry: &Entry,
    existing: Existing,
) -> Result<Done, Refusal> {
    let mut entry =
        Prepared { connection, caller, entry, token: &token::of(entry, &caller.keys.secret) };
    if existing == Existing::Update {
        return entry.update_or_create().await;
    }
    match entry.create().await {
        Err(refusal) if refusal.has_code(EXISTS) && existing == Existing::Skip => Ok(Done::Skipped),
        done => done,
    }
}

struct Prepared<'a> {
    connection: &'a mut Connection,
    caller: &'a Caller,
    entry: &'a Entry,
    token: &'a str,
}

impl Prepared<'_> {
    /// An existing secret gets its key before its value, which is sealed under it, and its value last.
    async fn update_or_create(&mut self) -> Result<Done, Refusal> {
        match self.update().await {
            Err(refusal) if refusal.has_code(NOT_FOUND) => self.create().await,
            done => done,
        }
    }

    async fn create(&mut self) -> Result<Done, Refusal> {
        let Entry { name, description, kms_key_id, tags, .. } = self.entry;
        let rest = Body {
            name: Some(name),
            description: description.as_deref(),
            kms_key_id: kms_key_id.as_deref(),
            tags,
            ..Body::default()
        };
        self.send_value(CREATE, rest).await?;
        Ok(Done::Created)
    }

    async fn update(&mut self) -> Result<Done, Refusal> {
        let Entry { name, description, kms_key_id, tags, .. } = self.entry;
        let secret_id = Some(name.as_str());
        if description.is_some() || kms_key_id.is_some() {
            let body = Body {
                secret_id,
                client_request_token: Some(self.token),
                description: description.as_deref(),
                kms_key_id: kms_key_id.as_deref(),
                ..Body::default()
            };
            self.send(UPDATE, &body).await?;
        }
        if !tags.is_empty() {
            self.send(TAG, &Body { secret_id, tags, ..Body::default() }).await?;
        }
        // A version of this content may exist and not be current any more: the label is asked for.
        let rest = Body { secret_id, version_stages: &[CURRENT], ..Body::default() };
        let answer = self.send_value(PUT, rest).await?;
        let labels =
            serde_json::from_slice(&answer).map_or(Vec::new(), |it: Put| it.version_stages);
        if labels.iter().any(|it| it == CURRENT) {
            return Ok(Done::Updated);
        }
        let message = format!("the server has the value as version {}, not current", self.token);
        Err(Refusal::Refused { code: PUT.to_owned(), message })
    }

    /// Sends `rest` with the value and its token.
    async fn send_value(&mut self, operation: &str, rest: Body<'_>) -> Result<Bytes, Refusal> {
        let rest = Body { client_request_token: Some(self.token), ..rest };
        match &self.entry.value {
            Value::String(text) => {
                let text = str::from_utf8(text.expose()).unwrap_or_default();
                self.send(operation, &Body { secret_string: Some(text), ..rest }).await
            }
            Value::Binary(bytes) => {
                let text = Zeroizing::new(STANDARD.encode(bytes.expose()));
                self.send(operation, &Body { secret_binary: Some(&text), ..rest }).await
            }
        }
    }

    async fn send(&mut self, operation: &str, body: &Body<'_>) -> Result<Bytes, Refusal> {
        let body = self.written(body)?;
        let answer = self.connection.ask(self.caller, operation, &body).await;
        answer.map_err(|refusal| hushed(refusal, &self.entry.value))
    }

    /// `body` as bytes that are wiped once the last retry is done.
    fn written(&self, body: &Body<'_>) -> Result<Bytes, Refusal> {
        // Room for base64 and for common escapes, so that the buffer rarely moves.
        let room = self.entry.value.bytes().len() * 2 + ROOM;
        let mut written = Zeroizing::new(Vec::with_capacity(room));
        serde_json::to_writer(&mut *written, body).map_err(|error| Refusal::Refused {
            code: "SerializationException".to_owned(),
            message: error.to_string(),
        })?;
        Ok(Bytes::from_owner(written))
    }
}

/// Bytes for everything in a request but the value.
const ROOM: usize = 16 * 1024;

/// A server that repeats the value in its refusal is not repeated.
fn hushed(refusal: Refusal, value: &Value) -> Refusal {
    let bytes = value.bytes();
    let encoded = Zeroizing::new(STANDARD.encode(bytes));
    let repeats = |text: &str| {
        text.contains(encoded.as_str())
            || text.as_bytes().windows(bytes.len().max(1)).any(|it| it == bytes)
    };
    match refusal {
        Refusal::Refused { code, message } if repeats(&message) => {
            Refusal::Refused { code, message: String::new() }
        }
        Refusal::Stranger { code, message } if repeats(&message) => {
            Refusal::Stranger { code, message: String::new() }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_in_a_refusal_is_left_out() {
        for (message, expected) in [
            ("no `hunter2` here", "X"),
            ("no `aHVudGVyMg==` here", "X"),
            ("no hunter", "X: no hunter"),
        ] {
            let refusal = Refusal::Refused { code: "X".into(), message: message.into() };
            let value = Value::String("hunter2".to_owned().into());
            assert_eq!(hushed(refusal, &value).to_string(), expected);
        }
    }
}
