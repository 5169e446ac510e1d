//! EC2's instance metadata service, version 2: the paths that credentials need, and nothing else.
//!
//! Version 1, a GET without a token, is refused: a server that can be made to fetch a URL could be made
//! to fetch credentials. A token costs a PUT with a header of its own, which such a server can't be made
//! to send.
//!
//! Source: EC2 User Guide, "Use the Instance Metadata Service to access instance metadata".

use super::From;
use super::front::{Front, NoKeys};
use super::reply::{self, Reply};
use crate::config::Kind;
use crate::keys::Keys;
use crate::rules::Proof;
use http::header::HeaderMap;
use http::{HeaderValue, Method, Request, StatusCode};
use serde::Serialize;
use std::time::Duration;

/// What SDKs read of a success.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Success<'a> {
    code: &'static str,
    last_updated: String,
    #[serde(rename = "Type")]
    kind: &'static str,
    access_key_id: &'a str,
    secret_access_key: &'a str,
    token: &'a str,
    expiration: String,
}

/// What EC2 says when the role can't be assumed.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    code: &'static str,
    message: &'static str,
    last_updated: String,
}

/// Everything below `/latest/`.
pub(super) async fn answer<B>(front: &Front, request: &Request<B>, from: &From) -> Reply {
    let path = request.uri().path();
    match (request.method(), path) {
        (&Method::PUT, TOKEN) => return token(front, request.headers(), from),
        (_, TOKEN) => return empty(StatusCode::METHOD_NOT_ALLOWED),
        (&Method::GET, _) => (),
        _ => return empty(StatusCode::METHOD_NOT_ALLOWED),
    }
    // Whoever asks without a token learns nothing, not even which paths there are.
    let mut tokens = request.headers().get_all(TOKEN_HEADER).iter();
    let known = match (tokens.next(), tokens.next()) {
        (Some(token), None) => front.mint.knows(token.as_bytes(), &holder(from), front.now()),
        _ => false,
    };
    if !known {
        return empty(StatusCode::UNAUTHORIZED);
    }
    let Ok(place) = front.find(Kind::Imds, from, &Proof::Nothing) else {
        return empty(StatusCode::NOT_FOUND);
    };
    let role = front.rule(place).map(|it| it.role_name().to_owned()).unwrap_or_default();
    match path.strip_prefix(ROLES) {
        Some("" | "/") => reply::text(StatusCode::OK, role),
        Some(rest) if rest.strip_prefix('/') == Some(&role) => {
            credentials(front, place, from).await
        }
        _ => empty(StatusCode::NOT_FOUND),
    }
}

/// `PUT /latest/api/token`.
fn token(front: &Front, headers: &HeaderMap, from: &From) -> Reply {
    let mut sent = headers.get_all(TTL_HEADER).iter();
    let seconds = match (sent.next(), sent.next()) {
        (Some(seconds), None) => seconds.to_str().ok().and_then(|it| it.parse::<u32>().ok()),
        _ => None,
    };
    let Some(seconds) = seconds.filter(|it| (1..=LONGEST).contains(it)) else {
        return empty(StatusCode::BAD_REQUEST);
    };
    if front.find(Kind::Imds, from, &Proof::Nothing).is_err() {
        return empty(StatusCode::FORBIDDEN);
    }
    let end = front.now().plus(Duration::from_secs(u64::from(seconds)));
    let token = front.mint.make(&holder(from), end, &*front.means.entropy);
    let mut reply = reply::text(StatusCode::OK, token);
    reply.headers_mut().insert(TTL_HEADER, HeaderValue::from(seconds));
    reply
}

async fn credentials(front: &Front, place: usize, from: &From) -> Reply {
    let last_updated = front.now().to_string();
    match front.keys(place, from).await {
        Ok((_, keys)) => success(&keys, last_updated),
        Err(NoKeys::Refused) => reply::json(
            StatusCode::OK,
            &Failure {
                code: "AssumeRoleUnauthorizedAccess",
                message: "The server refuses a session of the workload's role.",
                last_updated,
            },
        ),
        Err(_) => empty(StatusCode::SERVICE_UNAVAILABLE),
    }
}

fn success(keys: &Keys, last_updated: String) -> Reply {
    reply::json(
        StatusCode::OK,
        &Success {
            code: "Success",
            last_updated,
            kind: "AWS-HMAC",
            access_key_id: &keys.access_key_id,
            secret_access_key: str::from_utf8(keys.secret.expose()).unwrap_or_default(),
            token: str::from_utf8(keys.token.expose()).unwrap_or_default(),
            expiration: keys.expires.to_string(),
        },
    )
}

/// Whom a token is bound to: an address and a user.
fn holder(from: &From) -> String {
    format!("{} {:?}", from.place, from.caller.uid)
}

fn empty(status: StatusCode) -> Reply {
    reply::text(status, String::new())
}

const TOKEN: &str = "/latest/api/token";
const ROLES: &str = "/latest/meta-data/iam/security-credentials";
const TOKEN_HEADER: &str = "x-aws-ec2-metadata-token";
const TTL_HEADER: &str = "x-aws-ec2-metadata-token-ttl-seconds";
/// Six hours.
const LONGEST: u32 = 21_600;
