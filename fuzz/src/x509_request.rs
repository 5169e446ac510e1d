//! Requests signed by the key of a certificate, written as for `sigv4_request`.

use crate::sigv4_request::{header, split};
use sigv4::{Presented, Rejection, Request, body_hash};

/// Takes `input` for a request. A key that nobody has accepts nothing, and every rejection can be told.
pub fn x509_request(input: &[u8]) {
    let Some((head, body)) = split(input) else { return };
    let [method, path, query, ref lines @ ..] = *head.as_slice() else { return };
    let headers: Vec<_> = lines.iter().filter_map(|it| header(it)).collect();
    let request = Request { method, path, query, headers: &headers, body_hash: body_hash(body) };
    for key in [&b""[..], body] {
        if let Err(rejection) = check(&request, key) {
            let told = rejection.rest();
            assert!((400..500).contains(&told.status) && told.message.len() < 16_384);
        }
    }
    assert!(check(&request, b"").is_err());
}

/// The four steps, at the instant that the request names.
fn check(request: &Request<'_>, key: &[u8]) -> Result<(), Rejection> {
    let presented = Presented::parse_certificate(request)?;
    let now = presented.signed_at();
    let current = presented.check_window(now, 5)?;
    let scoped = current.check_scope(&["rolesanywhere"], |it| it == "eu-west-1")?;
    assert!(scoped.explain().contains(scoped.date()));
    scoped.verify_certificate(key).map(drop)
}
