//! The two endpoints behind `AWS_CONTAINER_CREDENTIALS_FULL_URI`: a container's, and EKS Pod Identity's.
//!
//! A container shows a token that the configuration knows, or is known by its process. A pod shows its
//! service account's token, which the server gets and checks.

use super::From;
use super::front::{Front, NoKeys};
use super::reply::{self, Reply};
use crate::config::{Kind, is_session_name};
use crate::keys::{Keys, Wanted};
use crate::pod_token::Claims;
use crate::rules::Proof;
use base::Sensitive;
use http::header::AUTHORIZATION;
use http::{Method, Request, StatusCode};
use serde::Serialize;

/// What SDKs read.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    access_key_id: &'a str,
    secret_access_key: &'a str,
    token: &'a str,
    expiration: String,
    role_arn: &'a str,
    account_id: &'a str,
}

/// `GET /credentials`.
pub(super) async fn answer<B>(front: &Front, request: &Request<B>, from: &From) -> Reply {
    let token = match token(request) {
        Ok(token) => token,
        Err(error) => return failure(&error),
    };
    let proof = token.as_ref().map_or(Proof::Nothing, Proof::Token);
    let found = match front.find(Kind::Container, from, &proof) {
        Ok(place) => front.keys(place, from).await,
        Err(error) => Err(error),
    };
    match found {
        Ok((session, keys)) => success(session.wanted(), &keys),
        Err(error) => failure(&error),
    }
}

/// `GET /v1/credentials`.
pub(super) async fn answer_pod<B>(front: &Front, request: &Request<B>, from: &From) -> Reply {
    let token = match token(request) {
        Ok(Some(token)) => token,
        Ok(None) => return refused("there is no Authorization header with a token"),
        Err(error) => return failure(&error),
    };
    let Some(claims) = Claims::read(token.expose()) else {
        return refused("the token is none of a service account");
    };
    // A session that it was exchanged for may last longer than the token.
    if claims.expires <= front.now() {
        return refused("the token has expired");
    }
    let proof = Proof::ServiceAccount(&claims.service_account);
    let found = match front.find(Kind::PodIdentity, from, &proof) {
        Ok(place) => {
            let given = front.rule(place).and_then(|it| it.workload.session_name.clone());
            let name = given.unwrap_or_else(|| session_name(&claims));
            front.exchanged(place, (&token, &name), from).await
        }
        Err(error) => Err(error),
    };
    match found {
        Ok((session, keys)) => success(session.wanted(), &keys),
        Err(error) => failure(&error),
    }
}

/// The token that was sent; verbatim, as SDKs send what is in the variable or the file.
fn token<B>(request: &Request<B>) -> Result<Option<Sensitive>, NoKeys> {
    let mut sent = request.headers().get_all(AUTHORIZATION).iter();
    match (request.method(), sent.next(), sent.next()) {
        (&Method::GET, first, None) => Ok(first.map(|it| Sensitive::from(it.as_bytes()))),
        (&Method::GET, ..) => Err(NoKeys::Malformed("there is more than one Authorization header")),
        _ => Err(NoKeys::Method),
    }
}

/// The pod's name, or the service account's where the token names none that can be one.
fn session_name(claims: &Claims) -> String {
    let cut = |it: &str| it.chars().take(64).collect::<String>();
    let pod = claims.pod.as_deref().map(cut).filter(|it| is_session_name(it));
    // A slash is no part of a session's name.
    pod.unwrap_or_else(|| cut(&claims.service_account.replace('/', ".")))
}

fn success(wanted: &Wanted, keys: &Keys) -> Reply {
    reply::json(
        StatusCode::OK,
        &Answer {
            access_key_id: &keys.access_key_id,
            secret_access_key: str::from_utf8(keys.secret.expose()).unwrap_or_default(),
            token: str::from_utf8(keys.token.expose()).unwrap_or_default(),
            expiration: keys.expires.to_string(),
            role_arn: &wanted.role_arn,
            account_id: wanted.account(),
        },
    )
}

fn failure(error: &NoKeys) -> Reply {
    match error {
        NoKeys::Stranger => refused("no workload fits this caller"),
        NoKeys::Refused => refused("the server refuses a session of the workload's role"),
        NoKeys::Malformed(message) => {
            reply::fault(StatusCode::BAD_REQUEST, "InvalidRequest", message)
        }
        NoKeys::Method => {
            let message = "only GET is answered here";
            reply::fault(StatusCode::METHOD_NOT_ALLOWED, "InvalidRequest", message)
        }
        NoKeys::Later => {
            let message =
                "there is no session of the workload's role now; the agent's log says why";
            reply::fault(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", message)
        }
    }
}

fn refused(message: &str) -> Reply {
    reply::fault(StatusCode::FORBIDDEN, "AccessDenied", message)
}
