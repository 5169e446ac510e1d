//! Answers, wiped when they have been written.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use zeroize::Zeroizing;

pub(super) type Reply = Response<Full<Bytes>>;

/// `value` as JSON. What it is made of must be shorter than 32 KiB.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Reply {
    // Growing would leave a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(32 * 1024));
    let written = serde_json::to_writer(&mut *bytes, value);
    let status = written.map_or(StatusCode::INTERNAL_SERVER_ERROR, |()| status);
    of(status, "application/json", Bytes::from_owner(bytes))
}

/// `text` as it is.
pub(super) fn text(status: StatusCode, text: String) -> Reply {
    of(status, "text/plain", Bytes::from(text))
}

/// An error as the container endpoints tell one; SDKs show both members.
pub(super) fn fault(status: StatusCode, code: &str, message: &str) -> Reply {
    json(status, &serde_json::json!({ "code": code, "message": message }))
}

fn of(status: StatusCode, kind: &'static str, body: Bytes) -> Reply {
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}
