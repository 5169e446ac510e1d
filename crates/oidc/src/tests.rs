//! Tokens as issuers, and others, make them.

use crate::testing::{Pair, base64};
use crate::{Checked, Claim, Identity, Issuer, Keys, Presented, Rejection, Verified};
use aws_lc_rs::hmac;
use base::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;

const NOW: i64 = 1_769_853_600;
const ISSUER: &str = "https://id.example.org/x";
static RSA: LazyLock<Pair> = LazyLock::new(|| Pair::generate("RS256"));

fn keys(written: &[Value]) -> Keys {
    Keys::parse(json!({ "keys": written }).to_string().as_bytes()).expect("a set of keys")
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "system:serviceaccount:shop:web", "aud": "sts.amazonaws.com",
        "iat": NOW, "exp": NOW + 3600,
    })
}

/// The claims above, but with `changed` in place of those that are there; `null` takes one away.
fn with(changed: &Value) -> String {
    let mut claims = claims();
    let members = claims.as_object_mut().expect("an object");
    for (name, value) in changed.as_object().expect("an object").clone() {
        if value.is_null() {
            members.remove(&name);
        } else {
            members.insert(name, value);
        }
    }
    claims.to_string()
}

fn checked(token: &str) -> Result<Checked, Rejection> {
    let issuer = Issuer::parse(ISSUER).expect("valid");
    let audiences = ["sts.amazonaws.com".to_owned(), "vault".to_owned()];
    Presented::parse(token)?.check(&issuer, &audiences, Timestamp::from_secs(NOW))
}

fn verified(token: &str, keys: &Keys) -> Result<Verified, Rejection> {
    checked(token)?.verify(keys)
}

fn identity(claims: &str) -> Result<Identity, Rejection> {
    let token = RSA.token("RS256", r#"{"alg":"RS256","kid":"1"}"#, claims);
    verified(&token, &keys(&[RSA.public("1")])).map(|it| it.identity().clone())
}

#[test]
fn every_scheme_that_is_taken() {
    let schemes =
        ["ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"];
    for alg in schemes {
        let other;
        let pair = if alg.starts_with(['P', 'R']) {
            &*RSA
        } else {
            other = Pair::generate(alg);
            &other
        };
        let header = format!(r#"{{"alg":"{alg}","kid":"a"}}"#);
        let token = pair.token(alg, &header, &claims().to_string());
        let found = verified(&token, &keys(&[RSA.public("z"), pair.public("a")]));
        assert!(found.is_ok(), "{alg}: {found:?}");
        // A key that says what it is for is for nothing else.
        for (stated, expected) in [(alg, None), ("RS999", Some(Rejection::UnknownKey))] {
            let mut public = pair.public("a");
            public["alg"] = stated.into();
            assert_eq!(verified(&token, &keys(&[public])).err(), expected, "{alg} as {stated}");
        }
        let other_scheme = if alg == "RS512" { "PS512" } else { "RS512" };
        let mut public = pair.public("a");
        public["alg"] = other_scheme.into();
        let found = verified(&token, &keys(&[public])).err();
        assert_eq!(found, Some(Rejection::UnknownKey), "{alg} as {other_scheme}");
        let (body, signature) = token.rsplit_once('.').expect("three parts");
        let changed = with(&json!({ "sub": "system:serviceaccount:shop:root" }));
        let forged = format!(
            "{}.{}.{signature}",
            body.split('.').next().expect("a header"),
            base64(changed)
        );
        let keys = keys(&[pair.public("a")]);
        assert_eq!(verified(&forged, &keys).err(), Some(Rejection::Signature), "{alg}");
    }
}

#[test]
fn no_key_signs_by_another_scheme_than_its_own() {
    let claims = claims().to_string();
    let set = keys(&[RSA.public("1")]);
    let public = RSA.public("1")["n"].as_str().expect("a modulus").to_owned();
    let shared = |alg: &str, secret: &[u8]| {
        let header = base64(format!(r#"{{"alg":"{alg}","kid":"1"}}"#));
        let message = format!("{header}.{}", base64(&claims));
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        format!("{message}.{}", base64(hmac::sign(&key, message.as_bytes())))
    };
    let unsigned = |alg: &str, signature: &str| {
        let header = base64(format!(r#"{{"alg":"{alg}"}}"#));
        format!("{header}.{}.{signature}", base64(&claims))
    };
    for (token, expected) in [
        (shared("HS256", public.as_bytes()), Rejection::Shape),
        (shared("RS256", public.as_bytes()), Rejection::Signature),
        (shared("ES256", public.as_bytes()), Rejection::UnknownKey),
        (unsigned("none", ""), Rejection::Shape),
        (unsigned("none", "x"), Rejection::Shape),
        (unsigned("None", "x"), Rejection::Shape),
        (unsigned("RS256", ""), Rejection::Shape),
        (unsigned("RS256", "AAAA"), Rejection::Signature),
        (unsigned("EdDSA", "AAAA"), Rejection::UnknownKey),
        (RSA.token("RS384", r#"{"alg":"RS256","kid":"1"}"#, &claims), Rejection::Signature),
        (RSA.token("PS256", r#"{"alg":"RS256","kid":"1"}"#, &claims), Rejection::Signature),
        (
            RSA.token("RS256", r#"{"alg":"RS256","kid":"1","crit":["b64"]}"#, &claims),
            Rejection::Shape,
        ),
        (RSA.token("RS256", r#"{"alg":"RS256","alg":"RS256"}"#, &claims), Rejection::Shape),
        (RSA.token("RS256", r#"{"alg":"RS256","kid":1}"#, &claims), Rejection::Shape),
        (RSA.token("RS256", r#"{"kid":"1"}"#, &claims), Rejection::Shape),
        (
            Pair::generate("RS256").token("RS256", r#"{"alg":"RS256","kid":"1"}"#, &claims),
            Rejection::Signature,
        ),
    ] {
        assert_eq!(verified(&token, &set).err(), Some(expected), "{token}");
    }
}

#[test]
fn keys_come_and_go() {
    let (old, new) = (&*RSA, Pair::generate("RS256"));
    let token = |pair: &Pair, header: &str| pair.token("RS256", header, &claims().to_string());
    let named = |id| format!(r#"{{"alg":"RS256","kid":"{id}"}}"#);
    let nameless = r#"{"alg":"RS256"}"#;
    let (before, after) = (keys(&[old.public("1")]), keys(&[old.public("1"), new.public("2")]));
    let mut anonymous = new.public("");
    anonymous.as_object_mut().expect("an object").remove("kid");
    let mut sealing = new.public("2");
    sealing["use"] = "enc".into();
    for (token, keys, expected) in [
        (token(&new, &named("2")), &before, Some(Rejection::UnknownKey)),
        (token(&new, &named("2")), &after, None),
        (token(&new, &named("1")), &after, Some(Rejection::Signature)),
        (token(old, &named("1")), &keys(&[new.public("2")]), Some(Rejection::UnknownKey)),
        (token(&new, nameless), &after, None),
        (token(&new, &named("2")), &keys(&[anonymous]), None),
        (token(&new, &named("2")), &keys(&[sealing]), Some(Rejection::UnknownKey)),
        (token(&new, &named("2")), &keys(&[]), Some(Rejection::UnknownKey)),
    ] {
        assert_eq!(verified(&token, keys).err(), expected, "{token}");
    }
}

#[test]
fn sets_of_keys_are_read_as_far_as_they_can_be() {
    let whole = RSA.public("1");
    for (document, expected) in [
        (json!({ "keys": [] }), Some(0)),
        (
            json!({ "keys": [whole, { "kty": "oct", "k": "AAAA" }, { "kty": "X" }, 7, null] }),
            Some(1),
        ),
        (json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }] }), Some(0)),
        (json!({ "keys": vec![whole.clone(); 200] }), Some(100)),
        (json!({ "keys": {} }), None),
        (json!([]), None),
    ] {
        let found = Keys::parse(document.to_string().as_bytes()).ok().map(|it| it.len());
        assert_eq!(found, expected, "{document}");
    }
    let huge = json!({ "keys": [], "x": "x".repeat(Keys::MAX_LEN) }).to_string();
    assert!(Keys::parse(huge.as_bytes()).is_err());
}

#[test]
fn claims_keep_to_the_rules() {
    use Rejection::{Audience, Claim as Bad, Early, Expired, Missing, Old};
    #[rustfmt::skip]
    let cases = [
        (json!({}),                                           None),
        (json!({ "iss": "https://id.example.org/x/" }),       Some(Bad("iss"))),
        (json!({ "iss": "https://ID.example.org/x" }),        Some(Bad("iss"))),
        (json!({ "iss": null }),                              Some(Missing("iss"))),
        (json!({ "iss": 7 }),                                 Some(Bad("iss"))),
        (json!({ "sub": null }),                              Some(Missing("sub"))),
        (json!({ "sub": "" }),                                Some(Bad("sub"))),
        (json!({ "sub": ["a"] }),                             Some(Bad("sub"))),
        (json!({ "sub": "x".repeat(1025) }),                  Some(Bad("sub"))),
        (json!({ "exp": null }),                              Some(Missing("exp"))),
        (json!({ "exp": "1769857200" }),                      Some(Bad("exp"))),
        (json!({ "exp": 1e300 }),                             Some(Bad("exp"))),
        (json!({ "exp": NOW - 299 }),                         None),
        (json!({ "exp": NOW - 300 }),                         Some(Expired { now: NOW, expired: NOW - 300 })),
        (json!({ "exp": -1 }),                                Some(Expired { now: NOW, expired: -1 })),
        (json!({ "exp": 1_769_857_200.5 }),                   None),
        (json!({ "iat": null }),                              Some(Missing("iat"))),
        (json!({ "iat": NOW + 300 }),                         None),
        (json!({ "iat": NOW + 301 }),                         Some(Early("iat"))),
        (json!({ "iat": NOW - 86_700 }),                      None),
        (json!({ "iat": NOW - 86_701 }),                      Some(Old(86_701))),
        (json!({ "iat": i64::MIN }),                          Some(Old(i64::MAX))),
        (json!({ "nbf": NOW + 300 }),                         None),
        (json!({ "nbf": NOW + 301 }),                         Some(Early("nbf"))),
        (json!({ "nbf": "soon" }),                            Some(Bad("nbf"))),
        (json!({ "aud": null }),                              Some(Missing("aud"))),
        (json!({ "aud": "other" }),                           Some(Audience)),
        (json!({ "aud": "STS.amazonaws.com" }),               Some(Audience)),
        (json!({ "aud": [] }),                                Some(Audience)),
        (json!({ "aud": ["other", 7] }),                      Some(Bad("aud"))),
        (json!({ "aud": ["other", "vault"] }),                None),
        (json!({ "aud": "other", "azp": "vault" }),           None),
        (json!({ "aud": "other", "azp": ["vault"] }),         Some(Bad("azp"))),
        // The time comes before the audience.
        (json!({ "aud": "other", "exp": 0 }),                 Some(Expired { now: NOW, expired: 0 })),
        (json!({ "https://aws.amazon.com/tags": [] }),        Some(Bad("https://aws.amazon.com/tags"))),
        (json!({ "https://aws.amazon.com/tags": { "principal_tags": { "a": ["b", "c"] } } }), Some(Bad("https://aws.amazon.com/tags"))),
        (json!({ "https://aws.amazon.com/source_identity": "a b" }), Some(Bad("https://aws.amazon.com/source_identity"))),
        (json!({ "https://aws.amazon.com/source_identity": "a" }),   Some(Bad("https://aws.amazon.com/source_identity"))),
    ];
    for (changed, expected) in cases {
        let found = identity(&with(&changed)).err();
        assert_eq!(found, expected, "{changed}");
    }
    let twice = claims().to_string().replacen('{', r#"{"sub":"root","#, 1);
    assert_eq!(identity(&twice).err(), Some(Rejection::Shape));
}

#[test]
fn what_is_known_of_somebody() {
    let it = identity(&with(&json!({
        "aud": ["other", "vault"], "azp": "desk", "amr": ["pwd", "otp"], "admin": true, "level": 7,
        "Team": "a", "team": "b", "SUB": "root", "nested": { "x": 1 }, "mixed": ["a", {}], "actor_ID": "9",
        "https://aws.amazon.com/source_identity": "ada",
        "https://aws.amazon.com/tags": {
            "principal_tags": { "project": ["x"], "cost": "y" }, "transitive_tag_keys": ["project"],
        },
        "https://aws.amazon.com/tags/principal_tags/flat": "z",
    })))
    .expect("good");
    let one = |text: &str| vec![Claim::One(text.to_owned())];
    let many = |texts: [&str; 2]| vec![Claim::Many(texts.map(str::to_owned).to_vec())];
    for (name, expected) in [
        ("sub", one("system:serviceaccount:shop:web")),
        ("aud", one("desk")),
        ("oaud", many(["other", "vault"])),
        ("azp", one("desk")),
        ("amr", many(["pwd", "otp"])),
        ("admin", one("true")),
        ("level", one("7")),
        ("actor_id", one("9")),
        ("team", [one("a"), one("b")].concat()), // which of the two?
        ("nested", vec![]),
        ("mixed", vec![]),
        ("absent", vec![]),
    ] {
        assert_eq!(it.claims(name).into_iter().cloned().collect::<Vec<_>>(), expected, "{name}");
    }
    assert_eq!((it.issuer.as_str(), it.audience.as_str()), ("id.example.org/x", "desk"));
    assert_eq!(it.source_identity.as_deref(), Some("ada"));
    let tags: Vec<_> = it.tags.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(tags, ["cost=y", "project=x", "flat=z"]);
    assert_eq!(it.transitive, ["project"]);
}

#[test]
fn giants_are_not_looked_into() {
    let whole = claims().to_string();
    let header = r#"{"alg":"RS256","kid":"1"}"#;
    let padding = "x".repeat(Presented::MAX_LEN);
    let huge =
        RSA.token("RS256", header, &whole.replacen('{', &format!(r#"{{"x":"{padding}","#), 1));
    let deep = format!("{}{}", "[".repeat(4000), "]".repeat(4000));
    let deep = RSA.token("RS256", header, &whole.replacen('{', &format!(r#"{{"x":{deep},"#), 1));
    for token in
        [huge, deep, ".".repeat(20_000), "a.b".to_owned(), "a.b.c.d".to_owned(), String::new()]
    {
        assert_eq!(Presented::parse(&token).err(), Some(Rejection::Shape));
    }
}

#[test]
fn nothing_prints_a_token() {
    let token = RSA.token("RS256", r#"{"alg":"RS256","kid":"1"}"#, &claims().to_string());
    let secret = token.rsplit('.').next().expect("a signature");
    let presented = Presented::parse(&token).expect("a token");
    assert!(!format!("{presented:?}").contains(secret));
    assert!(!format!("{:?}", checked(&token)).contains(secret));
}

proptest! {
    #[test]
    fn any_text_is_taken(text: String) {
        let _either = Presented::parse(&text);
    }

    #[test]
    fn any_document_is_taken(bytes: Vec<u8>) {
        let _either = Keys::parse(&bytes);
    }

    #[test]
    fn any_claims_are_taken(name in "[a-z]{1,4}", value: i64, text: String) {
        let changed = json!({ (name.clone()): value, "sub": text, "exp": value, "nbf": value });
        let _either = identity(&with(&changed));
    }

    /// No single changed byte leaves a token that is still good.
    #[test]
    fn a_changed_token_is_no_longer_good(place in 0..1000_usize, letter in "[A-Za-z0-9_.-]") {
        let mut token = RSA.token("RS256", r#"{"alg":"RS256","kid":"1"}"#, &claims().to_string());
        let place = place % token.len();
        prop_assume!(token[place..=place] != letter);
        token.replace_range(place..=place, &letter);
        prop_assert!(verified(&token, &keys(&[RSA.public("1")])).is_err());
    }
}
