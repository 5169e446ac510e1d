//! The request as it came over the wire.

use aws_lc_rs::digest;
use std::fmt;

/// The parts of an HTTP request that a signature covers, borrowed and unchanged.
///
/// Rewriting any of them before verification breaks signatures that are good.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// `GET`, `POST`, … as received.
    pub method: &'a str,
    /// The path as received, still percent-encoded; without the query.
    pub path: &'a str,
    /// What follows the first `?`, still percent-encoded; empty if there is none.
    pub query: &'a str,
    /// Header names in lower case, with their values, in the order of arrival.
    ///
    /// HTTP/2's `:authority` stands here as `host`.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// SHA-256 of the body as received: after TLS, before any decompression.
    pub body_hash: [u8; 32],
}

impl<'a> Request<'a> {
    /// The values of the header called `name`, in the order of arrival.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers.iter().filter(move |it| it.0 == name).map(|it| it.1)
    }

    /// The first value of the header called `name`.
    pub(crate) fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.values(name).next()
    }
}

impl fmt::Debug for Request<'_> {
    /// Method, path and header names; values and the query may hold a session token.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} ", self.method, self.path)?;
        out.debug_list().entries(self.headers.iter().map(|it| it.0)).finish()
    }
}

/// SHA-256 of `body`, as [`Request::body_hash`] wants it.
pub fn body_hash(body: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, body).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_values() {
        let headers: [(&str, &[u8]); 1] = [("x-amz-security-token", b"canary")];
        let request = Request {
            method: "GET",
            path: "/",
            query: "X-Amz-Security-Token=canary",
            headers: &headers,
            body_hash: body_hash(b""),
        };
        assert_eq!(format!("{request:?}"), "GET / [\"x-amz-security-token\"]");
    }
}
