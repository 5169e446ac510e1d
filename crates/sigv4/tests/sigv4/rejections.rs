//! Each way to be refused, with the exact text and status of both protocols, in AWS's order.

use crate::message::{Caller, Message};
use base::{Sensitive, Timestamp};
use strongroom_sigv4::{Presented, Rejection, SigningKey};

type Change = fn(&mut Message);
/// Status and code of the query protocol, type of the JSON protocol.
type Codes = (u16, &'static str, &'static str);

const MISMATCH: &str = "The request signature we calculated does not match the signature you \
    provided. Check your AWS Secret Access Key and signing method. Consult the service \
    documentation for details.";

/// A signed call that is changed by `change` afterwards, judged with 5 minutes of tolerance.
fn judge(change: impl FnOnce(&mut Message)) -> Result<(), Rejection> {
    let mut message = Message::call();
    message.sign(&Caller::new());
    change(&mut message);
    message.verify(&Caller::new(), 5).map(drop)
}

/// A presigned request that is changed by `change` afterwards.
fn judge_presigned(change: impl FnOnce(&mut Message)) -> Result<(), Rejection> {
    let mut message = Message::read("GET /?Action=GetCallerIdentity HTTP/1.1\nHost:sts.local\n\n");
    message.presign(&Caller::new(), 60);
    change(&mut message);
    message.verify(&Caller::new(), 5).map(drop)
}

/// Status, code and message of the query protocol.
fn query(rejection: &Rejection) -> (u16, &'static str, String) {
    let answer = rejection.query();
    (answer.status, answer.code, answer.message)
}

/// Status, type and message of the JSON protocol.
fn json(rejection: &Rejection) -> (u16, &'static str, String) {
    let answer = rejection.json();
    (answer.status, answer.code, answer.message)
}

#[test]
fn unchanged_is_accepted() {
    assert_eq!(judge(|_| ()), Ok(()));
    assert_eq!(judge_presigned(|_| ()), Ok(()));
}

#[test]
fn each_row_of_the_table_for_headers() {
    const INCOMPLETE: Codes = (400, "IncompleteSignature", "IncompleteSignatureException");
    const UNMATCHED: Codes = (403, "SignatureDoesNotMatch", "InvalidSignatureException");
    let cases: [(&str, Change, Codes, &str); 24] = [
        (
            "4, cut escape",
            |it| it.query = "a=%4".into(),
            (400, "MalformedQueryString", "MalformedQueryStringException"),
            "Incomplete trailing escape % sequence",
        ),
        (
            "4, illegal escape",
            |it| it.query = "a=%4x".into(),
            (400, "MalformedQueryString", "MalformedQueryStringException"),
            "Illegal hex character in escape % pattern: %4x",
        ),
        ("5, both", |it| it.query = "X-Amz-Algorithm=AWS4-HMAC-SHA256".into(), UNMATCHED, ""),
        (
            "6a",
            |it| it.set("authorization", "Basic dXNlcjpwYXNzd29yZA=="),
            INCOMPLETE,
            "Unsupported AWS 'algorithm': 'Basic'.",
        ),
        (
            "6a, SigV4a",
            |it| it.reword("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
            INCOMPLETE,
            "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'.",
        ),
        (
            "6a, empty",
            |it| it.set("authorization", ""),
            INCOMPLETE,
            "Unsupported AWS 'algorithm': ''.",
        ),
        (
            "6b",
            |it| it.set("authorization", "AWS4-HMAC-SHA256 Credential=a, b, c"),
            INCOMPLETE,
            "'b' not a valid key=value pair (missing equal-sign) in Authorization header: \
             'AWS4-HMAC-SHA256 Credential=a, b, c'",
        ),
        (
            "6d, all",
            |it| {
                it.set("authorization", "AWS4-HMAC-SHA256");
                it.remove("x-amz-date");
            },
            INCOMPLETE,
            "Authorization header requires 'Credential' parameter. \
             Authorization header requires 'Signature' parameter. \
             Authorization header requires 'SignedHeaders' parameter. \
             Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. \
             Authorization=AWS4-HMAC-SHA256",
        ),
        (
            "6d, one",
            |it| it.reword(" Signature=", " Signed="),
            INCOMPLETE,
            "Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256",
        ),
        (
            "8",
            |it| it.reword(";host;", ";"),
            UNMATCHED,
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            "8, target",
            |it| it.reword(";x-amz-target", ""),
            UNMATCHED,
            "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            "8, date",
            |it| it.reword(";x-amz-date", ""),
            UNMATCHED,
            "'x-amz-date' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            "8, token",
            |it| it.add("x-amz-security-token", "t"),
            UNMATCHED,
            "'x-amz-security-token' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            "8, body",
            |it| it.add("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
            UNMATCHED,
            "'x-amz-content-sha256' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            "9",
            |it| it.set("x-amz-date", "Sun, 30 Aug 2015 12:36:00 GMT"),
            INCOMPLETE,
            "Date must be in ISO-8601 'basic format'. Got 'Sun, 30 Aug 2015 12:36:00 GMT'. \
             See http://en.wikipedia.org/wiki/ISO_8601",
        ),
        (
            "10",
            |it| it.set("x-amz-date", "20150830T123059Z"),
            UNMATCHED,
            "Signature expired: 20150830T123059Z is now earlier than 20150830T123100Z \
             (20150830T123600Z - 5 min.)",
        ),
        (
            "11",
            |it| it.set("x-amz-date", "20150830T124101Z"),
            UNMATCHED,
            "Signature not yet current: 20150830T124101Z is still later than 20150830T124100Z \
             (20150830T123600Z + 5 min.)",
        ),
        (
            "12",
            |it| it.reword("/aws4_request", ""),
            INCOMPLETE,
            "Credential must have exactly 5 slash-delimited elements, \
             e.g. keyid/date/region/service/term, \
             got 'AKIDEXAMPLE/20150830/us-east-1/secretsmanager'",
        ),
        (
            "12, six",
            |it| it.reword("AKIDEXAMPLE/", "A/B/"),
            INCOMPLETE,
            "Credential must have exactly 5 slash-delimited elements, \
             e.g. keyid/date/region/service/term, \
             got 'A/B/20150830/us-east-1/secretsmanager/aws4_request'",
        ),
        (
            "13, service",
            |it| it.reword("/secretsmanager/", "/kms/"),
            UNMATCHED,
            "Credential should be scoped to correct service: 'secretsmanager'. ",
        ),
        (
            "13, date",
            |it| it.reword("/20150830/", "/20150829/"),
            UNMATCHED,
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from \
             HTTP: '20150829' != '20150830', from '20150830T123600Z'.",
        ),
        (
            "13, all",
            |it| it.reword("/20150830/us-east-1/secretsmanager/aws4_request", "/1/2/3/4"),
            UNMATCHED,
            "Credential should be scoped to a valid region, not '2'. \
             Credential should be scoped to correct service: 'secretsmanager'. \
             Credential should be scoped with a valid terminator: 'aws4_request', not '4'. \
             Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from \
             HTTP: '1' != '20150830', from '20150830T123600Z'.",
        ),
        ("16, body", |it| it.body.push(b' '), UNMATCHED, MISMATCH),
        ("16, date", |it| it.set("x-amz-date", "20150830T123601Z"), UNMATCHED, MISMATCH),
    ];
    for (row, change, (status, code, kind), message) in cases {
        let rejection = judge(change).expect_err(row);
        assert_eq!(query(&rejection), (status, code, message.into()), "{row}");
        assert_eq!(json(&rejection), (400, kind, message.into()), "{row}");
    }
}

#[test]
fn each_row_of_the_table_for_presigned_requests() {
    let without = |it: &mut Message, names: &[&str]| {
        let kept = it.query.split('&').filter(|it| !names.iter().any(|name| it.starts_with(name)));
        it.query = kept.collect::<Vec<_>>().join("&");
    };
    let parts = ["X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"];
    let all = judge_presigned(|it| without(it, &parts)).expect_err("7d");
    let message = "AWS query-string parameters must include 'X-Amz-Credential'. \
        AWS query-string parameters must include 'X-Amz-Signature'. \
        AWS query-string parameters must include 'X-Amz-SignedHeaders'. \
        AWS query-string parameters must include 'X-Amz-Date'. \
        Re-examine the query-string parameters.";
    assert_eq!(query(&all), (400, "IncompleteSignature", message.into()));
    for part in parts {
        let one = judge_presigned(|it| without(it, &[part]));
        assert_eq!(one, Err(Rejection::IncompleteQuery(vec![part])));
    }

    let cases: [(&str, Change, Rejection); 6] = [
        ("7a", |it| it.query = it.query.replace("HMAC-SHA256", "HMAC"), Rejection::Missing),
        (
            "8",
            |it| it.query = it.query.replace("SignedHeaders=host", "SignedHeaders=hose"),
            Rejection::Unsigned("host"),
        ),
        (
            "8, a header added to what was presigned",
            |it| it.add("x-amz-target", "secretsmanager.DeleteSecret"),
            Rejection::Unsigned("x-amz-target"),
        ),
        (
            "9",
            |it| it.query = it.query.replace("Date=2", "Date=x"),
            Rejection::Date("x0150830T123600Z".into()),
        ),
        ("16", |it| it.query = it.query.replace("Get", "Set"), Rejection::Mismatch),
        ("16, lifetime", |it| it.query = it.query.replace("s=60", "s=61"), Rejection::Mismatch),
    ];
    for (row, change, expected) in cases {
        assert_eq!(judge_presigned(change), Err(expected), "{row}");
    }
    for wrong in ["0", "604801", "-1", "", "1h", "99999999999999999999999", "%00", "+5", "%2B5"] {
        let changed = judge_presigned(|it| {
            it.query = it.query.replace("X-Amz-Expires=60", &format!("X-Amz-Expires={wrong}"));
        });
        assert!(matches!(changed, Err(Rejection::Expires(_))), "{wrong}: {changed:?}");
    }
}

/// What the caller of this crate finds out, and what has a different text in each protocol.
#[test]
fn rows_that_differ_by_protocol() {
    let invalid = "The security token included in the request is invalid";
    let with_period = format!("{invalid}.");
    let expired = "The security token included in the request is expired";
    for (rejection, in_query, in_json) in [
        (
            Rejection::Missing,
            (403, "MissingAuthenticationToken", "Request is missing Authentication Token"),
            ("MissingAuthenticationTokenException", "Missing Authentication Token"),
        ),
        (
            Rejection::InvalidToken,
            (403, "InvalidClientTokenId", invalid),
            ("UnrecognizedClientException", &with_period),
        ),
        (
            Rejection::ExpiredToken,
            (403, "ExpiredToken", expired),
            ("ExpiredTokenException", expired),
        ),
        (
            Rejection::UnknownKey,
            (403, "InvalidClientTokenId", &with_period),
            ("UnrecognizedClientException", &with_period),
        ),
        (Rejection::Path, (400, "", ""), ("", "")),
    ] {
        assert_eq!(query(&rejection), (in_query.0, in_query.1, in_query.2.into()));
        assert_eq!(json(&rejection), (400, in_json.0, in_json.1.into()));
    }
    assert_eq!(judge(|it| it.remove("authorization")), Err(Rejection::Missing));
    assert_eq!(judge(|it| it.path = "/../x".into()), Err(Rejection::Path));
}

#[test]
fn minutes_are_the_service_s() {
    let mut message = Message::call();
    let caller = Caller::new();
    message.sign(&caller);
    let later = |seconds: i64| {
        let now = Timestamp::from_millis(caller.now.millis() + seconds * 1000 + 999);
        Caller { now, ..Caller::new() }
    };
    assert!(message.verify(&later(300), 5).is_ok());
    assert!(message.verify(&later(301), 5).is_err());
    assert!(message.verify(&later(-300), 5).is_ok());
    assert!(message.verify(&later(-301), 5).is_err());
    assert!(message.verify(&later(360), 15).is_ok());
    let late = message.verify(&later(901), 15).expect_err("too old").query().message;
    assert!(late.ends_with("(20150830T125101Z - 15 min.)"), "{late}");
}

/// AWS speaks of the clock before it speaks of the credential, and of both before the key.
#[test]
fn order_of_checks() {
    let stale = |it: &mut Message| it.set("x-amz-date", "20150830T120000Z");
    let of_unknown_key = judge(|it| {
        it.reword("AKIDEXAMPLE", "AKIDUNKNOWN");
        stale(it);
    });
    assert!(matches!(of_unknown_key, Err(Rejection::Expired(_))), "{of_unknown_key:?}");
    let of_short_credential = judge(|it| {
        it.reword("/aws4_request", "");
        stale(it);
    });
    assert!(matches!(of_short_credential, Err(Rejection::Expired(_))), "{of_short_credential:?}");
    let of_undated = judge(|it| {
        it.reword(";host;", ";");
        it.set("x-amz-date", "yesterday");
    });
    assert_eq!(of_undated, Err(Rejection::Unsigned("host")));
    let of_wrong_body = judge(|it| {
        it.reword("/secretsmanager/", "/kms/");
        it.body.clear();
    });
    assert!(matches!(of_wrong_body, Err(Rejection::Scope(_))), "{of_wrong_body:?}");
}

#[test]
fn twice_the_same_part() {
    let cases: [(&str, Change, bool); 6] = [
        ("last part wins", |it| it.reword("Credential=", "Credential=x, Credential="), true),
        ("first part loses", |it| it.reword("/aws4_request", "/aws4_request, Credential=x"), false),
        ("first header wins", |it| it.add("authorization", "Basic x"), true),
        ("second header is not looked at", |it| it.headers.insert(0, basic()), false),
        ("a second date is not signed", |it| it.add("x-amz-date", "20150830T123600Z"), false),
        ("nor is a second target", |it| it.add("x-amz-target", "secretsmanager.X"), false),
    ];
    for (what, change, accepted) in cases {
        assert_eq!(judge(change).is_ok(), accepted, "{what}");
    }
    let first_wins = judge_presigned(|it| it.query += "&X-Amz-Signature=0");
    assert_eq!(first_wins, Ok(()));
    let first_loses = judge_presigned(|it| it.query.insert_str(0, "X-Amz-Signature=0&"));
    assert_eq!(first_loses, Err(Rejection::Mismatch));
}

fn basic() -> (String, Vec<u8>) {
    ("authorization".into(), "Basic x".into())
}

/// `Authorization` may be spelled in many ways; what it lists may not.
#[test]
fn spellings_of_the_header() {
    let cases: [(&str, Change, bool); 9] = [
        ("no spaces", |it| it.set("authorization", &header(it).replace(", ", ",")), true),
        ("more spaces", |it| it.set("authorization", &header(it).replace(", ", " ,  ")), true),
        ("empty parts", |it| it.set("authorization", &header(it).replace(", ", ",, , ")), true),
        ("unknown parts", |it| it.reword("Credential=", "Foo=bar, Credential="), true),
        ("extended date", |it| it.set("x-amz-date", "2015-08-30T12:36:00Z"), false),
        ("unsorted list", |it| it.reword("content-type;host;", "host;content-type;"), false),
        ("a name twice", |it| it.reword("content-type;host;", "content-type;host;host;"), false),
        ("an empty name", |it| it.reword("content-type;host;", ";content-type;host;"), false),
        ("a header that is absent", |it| it.reword(";host;", ";host;x-absent;"), false),
    ];
    for (what, change, accepted) in cases {
        let verdict = judge(change);
        assert!(
            if accepted { verdict.is_ok() } else { verdict == Err(Rejection::Mismatch) },
            "{what}"
        );
    }
    let upper = judge(|it| it.set("authorization", &header(it).replace(";host;", ";Host;")));
    assert_eq!(upper, Err(Rejection::Mismatch));
}

fn header(message: &Message) -> String {
    message.value("authorization").expect("signed").to_owned()
}

#[test]
fn a_signature_has_one_spelling() {
    let digits = |it: &Message| header(it).split_once("Signature=").expect("signed").1.to_owned();
    let mut letters = 0;
    let upper = judge(|it| {
        letters = digits(it).bytes().filter(u8::is_ascii_lowercase).count();
        it.reword(&digits(it), &digits(it).to_uppercase());
    });
    assert!(letters > 0);
    assert_eq!(upper, Err(Rejection::Mismatch));
    let changes: [fn(String) -> String; 3] =
        [|it| it[..63].to_owned(), |it| it + "0", |_| String::new()];
    for change in changes {
        let verdict = judge(|it| it.reword(&digits(it), &change(digits(it))));
        assert_eq!(verdict, Err(Rejection::Mismatch));
    }
}

#[test]
fn the_date_header_stands_in() {
    let caller = Caller::new();
    let signed = |dates: &[(&str, &str)]| {
        let mut message = Message::call();
        for (name, value) in dates {
            message.add(name, value);
        }
        message.sign(&caller);
        message
    };
    // The signer adds `x-amz-date`, which counts before `date`.
    let mut both = signed(&[("date", "20140101T000000Z")]);
    assert!(both.verify(&caller, 5).is_ok());
    both.set("date", "20140101T000001Z");
    assert_eq!(both.verify(&caller, 5).map(drop), Err(Rejection::Mismatch));

    let mut only_date = signed(&[("date", "20150830T123600Z")]);
    only_date.remove("x-amz-date");
    only_date.reword(";x-amz-date", "");
    let verdict = only_date.scoped(&caller, 5, |it| Ok(it.signed_at()));
    assert_eq!(verdict, Ok(caller.now));
}

#[test]
fn the_promised_body_is_the_body() {
    let caller = Caller::new();
    let with_hash = |value: &str, body: &str| {
        let mut message = Message::call();
        message.body = body.into();
        message.add("x-amz-content-sha256", value);
        message.sign(&caller);
        message.verify(&caller, 5).map(drop)
    };
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(with_hash(empty, ""), Ok(()));
    for wrong in [
        &empty.to_uppercase(),
        "UNSIGNED-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "",
    ] {
        assert_eq!(with_hash(wrong, ""), Err(Rejection::Mismatch), "{wrong}");
    }
    assert_eq!(with_hash(empty, "body"), Err(Rejection::Mismatch));
}

#[test]
fn a_default_port_may_be_left_out_by_either_side() {
    for (signed, arrived, accepted) in [
        ("a.local", "a.local", true),
        ("a.local:443", "a.local:443", true),
        ("a.local", "a.local:443", true),
        ("a.local", "a.local:80", true),
        ("a.local", "a.local:4747", false),
        ("a.local:443", "a.local", false),
        ("a.local", "b.local:443", false),
        ("[::1]", "[::1]:443", true),
    ] {
        let mut message = Message::call();
        message.set("host", signed);
        message.sign(&Caller::new());
        message.set("host", arrived);
        let verdict = message.verify(&Caller::new(), 5);
        assert_eq!(verdict.is_ok(), accepted, "{signed} as {arrived}");
    }
}

#[test]
fn another_secret_and_the_dummy_look_alike() {
    let mut message = Message::call();
    let caller = Caller::new();
    message.sign(&caller);
    let other = Caller { secret: Sensitive::from("another".to_owned()), ..Caller::new() };
    let of_other = message.verify(&other, 5).map(drop);
    let of_dummy = message.scoped(&caller, 5, |it| it.verify(&SigningKey::dummy()).map(drop));
    assert_eq!((of_other, of_dummy), (Err(Rejection::Mismatch), Err(Rejection::Mismatch)));
    let of_unknown: Result<(), _> = message.scoped(&caller, 5, |it| Err(it.reject_unknown_key()));
    assert_eq!(of_unknown, Err(Rejection::UnknownKey));
}

#[test]
fn a_scoped_request_tells_what_it_was_signed_for() {
    let caller = Caller { session_token: Some("token/+=".into()), ..Caller::new() };
    let mut presigned = Message::read("GET / HTTP/1.1\nHost:sts.local\n\n");
    presigned.presign(&caller, 60);
    let mut signed = Message::call();
    signed.sign(&caller);
    for (message, lifetime) in [(presigned, Some(60)), (signed, None)] {
        let told = message.scoped(&caller, 5, |it| {
            assert_eq!((it.date(), it.region()), ("20150830", "us-east-1"));
            assert_eq!((it.service(), it.access_key_id()), ("secretsmanager", "AKIDEXAMPLE"));
            assert_eq!(it.session_token(), Some("token/+="));
            assert_eq!(it.signed_at(), caller.now);
            assert_eq!(it.is_presigned(), lifetime.is_some());
            assert_eq!(it.expires().map(|it| it.as_secs()), lifetime);
            assert!(!format!("{it:?}").contains("token/"));
            Ok(())
        });
        assert_eq!(told, Ok(()));
        assert!(message.verify(&caller, 5).is_ok());
    }
}

#[test]
fn a_lifetime_can_only_shorten_the_window() {
    let mut message = Message::read("GET / HTTP/1.1\nHost:sts.local\n\n");
    message.presign(&Caller::new(), 60);
    let headers = message.headers();
    let request = message.request(&headers);
    let at = |seconds| Timestamp::from_secs(Caller::new().now.secs() + seconds);
    let current = |now| Presented::parse(&request)?.check_window(now, 15);
    let late = |now| current(now).and_then(|it| it.check_lifetime(now));
    assert_eq!(late(at(60)), Ok(()));
    let expected = "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z \
        (20150830T123701Z - 1 min.)";
    assert_eq!(late(at(61)).expect_err("over").json().message, expected);
    assert!(current(at(900)).is_ok());
    assert!(current(at(901)).is_err());
}

/// Nothing a client sent, least of all a key, is in what goes to the log.
#[test]
fn display_repeats_nothing() {
    for rejection in [
        judge(|it| it.set("authorization", "canary")),
        judge(|it| it.set("authorization", "AWS4-HMAC-SHA256 canary")),
        judge(|it| it.set("x-amz-date", "canary")),
        judge(|it| it.reword("AKIDEXAMPLE", "canary/")),
        judge(|it| it.reword("/us-east-1/", "/canary/")),
        judge_presigned(|it| it.query = it.query.replace("Expires=60", "Expires=canary")),
    ] {
        let rejection = rejection.expect_err("changed");
        assert!(format!("{rejection:?}").contains("canary"));
        assert!(!rejection.to_string().contains("canary"), "{rejection}");
    }
}

#[test]
fn what_is_echoed_is_bounded() {
    let long = "x".repeat(100_000);
    for rejection in [
        judge(|it| it.set("authorization", &long)),
        judge(|it| it.set("authorization", &format!("AWS4-HMAC-SHA256 {long}"))),
        judge(|it| it.set("x-amz-date", &long)),
        judge(|it| it.reword("/us-east-1/", &format!("/{long}/{long}/"))),
        judge(|it| it.reword("/20150830/us-east-1/", &format!("/{long}/{long}/"))),
    ] {
        let message = rejection.expect_err("changed").query().message;
        assert!(message.len() < 3000, "{}", message.len());
    }
}
