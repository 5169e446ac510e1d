//! Who is let in, and what the others are told: each row through the front door.

use base::{Clock, Timestamp};
use serde_json::json;
use std::time::Duration;
use testkit::http::Answer;
use testkit::{Credentials, Signing, World};

/// A JSON service's answer to a request that was not taken as signed.
fn told(answer: &Answer) -> (u16, String, String) {
    let json = answer.json();
    let text =
        |name: &str| json.get(name).and_then(|it| it.as_str()).unwrap_or_default().to_owned();
    assert_eq!(answer.header("content-type"), Some("application/x-amz-json-1.1"));
    assert_eq!(answer.header("x-amzn-requestid").map(str::len), Some(36));
    assert_eq!(answer.header("date"), Some("Thu, 01 Jan 2026 00:00:00 GMT"));
    assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
    (answer.status, text("__type"), text("message"))
}

const INVALID: &str = "The security token included in the request is invalid.";
const MISMATCH: &str = "The request signature we calculated does not match the signature you \
    provided. Check your AWS Secret Access Key and signing method. Consult the service \
    documentation for details.";

#[tokio::test]
async fn signed_requests_are_answered() {
    let world = World::start().await;
    let token = "00000000-0000-4000-8000-000000000001";
    let input = json!({ "Name": "a", "SecretString": "value", "ClientRequestToken": token });
    let made = world.call("CreateSecret", input).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let read = world.call("GetSecretValue", json!({ "SecretId": "a" })).await;
    assert_eq!(read.json()["SecretString"], "value");
    for (name, expected) in [
        ("content-type", "application/x-amz-json-1.1"),
        ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("content-length", &read.body.len().to_string()),
    ] {
        assert_eq!(read.header(name), Some(expected), "{name}");
    }
    assert_eq!(read.header("x-amzn-requestid").map(str::len), Some(36));
    world.stop().await;
}

/// How a signature goes wrong.
type Bend = fn(&World, Signing<'_>) -> Vec<(&'static str, String)>;

const BODY: &[u8] = b"{}";

fn plain(world: &World) -> Vec<(&'static str, String)> {
    vec![
        ("host", world.address().to_string()),
        ("content-type", "application/x-amz-json-1.1".to_owned()),
        ("x-amz-target", "secretsmanager.ListSecrets".to_owned()),
    ]
}

fn signed(world: &World, signing: Signing<'_>) -> Vec<(&'static str, String)> {
    let mut headers = plain(world);
    headers.extend(signing.sign_over("/", &headers, BODY));
    headers
}

/// The headers with the `Authorization` changed.
fn with_authorization(
    world: &World,
    signing: Signing<'_>,
    change: impl Fn(&str) -> String,
) -> Vec<(&'static str, String)> {
    let mut headers = signed(world, signing);
    for (name, value) in &mut headers {
        if *name == "authorization" {
            *value = change(value);
        }
    }
    headers
}

#[tokio::test]
async fn what_is_wrong_is_told_exactly() {
    let world = World::start().await;
    let late: Bend = |world, signing| {
        let at = signing.at.minus(Duration::from_secs(301));
        signed(world, Signing { at, ..signing })
    };
    #[rustfmt::skip]
    let rows: Vec<(&str, Bend, &str, String)> = vec![
        ("no authorization", |world, _| plain(world),
            "MissingAuthenticationTokenException", "Missing Authentication Token".to_owned()),
        ("another scheme", |world, signing| with_authorization(world, signing, |_| "Bearer x".to_owned()),
            "IncompleteSignatureException", "Unsupported AWS 'algorithm': 'Bearer'.".to_owned()),
        ("no parts", |world, signing| with_authorization(world, signing, |_| "AWS4-HMAC-SHA256".to_owned()),
            "IncompleteSignatureException",
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' \
             parameter. Authorization header requires 'SignedHeaders' parameter. \
             Authorization=AWS4-HMAC-SHA256".to_owned()),
        ("no equal sign", |world, signing| with_authorization(world, signing, |_| "AWS4-HMAC-SHA256 X".to_owned()),
            "IncompleteSignatureException",
            "'X' not a valid key=value pair (missing equal-sign) in Authorization header: \
             'AWS4-HMAC-SHA256 X'".to_owned()),
        ("host unsigned", |world, signing| with_authorization(world, signing, |it| it.replace("host;", "")),
            "InvalidSignatureException",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.".to_owned()),
        ("target unsigned", |world, signing| with_authorization(world, signing, |it| it.replace(";x-amz-target", "")),
            "InvalidSignatureException",
            "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.".to_owned()),
        ("too late", late, "InvalidSignatureException",
            "Signature expired: 20251231T235459Z is now earlier than 20251231T235500Z \
             (20260101T000000Z - 5 min.)".to_owned()),
        ("too early", |world, signing| {
                let at = signing.at.plus(Duration::from_secs(301));
                signed(world, Signing { at, ..signing })
            }, "InvalidSignatureException",
            "Signature not yet current: 20260101T000501Z is still later than 20260101T000500Z \
             (20260101T000000Z + 5 min.)".to_owned()),
        ("another service", |world, signing| signed(world, Signing { service: "kms", ..signing }),
            "InvalidSignatureException",
            "Credential should be scoped to correct service: 'secretsmanager'. ".to_owned()),
        ("no Region", |world, signing| signed(world, Signing { region: "nowhere", ..signing }),
            "InvalidSignatureException",
            "Credential should be scoped to a valid region, not 'nowhere'. ".to_owned()),
        ("no scope", |world, signing| with_authorization(world, signing, |it| it.replace("/aws4_request", "")),
            "IncompleteSignatureException",
            format!("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, \
             got '{}/20260101/us-east-1/secretsmanager'", world.admin.access_key_id)),
        ("a session token", |world, signing| {
                let mut headers = plain(world);
                headers.push(("x-amz-security-token", "never one of ours".to_owned()));
                headers.extend(signing.sign_over("/", &headers, BODY));
                headers
            }, "UnrecognizedClientException", INVALID.to_owned()),
        ("another body", |world, signing| {
                let mut headers = plain(world);
                headers.extend(signing.sign_over("/", &headers, b"{ }"));
                headers
            }, "InvalidSignatureException", MISMATCH.to_owned()),
        ("another header", |world, signing| {
                let mut headers = signed(world, signing);
                headers[1].1 = "application/json".to_owned();
                headers
            }, "InvalidSignatureException", MISMATCH.to_owned()),
        ("upper-case hex", |world, signing| with_authorization(world, signing, |it| {
                let (rest, signature) = it.rsplit_once('=').expect("a signature");
                format!("{rest}={}", signature.to_uppercase())
            }), "InvalidSignatureException", MISMATCH.to_owned()),
    ];
    for (name, bend, code, message) in rows {
        let headers = bend(&world, world.signer(&world.admin, "secretsmanager"));
        let headers: Vec<_> = headers.iter().map(|it| (it.0, it.1.as_str())).collect();
        let answer = world.send(("POST", "/"), &headers, BODY).await;
        assert_eq!(told(&answer), (400, code.to_owned(), message), "{name}");
    }
    world.stop().await;
}

#[tokio::test]
async fn strangers_are_unknown_and_a_locked_out_key_is_a_stranger_at_once() {
    let world = World::start().await;
    let call = async |caller: &Credentials| {
        told_or_ok(&world.call_as(caller, "ListSecrets", json!({})).await)
    };
    let unknown = (400, "UnrecognizedClientException".to_owned(), INVALID.to_owned());

    let other = world.another_account().await;
    assert_eq!(call(&other).await.0, 200);
    let strangers = ["AKIAAAAAAAAAAAAAAAAA", "x", "admin.sock"].map(|id| Credentials {
        access_key_id: id.to_owned(),
        secret: "secret".to_owned().into(),
        account: String::new(),
    });
    for stranger in &strangers {
        assert_eq!(call(stranger).await, unknown, "{}", stranger.access_key_id);
    }
    let wrong = Credentials {
        access_key_id: world.admin.access_key_id.clone(),
        secret: "secret".to_owned().into(),
        account: String::new(),
    };
    let mismatch = (400, "InvalidSignatureException".to_owned(), MISMATCH.to_owned());
    assert_eq!(call(&wrong).await, mismatch);

    // Cached signing keys make no difference.
    let key = format!("/v1/access-keys/{}", other.access_key_id);
    for (act, expected) in
        [("deactivate", unknown.clone()), ("activate", (200, String::new(), String::new()))]
    {
        let changed = world.admin_api(("POST", &format!("{key}/{act}")), &json!({})).await;
        assert_eq!(changed.status, 200);
        assert_eq!(call(&other).await, expected, "{act}");
    }
    world.stop().await;
}

fn told_or_ok(answer: &Answer) -> (u16, String, String) {
    if answer.status == 200 { (200, String::new(), String::new()) } else { told(answer) }
}

#[tokio::test]
async fn an_unknown_key_with_a_stale_date_hears_of_the_date() {
    let world = World::start().await;
    let stranger = Credentials {
        access_key_id: "AKIAAAAAAAAAAAAAAAAA".to_owned(),
        secret: "secret".to_owned().into(),
        account: String::new(),
    };
    let signing = world.signer(&stranger, "secretsmanager");
    let at = Timestamp::from_secs(signing.at.secs() - 3600);
    let headers = signed(&world, Signing { at, ..signing });
    let headers: Vec<_> = headers.iter().map(|it| (it.0, it.1.as_str())).collect();
    let (_, code, message) = told(&world.send(("POST", "/"), &headers, BODY).await);
    assert_eq!(code, "InvalidSignatureException");
    assert!(message.starts_with("Signature expired: "), "{message}");
    world.stop().await;
}

#[tokio::test]
async fn presigned_requests_are_answered_while_they_last() {
    let world = World::start().await;
    let presigned = |lifetime| {
        let headers = plain(&world);
        let signing = world.signer(&world.admin, "secretsmanager");
        (format!("/?{}", signing.presign(("POST", "/"), &headers, lifetime)), headers)
    };
    // Presigning covers the empty body.
    for (lifetime, after, expected) in
        [(60, 0, 200), (60, 61, 400), (3600, 299, 200), (3600, 301, 400)]
    {
        let (target, headers) = presigned(lifetime);
        let headers: Vec<_> = headers.iter().map(|it| (it.0, it.1.as_str())).collect();
        world.clock.advance(Duration::from_secs(after));
        let answer = world.send(("POST", &target), &headers, b"").await;
        assert_eq!(answer.status, expected, "{lifetime} after {after}: {}", answer.text());
        if expected == 400 {
            assert_eq!(answer.json()["__type"], "InvalidSignatureException");
        }
        let changed = target.replace("X-Amz-Expires=", "X-Amz-Expires=1");
        let answer = world.send(("POST", &changed), &headers, b"").await;
        assert_eq!(answer.json()["__type"], "InvalidSignatureException", "{}", answer.text());
    }
    world.stop().await;
}

#[tokio::test]
async fn only_configured_regions_may_be_signed_for() {
    let world = World::start_with(|config| {
        config.server.regions = vec!["eu-central-1".parse().expect("valid")];
    })
    .await;
    let signing = world.signer(&world.admin, "secretsmanager");
    for (region, status) in [("eu-central-1", 200), ("us-east-1", 400)] {
        let headers = signed(&world, Signing { region, ..signing });
        let headers: Vec<_> = headers.iter().map(|it| (it.0, it.1.as_str())).collect();
        let answer = world.send(("POST", "/"), &headers, BODY).await;
        assert_eq!(answer.status, status, "{region}: {}", answer.text());
    }
    world.stop().await;
}

#[tokio::test]
async fn a_proxy_may_change_the_host_where_that_is_configured() {
    let world = World::start_with(|config| {
        config.server.canonical_hosts =
            vec!["a.example.com".to_owned(), "b.example.com".to_owned()];
    })
    .await;
    let signing = world.signer(&world.admin, "secretsmanager");
    for (host, status) in [("a.example.com", 200), ("b.example.com", 200), ("c.example.com", 400)] {
        let mut headers = plain(&world);
        headers[0].1 = host.to_owned();
        headers.extend(signing.sign_over("/", &headers, BODY));
        headers[0].1 = world.address().to_string();
        let headers: Vec<_> = headers.iter().map(|it| (it.0, it.1.as_str())).collect();
        let answer = world.send(("POST", "/"), &headers, BODY).await;
        assert_eq!(answer.status, status, "{host}: {}", answer.text());
    }
    world.stop().await;
}

#[tokio::test]
async fn the_target_comes_first() {
    let world = World::start().await;
    let host = world.address().to_string();
    let target = |it: &'static str| vec![("host", host.as_str()), ("x-amz-target", it)];
    for (method, headers, status, body) in [
        ("POST", target("secretsmanager.Nope"), 400, r#"{"__type":"UnknownOperationException"}"#),
        ("POST", target("TrentService.Sign"), 400, r#"{"__type":"UnknownOperationException"}"#),
        ("POST", vec![("host", &*host)], 400, r#"{"__type":"UnknownOperationException"}"#),
        ("GET", target("secretsmanager.ListSecrets"), 405, ""),
        ("GET", vec![("host", &*host)], 405, ""),
        ("DELETE", vec![("host", &*host)], 405, ""),
    ] {
        let answer = world.send((method, "/"), &headers, b"").await;
        assert_eq!((answer.status, answer.text().as_str()), (status, body), "{method} {headers:?}");
    }
    assert!(world.clock.now() > Timestamp::default());
    world.stop().await;
}

#[tokio::test]
async fn a_broken_path_gets_a_bare_answer() {
    let world = World::start().await;
    let headers = signed(&world, world.signer(&world.admin, "secretsmanager"));
    let headers: Vec<_> = headers.iter().map(|it| (it.0, it.1.as_str())).collect();
    let answer = world.send(("POST", "/?a=%zz"), &headers, BODY).await;
    let expected = (
        400,
        "MalformedQueryStringException".to_owned(),
        "Illegal hex character in escape % pattern: %zz".to_owned(),
    );
    assert_eq!(told(&answer), expected);
    world.stop().await;
}
