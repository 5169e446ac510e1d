//! Signed requests.
//!
//! An input is written much like HTTP: a line with the method, one with the path, one with the
//! query, a `name:value` line per header, an empty line, the body.

use base::{Sensitive, Timestamp};
use sigv4::{Credentials, Presented, Rejection, Request, Signer, SigningKey, body_hash};

/// Takes `input` for a request, as it came and signed by us.
///
/// A key that nobody holds accepts nothing. What our signer signs is accepted with its key, and
/// no longer with another body.
pub fn sigv4_request(input: &[u8]) {
    let Some((head, body)) = split(input) else { return };
    let [method, path, query, ref lines @ ..] = *head.as_slice() else { return };
    let headers: Vec<_> = lines.iter().filter_map(|it| header(it)).collect();
    let request = Request { method, path, query, headers: &headers, body_hash: body_hash(body) };

    assert_ne!(check(&request, |_| SigningKey::dummy()), Ok(()));
    if let Err(rejection) = check(&request, key) {
        let (json, query) = (rejection.json(), rejection.query());
        assert!((400..500).contains(&json.status) && (400..500).contains(&query.status));
        assert!(json.message.len() < 16_384 && query.message.len() < 16_384);
    }
    signed_by_us(&request);
    presigned_by_us(&request);
}

/// The lines of the head, and the body.
pub(crate) fn split(input: &[u8]) -> Option<(Vec<&str>, &[u8])> {
    let end = input.windows(2).position(|it| it == b"\n\n").unwrap_or(input.len());
    let (head, body) = input.split_at(end);
    Some((str::from_utf8(head).ok()?.split('\n').collect(), body))
}

/// A header as the HTTP library lets it through: its name is a token in lower case.
pub(crate) fn header(line: &str) -> Option<(&str, &[u8])> {
    let (name, value) = line.split_once(':')?;
    let of_token =
        |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&it);
    let valid = !name.is_empty() && name.bytes().all(of_token);
    valid.then_some((name, value.as_bytes()))
}

/// The four steps, at the instant that the request names.
fn check(
    request: &Request<'_>,
    key: impl FnOnce([&str; 3]) -> SigningKey,
) -> Result<(), Rejection> {
    let presented = Presented::parse(request)?;
    let now = presented.signed_at();
    let current = presented.check_window(now, 5)?;
    current.check_lifetime(now)?;
    let scoped = current.check_scope(&["service", "secretsmanager"], |it| it == "us-east-1")?;
    assert!(scoped.explain().contains(scoped.date()));
    scoped.verify(&key([scoped.date(), scoped.region(), scoped.service()])).map(drop)
}

/// What our signer adds to a header makes the request acceptable, with this body only.
fn signed_by_us(request: &Request<'_>) {
    let (secret, taken) = (secret(), request.query.contains(['%', '+']));
    if taken || request.query.contains("X-Amz-Algorithm") || claims_a_body(request) {
        return;
    }
    let Ok(added) = signer(&secret).sign(request) else { return };
    let kept = request.headers.iter().filter(|it| !added.iter().any(|added| added.0 == it.0));
    let headers: Vec<_> =
        kept.copied().chain(added.iter().map(|it| (it.0, it.1.as_bytes()))).collect();
    if headers.len() > MOST_HEADERS {
        return;
    }
    let signed = Request { headers: &headers, ..*request };
    assert_eq!(check(&signed, key), Ok(()));
    let changed = Request { body_hash: body_hash(b"another"), ..signed };
    assert_eq!(check(&changed, key), Err(Rejection::Mismatch));
}

/// The same for a signature in the query.
fn presigned_by_us(request: &Request<'_>) {
    let (secret, taken) = (secret(), request.query.contains(['%', '+']));
    let by_header = request.headers.iter().any(|it| it.0 == "authorization");
    if taken || by_header || request.query.contains("X-Amz-") || claims_a_body(request) {
        return;
    }
    let uncovered = request.headers.len() > MOST_HEADERS;
    let Ok(query) = signer(&secret).presign(request, 60) else { return };
    let signed = Request { query: &query, ..*request };
    assert!(check(&signed, key).is_ok() || uncovered);
    let changed = Request { body_hash: body_hash(b"another"), ..signed };
    assert_ne!(check(&changed, key), Ok(()));
}

/// Whether the request promises the hash of a body, which may well be another.
fn claims_a_body(request: &Request<'_>) -> bool {
    request.headers.iter().any(|it| it.0 == "x-amz-content-sha256")
}

fn key([date, region, service]: [&str; 3]) -> SigningKey {
    SigningKey::derive(&secret(), date, region, service)
}

fn signer(secret: &Sensitive) -> Signer<'_> {
    Signer {
        credentials: Credentials { access_key_id: "AKIDEXAMPLE", secret, session_token: None },
        region: "us-east-1",
        service: "service",
        at: Timestamp::from_secs(1_440_938_160),
    }
}

/// The published example.
fn secret() -> Sensitive {
    Sensitive::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned())
}

/// More than the server takes.
const MOST_HEADERS: usize = 100;
