//! Grants.

use crate::desk::{ACCOUNT, Desk, OTHER, Person, SECRET, allow, document, root, statement};
use serde_json::{Value, json};

fn grant(key: &str, to: &Person, operations: &[&str]) -> Value {
    let arn = match &to.caller.kind {
        service::Kind::RoleSession { role_arn, .. } => role_arn,
        _ => &to.caller.arn,
    };
    json!({ "KeyId": key, "GranteePrincipal": arn, "Operations": operations })
}

async fn decrypt(desk: &Desk, who: &Person, blob: &str, context: Value) -> String {
    let body = json!({ "CiphertextBlob": blob, "EncryptionContext": context });
    desk.call_as(who, "Decrypt", body).await.error().to_owned()
}

const DENIED: &str = "AccessDeniedException";

/// Row 131.
#[tokio::test]
async fn a_constraint_binds_the_context() {
    let desk = Desk::open().await;
    let (key, alice) = (desk.key(None).await, Person::user(ACCOUNT, "alice", None));
    desk.register(&alice).await;
    let full = json!({ "SecretARN": "S", "v": "1" });
    let with = desk.encrypt(&key, full.clone()).await;
    let bare = desk.encrypt(&key, json!({})).await;
    let exact = desk.encrypt(&key, json!({ "SecretARN": "S" })).await;
    assert_eq!(decrypt(&desk, &alice, &with, full.clone()).await, DENIED, "no grant yet");

    let mut body = grant(&key, &alice, &["Decrypt", "DescribeKey"]);
    body["Constraints"] = json!({ "EncryptionContextSubset": { "SecretARN": "S" } });
    let made = desk.call("CreateGrant", body.clone()).await.ok();
    assert_eq!(made.text("/GrantId").len(), 64);
    assert_eq!(decrypt(&desk, &alice, &with, full.clone()).await, "");
    assert_eq!(decrypt(&desk, &alice, &bare, json!({})).await, DENIED);
    desk.call_as(&alice, "DescribeKey", json!({ "KeyId": key })).await.ok();
    let encrypt = json!({ "KeyId": key, "Plaintext": SECRET, "EncryptionContext": full });
    assert_eq!(desk.call_as(&alice, "Encrypt", encrypt).await.error(), DENIED);

    let revoke = json!({ "KeyId": key, "GrantId": made.text("/GrantId") });
    desk.call("RevokeGrant", revoke.clone()).await.ok();
    assert_eq!(decrypt(&desk, &alice, &with, full.clone()).await, DENIED, "revoked");
    assert_eq!(desk.call("RevokeGrant", revoke).await.error(), "NotFoundException");

    body["Constraints"] = json!({ "EncryptionContextEquals": { "SecretARN": "S" } });
    desk.call("CreateGrant", body).await.ok();
    assert_eq!(decrypt(&desk, &alice, &with, full).await, DENIED, "more than the exact context");
    assert_eq!(decrypt(&desk, &alice, &exact, json!({ "SecretARN": "S" })).await, "");
}

/// Row 132.
#[tokio::test]
async fn the_same_name_and_terms_are_the_same_grant() {
    let desk = Desk::open().await;
    let (key, alice) = (desk.key(None).await, Person::user(ACCOUNT, "alice", None));
    desk.register(&alice).await;
    let mut body = grant(&key, &alice, &["Decrypt"]);
    body["Name"] = json!("one");
    let first = desk.call("CreateGrant", body.clone()).await.ok();
    let again = desk.call("CreateGrant", body.clone()).await.ok();
    assert_eq!(first.text("/GrantId"), again.text("/GrantId"));
    assert_ne!(first.text("/GrantToken"), again.text("/GrantToken"));
    body["Operations"] = json!(["Encrypt"]);
    let other = desk.call("CreateGrant", body).await.ok();
    assert_ne!(first.text("/GrantId"), other.text("/GrantId"));

    let listed = desk.call("ListGrants", json!({ "KeyId": key })).await.ok();
    assert_eq!(listed.0["Grants"].as_array().map(Vec::len), Some(2));
    let one = json!({ "KeyId": key, "GrantId": first.text("/GrantId") });
    let listed = desk.call("ListGrants", one).await.ok();
    let expected = json!([{
        "KeyId": key,
        "GrantId": first.text("/GrantId"),
        "Name": "one",
        "CreationDate": 1_769_853_600.0,
        "GranteePrincipal": alice.caller.arn,
        "IssuingAccount": root(ACCOUNT),
        "Operations": ["Decrypt"],
    }]);
    assert_eq!(listed.0["Grants"], expected);
}

/// Row 133.
#[tokio::test]
async fn a_grant_satisfies_both_accounts_and_outweighs_no_denial() {
    let desk = Desk::open().await;
    let key = desk.key(None).await;
    let blob = desk.encrypt(&key, json!({})).await;
    let silent = Person::role(OTHER, "app", None);
    desk.register(&silent).await;
    desk.call("CreateGrant", grant(&key, &silent, &["Decrypt"])).await.ok();
    assert_eq!(decrypt(&desk, &silent, &blob, json!({})).await, "");
    let deny = json!([{ "Effect": "Deny", "Action": "kms:*", "Resource": "*" }]);
    let denying = Person::role(OTHER, "app", Some(document(&deny)));
    assert_eq!(decrypt(&desk, &denying, &blob, json!({})).await, DENIED);
    let other = Person::role(OTHER, "web", None);
    assert_eq!(decrypt(&desk, &other, &blob, json!({})).await, DENIED);
}

/// Row 134.
#[tokio::test]
async fn a_key_policy_that_denies_outweighs_a_grant() {
    let desk = Desk::open().await;
    let alice = Person::user(ACCOUNT, "alice", None);
    desk.register(&alice).await;
    let policy = json!([
        statement("Allow", &root(ACCOUNT), "kms:*"),
        statement("Deny", &alice.caller.arn, "kms:Decrypt"),
    ]);
    let key = desk.key(Some(document(&policy))).await;
    let blob = desk.encrypt(&key, json!({})).await;
    desk.call("CreateGrant", grant(&key, &alice, &["Decrypt", "Encrypt"])).await.ok();
    assert_eq!(decrypt(&desk, &alice, &blob, json!({})).await, DENIED);
    let encrypt = json!({ "KeyId": key, "Plaintext": SECRET });
    desk.call_as(&alice, "Encrypt", encrypt).await.ok();
}

#[tokio::test]
async fn a_grantee_passes_on_no_more_than_it_has() {
    let desk = Desk::open().await;
    let (key, alice) = (desk.key(None).await, Person::user(ACCOUNT, "alice", None));
    let bob = Person::user(ACCOUNT, "bob", None);
    for person in [&alice, &bob] {
        desk.register(person).await;
    }
    let bound = json!({ "EncryptionContextSubset": { "a": "1" } });
    let mut parent = grant(&key, &alice, &["Decrypt", "CreateGrant"]);
    parent["Constraints"] = bound.clone();
    desk.call("CreateGrant", parent).await.ok();
    #[rustfmt::skip]
    let cases = [
        (&["Decrypt"][..],            bound, true),
        (&["Decrypt"][..],            json!({ "EncryptionContextSubset": { "a": "1", "b": "2" } }), true),
        (&["Decrypt"][..],            json!({ "EncryptionContextEquals": { "a": "1" } }), true),
        (&["Decrypt"][..],            json!({ "EncryptionContextSubset": { "b": "2" } }), false),
        (&["Decrypt"][..],            json!({}), false),
        (&["Decrypt", "Encrypt"][..], json!({ "EncryptionContextSubset": { "a": "1" } }), false),
    ];
    for (operations, constraints, allowed) in cases {
        let mut child = grant(&key, &bob, operations);
        child["Constraints"] = constraints.clone();
        let answered = desk.call_as(&alice, "CreateGrant", child).await;
        assert_eq!(answered.error().is_empty(), allowed, "{operations:?} {constraints}");
    }
}

#[tokio::test]
async fn who_may_retire_a_grant() {
    let desk = Desk::open().await;
    let key = desk.key(None).await;
    let user = |name: &str| Person::user(ACCOUNT, name, None);
    let (alice, bob, carol) = (user("alice"), user("bob"), user("carol"));
    for person in [&alice, &bob, &carol] {
        desk.register(person).await;
    }
    let mut own_root = user("root");
    own_root.caller.kind = service::Kind::Root;
    own_root.caller.arn = root(ACCOUNT);
    #[rustfmt::skip]
    let cases = [
        (&["Decrypt"][..],                &alice,    false),
        (&["Decrypt", "RetireGrant"][..], &alice,    true),
        (&["Decrypt"][..],                &bob,      true),
        (&["Decrypt"][..],                &carol,    false),
        (&["Decrypt"][..],                &own_root, true),
        (&["Decrypt"][..],                &Person::admin(), false),
    ];
    for (operations, who, allowed) in cases {
        let mut body = grant(&key, &alice, operations);
        body["RetiringPrincipal"] = json!(bob.caller.arn);
        let made = desk.call("CreateGrant", body).await.ok();
        let by_id = json!({ "KeyId": key, "GrantId": made.text("/GrantId") });
        let mut dry = by_id.clone();
        dry["DryRun"] = json!(true);
        let expected = if allowed { "DryRunOperationException" } else { DENIED };
        assert_eq!(desk.call_as(who, "RetireGrant", dry).await.error(), expected);
        let by_token = json!({ "GrantToken": made.text("/GrantToken") });
        let answered = desk.call_as(who, "RetireGrant", by_token).await;
        assert_eq!(answered.error().is_empty(), allowed, "{operations:?} {}", who.caller.arn);
        assert_eq!(desk.call_as(who, "RetireGrant", by_id).await.error(), DENIED);
    }
    let retirable = json!({ "RetiringPrincipal": bob.caller.arn });
    let listed = desk.call("ListRetirableGrants", retirable).await.ok();
    assert_eq!(listed.0["Grants"].as_array().map(Vec::len), Some(3), "those that weren't retired");
    assert_eq!(listed.0["Grants"][0]["KeyId"], key.as_str());
    let garbage = json!({ "GrantToken": "AAAA" });
    assert_eq!(desk.call("RetireGrant", garbage).await.error(), "InvalidGrantTokenException");
}

#[tokio::test]
async fn a_grant_dies_with_its_grantee() {
    let desk = Desk::open().await;
    let (key, mut alice) = (desk.key(None).await, Person::user(ACCOUNT, "alice", None));
    let absent = desk.call("CreateGrant", grant(&key, &alice, &["Decrypt"])).await;
    assert_eq!(absent.error(), "InvalidArnException");
    desk.register(&alice).await;
    let blob = desk.encrypt(&key, json!({})).await;
    desk.call("CreateGrant", grant(&key, &alice, &["Decrypt"])).await.ok();
    assert_eq!(decrypt(&desk, &alice, &blob, json!({})).await, "");
    desk.unregister(&alice).await;
    alice.caller.principal_id = "AIDANAMESAKE00000001".to_owned();
    desk.register(&alice).await;
    assert_eq!(decrypt(&desk, &alice, &blob, json!({})).await, DENIED);
}

/// A session is known by its role's id: who has the role's name later has other sessions.
#[tokio::test]
async fn a_grant_to_a_session_dies_with_its_role() {
    let desk = Desk::open().await;
    let (key, app) = (desk.key(None).await, Person::role(ACCOUNT, "app", None));
    let body = |session: &str| {
        let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/app/{session}");
        json!({ "KeyId": key, "GranteePrincipal": arn, "RetiringPrincipal": arn, "Operations": ["Decrypt"] })
    };
    assert_eq!(desk.call("CreateGrant", body("s")).await.error(), "InvalidArnException");
    desk.register(&app).await;
    let blob = desk.encrypt(&key, json!({})).await;
    desk.call("CreateGrant", body("other")).await.ok();
    assert_eq!(decrypt(&desk, &app, &blob, json!({})).await, DENIED, "another session's");
    let made = desk.call("CreateGrant", body("s")).await.ok();
    assert_eq!(decrypt(&desk, &app, &blob, json!({})).await, "");

    desk.unregister(&app).await;
    let mut later = app.clone();
    later.caller.principal_id = "AROANAMESAKE00000001:s".to_owned();
    let role_arn = format!("arn:aws:iam::{ACCOUNT}:role/app");
    let role_id = "AROANAMESAKE00000001".to_owned();
    later.caller.kind = service::Kind::RoleSession { role_arn, role_id };
    desk.register(&later).await;
    assert_eq!(decrypt(&desk, &later, &blob, json!({})).await, DENIED);
    let retire = json!({ "KeyId": key, "GrantId": made.text("/GrantId") });
    assert_eq!(desk.call_as(&later, "RetireGrant", retire).await.error(), DENIED);
}

#[tokio::test]
async fn what_no_grant_can_say() {
    let desk = Desk::open().await;
    let (key, alice) = (desk.key(None).await, Person::user(ACCOUNT, "alice", None));
    desk.register(&alice).await;
    let with = |name: &str, value: Value| {
        let mut body = grant(&key, &alice, &["Decrypt"]);
        body[name] = value;
        body
    };
    for (body, error) in [
        (with("Operations", json!([])), "ValidationException"),
        (with("Operations", json!(["Sign"])), "ValidationException"),
        (with("Operations", json!(["Everything"])), "ValidationException"),
        (with("GranteePrincipal", json!("*")), "InvalidArnException"),
        (with("GranteePrincipal", json!("ada")), "InvalidArnException"),
        (with("GranteePrincipal", Value::Null), "ValidationException"),
        (with("GrantTokens", json!(["garbage"])), "InvalidGrantTokenException"),
        (with("DryRun", json!(true)), "DryRunOperationException"),
        (
            with("GranteeServicePrincipal", json!("s3.amazonaws.com")),
            "UnsupportedOperationException",
        ),
        (
            with("Constraints", json!({ "EncryptionContextSubset": { "a": "x".repeat(400) } })),
            "ValidationException",
        ),
    ] {
        let answered = desk.call("CreateGrant", body.clone()).await;
        assert_eq!(answered.error(), error, "{body}");
    }
    let none = Person::user(ACCOUNT, "none", Some(allow("kms:Decrypt", "*")));
    let answered = desk.call_as(&none, "CreateGrant", grant(&key, &alice, &["Decrypt"])).await;
    assert_eq!(answered.error(), DENIED);
}
