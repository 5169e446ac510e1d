//! Answers of the admin API.

use super::stream::Stream;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use serde_json::{Value, json};
use service::chain;
use std::pin::Pin;
use std::task::{Context, Poll};

/// An answer, or why there is none.
pub(super) type Replied = Result<Response<AdminBody>, Fault>;

/// The body of an answer.
pub(crate) enum AdminBody {
    /// All of it.
    Whole(Full<Bytes>),
    /// As it comes.
    Stream(Stream),
}

/// Why the admin API said no: a fact and a remedy.
#[derive(Debug)]
pub(super) struct Fault {
    status: StatusCode,
    fact: String,
    hint: &'static str,
}

/// The answer 200 with `value` as JSON.
pub(super) fn ok(value: &Value) -> Response<AdminBody> {
    with_status(StatusCode::OK, value)
}

/// The answer `status` with `value` as JSON.
pub(super) fn with_status(status: StatusCode, value: &Value) -> Response<AdminBody> {
    // May hold a secret access key: wiped when it is sent.
    let mut body = wire::Body::with_capacity(1024);
    let _infallible = serde_json::to_writer(&mut body, value);
    let mut response = whole(Bytes::from(body), "application/json");
    *response.status_mut() = status;
    response
}

/// The answer 200 with `bytes`.
pub(super) fn whole(bytes: Bytes, kind: &'static str) -> Response<AdminBody> {
    typed(AdminBody::Whole(Full::new(bytes)), kind)
}

/// The answer 200 with a body of the content type `kind`.
pub(super) fn typed(body: AdminBody, kind: &'static str) -> Response<AdminBody> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl Fault {
    pub(super) fn new(status: StatusCode, fact: impl Into<String>, hint: &'static str) -> Self {
        Self { status, fact: fact.into(), hint }
    }

    /// No such path, or not with this method.
    pub(super) fn unknown() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is nothing here", "see `strongroom help`")
    }

    pub(super) fn into_response(self) -> Response<AdminBody> {
        let Self { status, fact, hint } = self;
        // An error that brings its own remedy puts it on a line of its own.
        let (fact, hint) = fact.split_once("\nhint: ").unwrap_or((&fact, hint));
        with_status(status, &json!({ "Error": fact, "Hint": hint }))
    }
}

impl From<identity::Error> for Fault {
    fn from(error: identity::Error) -> Self {
        use identity::Error::{
            AccountExists, AccountUnknown, KeyQuota, KeyUnknown, Kms, NoKeys, Picture,
            ProviderUnknown, RoleUnknown, Store, UserExists, UserName,
        };
        let (status, hint) = match &error {
            AccountExists(_) => (StatusCode::CONFLICT, "`strongroom account list` shows them all"),
            AccountUnknown(_) => {
                (StatusCode::NOT_FOUND, "`strongroom account list` shows them all")
            }
            KeyUnknown(_) => (StatusCode::NOT_FOUND, "`strongroom access-key list` shows them all"),
            KeyQuota => (
                StatusCode::CONFLICT,
                "delete one with `aws iam delete-access-key`, or name another user with --user",
            ),
            RoleUnknown(_) => (StatusCode::NOT_FOUND, "`aws iam list-roles` shows them all"),
            NoKeys => (StatusCode::BAD_REQUEST, "it is what the issuer has at its `jwks_uri`"),
            ProviderUnknown(_) => {
                (StatusCode::NOT_FOUND, "`aws iam list-open-id-connect-providers` shows them all")
            }
            UserExists { .. } => (StatusCode::CONFLICT, "use the name as it is written there"),
            UserName(_) => (StatusCode::BAD_REQUEST, "choose another name"),
            Kms(_) | Picture(_) | Store(_) => return Self::internal(chain(&error)),
        };
        Self::new(status, error.to_string(), hint)
    }
}

impl From<store::Error> for Fault {
    fn from(error: store::Error) -> Self {
        Self::internal(chain(&error))
    }
}

impl Fault {
    /// To an operator the cause may be told.
    pub(super) fn internal(cause: String) -> Self {
        tracing::error!(cause, "admin request failed");
        let hint = "`strongroom doctor` looks for reasons";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, cause, hint)
    }
}

impl Body for AdminBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match &mut *self {
            Self::Whole(body) => Pin::new(body).poll_frame(context).map_err(|never| match never {}),
            Self::Stream(body) => Pin::new(body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Stream(body) => body.size_hint(),
        }
    }
}
