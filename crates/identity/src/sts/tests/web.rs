//! Who comes with a token: statements 104–106, and the rules behind them.

use super::desk::{Answered, Desk, Who, form};
use crate::oidc_provider::{self, OidcProvider};
use crate::session::tests::{NOW, account};
use crate::sts::{Applicant, Error};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base::SystemEntropy;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oidc::{Issuer, Keys};
use serde_json::{Value, json};
use service::{Access, Fault};

const ISSUER: &str = "https://id.example.org/Shop";
const APP: &str = "arn:aws:iam::111122223333:role/app";
const PROVIDER: &str = "arn:aws:iam::111122223333:oidc-provider/id.example.org/Shop";
const WEB: (&str, u16) = ("AccessDenied", 403);
const STRANGER: &str = "Not authorized to perform sts:AssumeRoleWithWebIdentity";

/// A desk, and an issuer that its first account knows.
struct Shop {
    desk: Desk,
    pair: Ed25519KeyPair,
}

impl Shop {
    async fn open(trust: &str) -> Self {
        let shop =
            Self { desk: Desk::new().await, pair: Ed25519KeyPair::generate().expect("generated") };
        shop.desk.role(("/", "app"), trust, |_| ()).await;
        let issuer = Issuer::parse(ISSUER).expect("valid");
        let audiences = vec!["sts.amazonaws.com".to_owned()];
        let new = OidcProvider { audiences, ..OidcProvider::new(&account(), &issuer, NOW) };
        let mut txn = store::begin(&shop.desk.house.backend);
        oidc_provider::save(&mut txn, &account(), &new, &SystemEntropy).expect("saved");
        txn.commit().await.expect("committed");
        shop
    }

    fn token(&self, changed: &Value) -> String {
        let mut claims = json!({
            "iss": ISSUER, "sub": "system:serviceaccount:shop:web", "aud": "sts.amazonaws.com",
            "iat": NOW.secs(), "exp": NOW.secs() + 600,
        });
        let members = claims.as_object_mut().expect("an object");
        members.extend(changed.as_object().expect("an object").clone());
        let part = |it: &[u8]| URL_SAFE_NO_PAD.encode(it);
        let (header, claims) = (part(br#"{"alg":"EdDSA"}"#), part(claims.to_string().as_bytes()));
        let message = format!("{header}.{claims}");
        let signature = self.pair.sign(message.as_bytes());
        format!("{message}.{}", part(signature.as_ref()))
    }

    /// What the front door does for a request with a token.
    async fn ask(&self, body: &str) -> Result<Answered, Error> {
        let x = URL_SAFE_NO_PAD.encode(self.pair.public_key());
        let keys = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": x }] }).to_string();
        let keys = Keys::parse(keys.as_bytes()).expect("keys");
        let mut txn = store::begin(&self.desk.house.backend);
        let known = Applicant::read(body.as_bytes())?.recognize(&mut txn, self.desk.now).await?;
        assert_eq!(known.issuer().as_str(), ISSUER);
        let (proof, caller) = known.verify(&keys)?;
        let who = Who { caller, access: Access::default() };
        Ok(self.desk.serve(proof, &who, "AssumeRoleWithWebIdentity", body).await)
    }

    async fn assume(&self, changed: &Value, more: &[(&str, &str)]) -> Result<Answered, Error> {
        let token = self.token(changed);
        let own = [("RoleArn", APP), ("RoleSessionName", "s1"), ("WebIdentityToken", &token)];
        // Of two with one name the first counts.
        self.ask(&form(&[more, &own].concat())).await
    }
}

/// A trust policy that lets tokens do `actions` under `condition`.
fn trusting(actions: &[&str], condition: &str) -> String {
    json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Federated": PROVIDER }, "Action": actions,
        "Condition": serde_json::from_str::<Value>(condition).expect("JSON"),
    }] })
    .to_string()
}

/// A trust policy that lets all tokens in but those whose `key` is `value`.
fn barring(key: &str, value: &str) -> String {
    let statement = |effect: &str, condition: Value| {
        json!({
            "Effect": effect, "Principal": { "Federated": PROVIDER }, "Action": ASSUME,
            "Condition": condition,
        })
    };
    let denied = statement("Deny", json!({ "StringEquals": { key: value } }));
    json!({ "Statement": [statement("Allow", json!({})), denied] }).to_string()
}

const ASSUME: &[&str] = &["sts:AssumeRoleWithWebIdentity"];
const ALL: &[&str] = &["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"];

/// Code, status and message of a refusal; `None` for credentials.
fn refusal(outcome: Result<Answered, Error>) -> Option<(String, u16, String)> {
    match outcome {
        Err(error) => {
            let code = error.code();
            Some((code.name.to_owned(), code.status, error.to_string()))
        }
        Ok(answered) if answered.status == 200 => None,
        Ok(answered) => {
            let (code, message) = answered.error();
            Some((code, answered.status, message))
        }
    }
}

#[tokio::test]
async fn a_token_becomes_a_session() {
    let condition = r#"{"StringEquals":{"ID.example.org/shop:sub":"system:serviceaccount:shop:web",
        "id.example.org/Shop:aud":"sts.amazonaws.com","sts:RoleSessionName":"s1",
        "aws:FederatedProvider":"arn:aws:iam::111122223333:oidc-provider/id.example.org/Shop"}}"#;
    let shop = Shop::open(&trusting(ASSUME, condition)).await;
    let answered = shop.assume(&json!({}), &[("DurationSeconds", "900")]).await.expect("known");
    assert_eq!(answered.status, 200, "{answered:?}");
    for (name, expected) in [
        ("SubjectFromWebIdentityToken", "system:serviceaccount:shop:web"),
        ("Audience", "sts.amazonaws.com"),
        ("Provider", PROVIDER),
        ("Arn", "arn:aws:sts::111122223333:assumed-role/app/s1"),
    ] {
        assert_eq!(answered.get(name).as_deref(), Some(expected), "{name}");
    }
    let session = shop.desk.session(&answered).await;
    let known = session.caller.session.expect("a session");
    assert_eq!(known.provider.as_deref(), Some(PROVIDER));
    assert_eq!(known.expires.secs() - known.issued.secs(), 900);
    assert!(!known.chained, "an hour is not the most");
}

#[tokio::test]
async fn the_record_tells_who_and_not_the_token() {
    let shop = Shop::open(&trusting(ASSUME, "{}")).await;
    shop.desk.records();
    shop.assume(&json!({}), &[]).await.expect("known");
    let records = shop.desk.records();
    let [record] = &records[..] else { panic!("{records:?}") };
    let principal = format!("{PROVIDER}:sts.amazonaws.com:system:serviceaccount:shop:web");
    let expected = json!({
        "type": "WebIdentityUser", "principalId": principal,
        "userName": "system:serviceaccount:shop:web", "identityProvider": PROVIDER,
    });
    assert_eq!(record["userIdentity"], expected);
    assert_eq!(record["eventName"], "AssumeRoleWithWebIdentity");
    assert_eq!(record["recipientAccountId"], "111122223333");
    assert_eq!(record["requestParameters"], json!({ "roleArn": APP, "roleSessionName": "s1" }));
    assert_eq!(record["responseElements"]["provider"], PROVIDER);
    let token = shop.token(&json!({}));
    for part in token.split('.') {
        assert!(!record.to_string().contains(part), "{record}");
    }
}

/// 104: whatever the trust policy doesn't say is refused, and looks alike.
#[tokio::test]
async fn the_trust_policy_decides() {
    let sub = |value: &str| format!(r#"{{"StringLike":{{"id.example.org/Shop:sub":"{value}"}}}}"#);
    let any = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:*"}}"#;
    let foreign = trusting(ASSUME, "{}").replace("id.example.org/Shop", "id.example.org/shop");
    let denied = Some((WEB.0.to_owned(), WEB.1, STRANGER.to_owned()));
    for (trust, changed, role, allowed) in [
        (trusting(ASSUME, &sub("system:serviceaccount:shop:*")), json!({}), APP, true),
        (trusting(ASSUME, &sub("system:serviceaccount:other:*")), json!({}), APP, false),
        (trusting(&["sts:AssumeRole"], "{}"), json!({}), APP, false),
        (any.to_owned(), json!({}), APP, false), // a provider must be named
        (foreign, json!({}), APP, false),        // another one, by a single letter
        (trusting(ASSUME, "{}"), json!({}), "arn:aws:iam::111122223333:role/none", false),
        (
            trusting(ASSUME, r#"{"ForAnyValue:StringEquals":{"id.example.org/shop:amr":"otp"}}"#),
            json!({ "amr": ["pwd", "otp"] }),
            APP,
            true,
        ),
        (
            trusting(ASSUME, r#"{"Bool":{"id.example.org/shop:admin":"true"}}"#),
            json!({ "admin": false }),
            APP,
            false,
        ),
        // A second spelling of a claim evades no denial, and gives nothing.
        (barring("id.example.org/Shop:team", "evil"), json!({ "team": "good" }), APP, true),
        (barring("id.example.org/Shop:team", "evil"), json!({ "team": "evil" }), APP, false),
        (
            barring("id.example.org/Shop:team", "evil"),
            json!({ "team": "evil", "TEAM": "good" }),
            APP,
            false,
        ),
        (
            barring("id.example.org/Shop:sub", "system:serviceaccount:shop:web"),
            json!({ "SUB": "good" }),
            APP,
            false,
        ),
        // What a token says has no other key than its issuer's.
        (
            trusting(ASSUME, r#"{"StringEquals":{"aws:sub":"x"}}"#),
            json!({ "aws:sub": "x" }),
            APP,
            false,
        ),
    ] {
        let shop = Shop::open(&trust).await;
        let found = refusal(shop.assume(&changed, &[("RoleArn", role)]).await);
        assert_eq!(found, if allowed { None } else { denied.clone() }, "{trust} {changed}");
    }
}

#[tokio::test]
async fn what_is_handed_over_must_be_allowed() {
    let given = json!({
        "https://aws.amazon.com/tags": {
            "principal_tags": { "project": ["x"] }, "transitive_tag_keys": ["project"],
        },
        "https://aws.amazon.com/source_identity": "ada",
    });
    let denied = |action: &str| {
        Some((WEB.0.to_owned(), WEB.1, format!("Not authorized to perform {action}")))
    };
    let tagged = r#"{"StringEquals":{"aws:RequestTag/project":"x","sts:SourceIdentity":"ada"},
        "ForAllValues:StringEquals":{"aws:TagKeys":["project"],"sts:TransitiveTagKeys":["project"]}}"#;
    for (trust, expected) in [
        (trusting(ASSUME, "{}"), denied("sts:TagSession")),
        (trusting(&ALL[..2], "{}"), denied("sts:SetSourceIdentity")),
        (trusting(ALL, &tagged.replace("\"x\"", "\"y\"")), denied(ASSUME[0])),
        (trusting(ALL, tagged), None),
    ] {
        let shop = Shop::open(&trust).await;
        assert_eq!(refusal(shop.assume(&given, &[]).await), expected, "{trust}");
    }
    let shop = Shop::open(&trusting(ALL, "{}")).await;
    let answered = shop.assume(&given, &[]).await.expect("known");
    assert_eq!(answered.get("SourceIdentity").as_deref(), Some("ada"));
    let session = shop.desk.session(&answered).await;
    assert_eq!(session.access.tags["project"], "x");
    let known = session.caller.session.expect("a session");
    assert_eq!(
        (known.transitive, known.source_identity.as_deref()),
        (vec!["project".to_owned()], Some("ada"))
    );
    let long =
        json!({ "https://aws.amazon.com/tags": { "principal_tags": { "a": "x".repeat(257) } } });
    let text = "The claim https://aws.amazon.com/tags is not valid".to_owned();
    let found = refusal(shop.assume(&long, &[]).await);
    assert_eq!(found, Some(("InvalidIdentityToken".to_owned(), 400, text)));
}

/// 105, 106, and all else that is refused before anybody is known.
#[tokio::test]
async fn what_is_refused_before_a_policy_is_asked() {
    let shop = Shop::open(&trusting(ASSUME, "{}")).await;
    let now = NOW.secs();
    let expired = format!(
        "Token expired: current date/time {now} must be before the expiration date/time {}",
        now - 300
    );
    let issuer = "No OpenIDConnect provider found in your account for https://evil.example";
    let other = "No OpenIDConnect provider found in your account for https://id.example.org/Shop";
    let too_long =
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    let name = "1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*";
    let jwt = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
    #[rustfmt::skip]
    let cases = [
        (json!({ "aud": "other" }),          vec![], ("InvalidIdentityToken", "Incorrect token audience")),
        (json!({ "exp": now - 300 }),        vec![], ("ExpiredTokenException", &*expired)),
        (json!({ "iat": now - 441_398 }),    vec![], ("ExpiredTokenException", "Token too old: 441398")),
        (json!({ "sub": 7 }),                vec![], ("InvalidIdentityToken", "The claim sub is not valid")),
        (json!({ "iss": "https://evil.example" }), vec![], ("InvalidIdentityToken", issuer)),
        // The provider is the role's account's.
        (json!({}), vec![("RoleArn", "arn:aws:iam::444455556666:role/app")], ("InvalidIdentityToken", other)),
        (json!({}), vec![("RoleArn", "arn:aws:iam::111122223333:user/app")], ("ValidationError", "arn:aws:iam::111122223333:user/app is invalid")),
        (json!({}), vec![("WebIdentityToken", "a.b.c")],   ("InvalidIdentityToken", jwt)),
        (json!({}), vec![("RoleSessionName", "Session1:2")], ("ValidationError", name)),
        (json!({}), vec![("DurationSeconds", "3601")],     ("ValidationError", too_long)),
    ];
    for (changed, more, (code, message)) in cases {
        let found = refusal(shop.assume(&changed, &more).await).map(|it| (it.0, it.2));
        assert_eq!(found, Some((code.to_owned(), message.to_owned())), "{changed} {more:?}");
    }
    let nothing = refusal(shop.ask("").await).expect("refused").2;
    assert!(nothing.contains("Value null at 'webIdentityToken' failed"), "{nothing}");
}

#[tokio::test]
async fn whoever_signs_needs_a_token_still() {
    let shop = Shop::open(&trusting(ASSUME, "{}")).await;
    let alice = shop.desk.alice(Some(super::desk::ALLOW)).await;
    let token = shop.token(&json!({}));
    let parameters = [("RoleArn", APP), ("RoleSessionName", "s1"), ("WebIdentityToken", &*token)];
    let answered = shop.desk.call(&alice, "AssumeRoleWithWebIdentity", &parameters).await;
    assert_eq!(answered.error(), (WEB.0.to_owned(), STRANGER.to_owned()));
}
