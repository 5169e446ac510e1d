//! What holds for any request: what we sign verifies, and nothing panics.

use crate::message::{Caller, Message};
use proptest::collection::vec;
use proptest::prelude::*;
use strongroom_sigv4::{Presented, Rejection};

/// Any request a client could send, without the headers that signing adds.
fn message() -> impl Strategy<Value = Message> {
    let headers = vec(("x-h-[a-z0-9-]{1,8}", "[ -~\\t]{0,20}"), 0..6);
    let query = vec("[A-Za-z0-9._~+/:=\u{e4}-]{0,6}(%[0-9a-fA-F]{2}){0,2}", 0..5);
    let path = "(/[A-Za-z0-9._~:@ \u{1234}-]{0,6}(%[0-9a-fA-F]{2}){0,2}){0,4}";
    ("[A-Z]{3,7}", path, query, headers, vec(any::<u8>(), 0..40)).prop_map(
        |(method, path, query, headers, body)| {
            let mut message =
                Message { method, path, query: query.join("&"), headers: Vec::new(), body };
            message.add("host", "secrets.local:4747");
            message.add("content-type", "application/x-amz-json-1.1");
            for (name, value) in headers {
                message.add(&name, &value);
            }
            message
        },
    )
}

fn caller() -> impl Strategy<Value = Caller> {
    proptest::option::of("[A-Za-z0-9/+=]{1,60}")
        .prop_map(|session_token| Caller { session_token, ..Caller::new() })
}

proptest! {
    #[test]
    fn what_is_signed_verifies(message in message(), caller in caller(), lifetime in 1..=604_800u32) {
        let headers = message.headers();
        let is_path = !matches!(
            caller.signer().sign(&message.request(&headers)),
            Err(Rejection::Path),
        );
        prop_assume!(is_path); // it may climb above the root
        let mut signed = message.clone();
        signed.sign(&caller);
        prop_assert_eq!(signed.verify(&caller, 5).map(drop), Ok(()));

        let mut presigned = message;
        presigned.presign(&caller, lifetime);
        prop_assert_eq!(presigned.verify(&caller, 5).map(drop), Ok(()));
    }

    #[test]
    fn a_changed_body_never_verifies(message in message(), extra in vec(any::<u8>(), 1..4)) {
        let mut signed = message;
        signed.path = "/".into();
        signed.sign(&Caller::new());
        signed.body.extend(extra);
        let verdict = signed.verify(&Caller::new(), 5).map(drop);
        prop_assert_eq!(verdict, Err(Rejection::Mismatch));
    }

    #[test]
    fn no_authorization_header_panics(
        start in proptest::sample::select(vec!["", "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 Credential="]),
        rest in vec(any::<u8>(), 0..300),
        date in vec(any::<u8>(), 0..24),
    ) {
        let mut message = Message::call();
        message.headers.push(("authorization".into(), [start.as_bytes(), &rest].concat()));
        message.headers.push(("x-amz-date".into(), date));
        is_refused(&message);
    }

    /// The words of the grammar in any order reach further than random bytes do.
    #[test]
    fn no_words_of_the_header_panic(words in vec(proptest::sample::select(vec![
        "Credential", "SignedHeaders", "Signature", "=", ", ", ",", "/", ";", "host", "x-amz-date",
        "x-amz-target", "content-type", ":authority", "20150830", "us-east-1", "secretsmanager",
        "aws4_request", "AKID", "AKID/20150830/us-east-1/secretsmanager/aws4_request",
        "content-type;host;x-amz-date;x-amz-target", "é", " ", "%",
        "0000000000000000000000000000000000000000000000000000000000000000",
    ]), 0..24)) {
        let mut message = Message::call();
        message.add("x-amz-date", "20150830T123600Z");
        message.add("authorization", &format!("AWS4-HMAC-SHA256 {}", words.concat()));
        is_refused(&message);
    }

    #[test]
    fn no_uri_panics(path in "\\PC{0,60}", query in "\\PC{0,60}", algorithm in any::<bool>()) {
        let mut message = Message::call();
        message.path = path;
        message.query = if algorithm {
            format!("X-Amz-Algorithm=AWS4-HMAC-SHA256&{query}")
        } else {
            query
        };
        is_refused(&message);
    }
}

/// Takes `message` as far as it gets, and renders the answer.
fn is_refused(message: &Message) {
    let headers = message.headers();
    if let Ok(presented) = Presented::parse(&message.request(&headers)) {
        assert!(!format!("{presented:?}{}", presented.access_key_id()).is_empty());
    }
    let verdict = message.scoped(&Caller::new(), 5, |scoped| {
        assert!(!scoped.explain().is_empty());
        let key = strongroom_sigv4::SigningKey::derive(
            &Caller::new().secret,
            scoped.date(),
            scoped.region(),
            scoped.service(),
        );
        scoped.verify(&key)
    });
    let rejection = verdict.expect_err("random bytes are no signature");
    let answers = (rejection.json(), rejection.query(), rejection.to_string());
    assert!(answers.0.status == 400 && !answers.2.is_empty());
}
