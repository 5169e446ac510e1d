//! Requests that the key of a certificate has signed, as an independent signer spells them.

use crate::message::Message;
use base::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use strongroom_sigv4::{Presented, Rejection, Request, SigningKey, Verified, body_hash};

struct Vector {
    name: String,
    message: Message,
    public_key: Vec<u8>,
}

fn vectors() -> Vec<Vector> {
    let text = include_str!("../../../../tests/vectors/sigv4-x509/requests.json");
    let read = |it: &Value| {
        let text = |name: &str| it[name].as_str().expect("text").to_owned();
        let headers: BTreeMap<String, String> =
            serde_json::from_value(it["headers"].clone()).expect("headers");
        let hex = text("publicKey");
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
        Vector {
            name: text("name"),
            message: Message {
                method: "POST".to_owned(),
                path: "/sessions".to_owned(),
                query: text("query"),
                headers: headers.into_iter().map(|it| (it.0, it.1.into_bytes())).collect(),
                body: text("body").into_bytes(),
            },
            public_key: (0..hex.len()).step_by(2).map(byte).collect(),
        }
    };
    let all: Vec<Value> = serde_json::from_str(text).expect("JSON");
    all.iter().map(read).collect()
}

fn now() -> Timestamp {
    Timestamp::from_basic("20260131T100000Z").expect("an instant")
}

fn verify_at(message: &Message, key: &[u8], now: Timestamp) -> Result<Verified, Rejection> {
    let headers = message.headers();
    let request = Request {
        method: &message.method,
        path: &message.path,
        query: &message.query,
        headers: &headers,
        body_hash: body_hash(&message.body),
    };
    let current = Presented::parse_certificate(&request)?.check_window(now, 5)?;
    let scoped = current.check_scope(&["rolesanywhere"], |it| it == "eu-west-1")?;
    assert_eq!((scoped.access_key_id(), scoped.region()), ("4711", "eu-west-1"));
    scoped.verify_certificate(key)
}

fn verify(message: &Message, key: &[u8]) -> Result<(), Rejection> {
    verify_at(message, key, now()).map(drop)
}

fn vector(name: &str) -> Vector {
    vectors().into_iter().find(|it| it.name == name).expect("a vector")
}

/// The message with the header `name` changed by `change`.
fn with(message: &Message, name: &str, change: impl Fn(&str) -> String) -> Message {
    let mut changed = message.clone();
    for (it, value) in &mut changed.headers {
        if it == name {
            *value = change(str::from_utf8(value).expect("text")).into_bytes();
        }
    }
    changed
}

#[test]
fn takes_strong_keys_only() {
    let vectors = vectors();
    for it in &vectors {
        let good = !matches!(it.name.as_str(), "rsa-1024" | "secp256k1");
        let found = verify(&it.message, &it.public_key);
        assert_eq!(found, if good { Ok(()) } else { Err(Rejection::Mismatch) }, "{}", it.name);
        for other in vectors.iter().filter(|other| other.name != it.name) {
            let found = verify(&it.message, &other.public_key);
            assert_eq!(found, Err(Rejection::Mismatch), "{} by {}", it.name, other.name);
        }
    }
}

#[test]
fn anything_changed_is_a_mismatch() {
    for name in ["rsa-2048", "p-256"] {
        let Vector { message, public_key, .. } = vector(name);
        let swapped = |it: &str| {
            if it.contains("RSA") { it.replace("RSA", "ECDSA") } else { it.replace("ECDSA", "RSA") }
        };
        let last = |it: &str| {
            let other = if it.ends_with('0') { '1' } else { '0' };
            format!("{}{other}", &it[..it.len() - 1])
        };
        let cases = [
            ("method", Message { method: "PUT".to_owned(), ..message.clone() }),
            ("path", Message { path: "/session".to_owned(), ..message.clone() }),
            ("query", Message { query: message.query.replace("app", "admin"), ..message.clone() }),
            ("body", Message { body: b"{}".to_vec(), ..message.clone() }),
            ("host", with(&message, "host", |_| "elsewhere".to_owned())),
            ("certificate", with(&message, "x-amz-x509", |it| format!("{it}A"))),
            ("chain", with(&message, "x-amz-x509-chain", |_| "QQ==".to_owned())),
            ("algorithm", with(&message, "authorization", swapped)),
            ("signature", with(&message, "authorization", last)),
            (
                "upper case",
                with(&message, "authorization", |it| {
                    let (head, signature) = it.split_once("Signature=").expect("a signature");
                    format!("{head}Signature={}", signature.to_uppercase())
                }),
            ),
            (
                "empty",
                with(&message, "authorization", |it| {
                    let (head, _) = it.split_once("Signature=").expect("a signature");
                    format!("{head}Signature=")
                }),
            ),
            ("long", with(&message, "authorization", |it| format!("{it}{}", "00".repeat(1024)))),
        ];
        for (what, changed) in cases {
            assert_eq!(verify(&changed, &public_key), Err(Rejection::Mismatch), "{name}: {what}");
        }
    }
}

#[test]
fn forms_that_are_none() {
    let Vector { message, public_key, .. } = vector("p-256");
    let unsigned = |name: &str| {
        let (first, last) = (format!("{name};"), format!(";{name}"));
        with(&message, "authorization", |it| {
            it.replace(&first, "").replace(&format!("{last},"), ",")
        })
    };
    let mut twice = message.clone();
    twice.headers.push(("x-amz-x509".to_owned(), b"QQ==".to_vec()));
    let mut chains = message.clone();
    chains.headers.push(("x-amz-x509-chain".to_owned(), b"QQ==".to_vec()));
    let mut none = message.clone();
    none.headers.retain(|it| it.0 != "x-amz-x509");
    let mut bare = message.clone();
    bare.headers.retain(|it| it.0 != "authorization");
    let algorithm = |name: &'static str| {
        with(&message, "authorization", |it| it.replace("AWS4-X509-ECDSA-SHA256", name))
    };
    let cases = [
        (unsigned("x-amz-x509"), Rejection::Unsigned("x-amz-x509")),
        (unsigned("x-amz-x509-chain"), Rejection::Unsigned("x-amz-x509-chain")),
        (unsigned("x-amz-date"), Rejection::Unsigned("x-amz-date")),
        (unsigned("host"), Rejection::Unsigned("host")),
        (twice, Rejection::Certificate),
        (chains, Rejection::Certificate),
        (none, Rejection::Certificate),
        (bare, Rejection::Missing),
        (algorithm("AWS4-HMAC-SHA256"), Rejection::Algorithm("AWS4-HMAC-SHA256".to_owned())),
        (algorithm("AWS4-X509-SHA256"), Rejection::Algorithm("AWS4-X509-SHA256".to_owned())),
    ];
    for (changed, expected) in cases {
        assert_eq!(verify(&changed, &public_key), Err(expected));
    }
}

#[test]
fn good_for_five_minutes_either_way() {
    let Vector { message, public_key, .. } = vector("p-256");
    for (seconds, good) in [(-301, false), (-300, true), (300, true), (301, false)] {
        let at = Timestamp::from_secs(now().secs() + seconds);
        let found = verify_at(&message, &public_key, at);
        let skew = matches!(found, Err(Rejection::Early(_) | Rejection::Expired(_)));
        assert_eq!((found.is_ok(), skew), (good, !good), "{seconds}");
    }
}

#[test]
fn the_two_ways_to_sign_dont_mix() {
    let Vector { message, .. } = vector("p-256");
    let headers = message.headers();
    let request = Request {
        method: "POST",
        path: "/sessions",
        query: &message.query,
        headers: &headers,
        body_hash: body_hash(&message.body),
    };
    assert!(matches!(Presented::parse(&request), Err(Rejection::Algorithm(_))));
    let current = Presented::parse_certificate(&request).expect("complete").check_window(now(), 5);
    let scoped = current.expect("current").check_scope(&["rolesanywhere"], |_| true);
    let verified = scoped.expect("in scope").verify(&SigningKey::dummy());
    assert!(matches!(verified, Err(Rejection::Mismatch)));
}
