//! Answers on the wire: status, headers, body.

use crate::route::Protocol;
use arc_swap::ArcSwap;
use base::{Timestamp, Uuid};
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, DATE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use service::Reply;
use std::sync::Arc;
use wire::Code;

/// The `Date` header, written once a second. Clients correct their clocks by it.
pub(crate) struct Dates(ArcSwap<(i64, HeaderValue)>);

/// Where REST-JSON has an error's name.
static ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
static REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// `strongroom explain` takes it.
static AUTHORIZATION_ID: HeaderName = HeaderName::from_static("x-amzn-authorization-id");

impl Dates {
    pub(crate) fn new() -> Self {
        Self(ArcSwap::from_pointee((i64::MIN, HeaderValue::from_static(""))))
    }

    /// The header at `now`.
    pub(crate) fn at(&self, now: Timestamp) -> HeaderValue {
        let known = self.0.load();
        if known.0 == now.secs() {
            return known.1.clone();
        }
        let text = now.format("%a, %d %b %Y %H:%M:%S GMT");
        let value = HeaderValue::from_maybe_shared(Bytes::from(text));
        let value = value.unwrap_or(HeaderValue::from_static(""));
        self.0.store(Arc::new((now.secs(), value.clone())));
        value
    }
}

/// `reply` as an HTTP answer. Its length is known, so the connection states it.
pub(crate) fn respond(
    reply: Reply,
    protocol: Protocol,
    request_id: Uuid,
    date: HeaderValue,
) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (has_body, further) = (!reply.body.is_empty(), reply.headers);
    let mut response = Response::new(Full::new(Bytes::from(reply.body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if has_body {
        let kind = match protocol {
            Protocol::Json => wire::json::CONTENT_TYPE,
            Protocol::Query => wire::query::CONTENT_TYPE,
            Protocol::Rest => wire::rest::CONTENT_TYPE,
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    if let (Protocol::Rest, Some(error)) = (protocol, reply.error) {
        headers.insert(ERROR_TYPE.clone(), HeaderValue::from_static(error));
    }
    if let Ok(id) = HeaderValue::from_maybe_shared(Bytes::from(request_id.to_string())) {
        headers.insert(REQUEST_ID.clone(), id);
    }
    headers.insert(DATE, date);
    for (name, value) in further {
        if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(value)) {
            headers.insert(name, value);
        }
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

/// Says that the record of this request tells why it was denied.
pub(crate) fn name_authorization(response: &mut Response<Full<Bytes>>) {
    let headers = response.headers_mut();
    if let Some(id) = headers.get(&REQUEST_ID).cloned() {
        headers.insert(AUTHORIZATION_ID.clone(), id);
    }
}

/// An answer without a body.
pub(crate) fn bare(status: u16, error: &'static str) -> Reply {
    Reply { error: Some(error), ..Reply::success(status, wire::Body::default()) }
}

/// More bytes than are taken.
pub(crate) const TOO_LARGE: Code = Code { status: 413, ..Code::protocol("RequestEntityTooLarge") };

/// The body took too long to come.
pub(crate) const TOO_SLOW: Code = Code { status: 408, ..Code::protocol("RequestTimeout") };

/// Nothing was found out in the time that a request may take. Clients retry it.
pub(crate) const UNAVAILABLE: Code = Code { status: 503, ..Code::modelled("ServiceUnavailable") };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_the_clock_both_ways() {
        let dates = Dates::new();
        for (secs, expected) in [
            (1_440_938_160, "Sun, 30 Aug 2015 12:36:00 GMT"),
            (1_440_938_161, "Sun, 30 Aug 2015 12:36:01 GMT"),
            (1_440_938_160, "Sun, 30 Aug 2015 12:36:00 GMT"),
        ] {
            let now = Timestamp::from_millis(secs * 1000 + 999);
            assert_eq!(dates.at(now), expected);
            assert_eq!(dates.at(now), expected, "remembered");
        }
    }
}
