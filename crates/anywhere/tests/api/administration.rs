//! Trust anchors, profiles, revocation lists and tags.

use crate::authority::Authority;
use crate::desk::{ACCOUNT, Account, access};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use strongroom_anywhere::OPERATIONS;

fn source(bundle: &str) -> Value {
    json!({ "sourceType": "CERTIFICATE_BUNDLE", "sourceData": { "x509CertificateData": bundle } })
}

#[tokio::test]
async fn strangers_are_told_nothing_but_no() {
    let account = Account::open().await;
    let nothing = access("s3:*");
    let administrative = OPERATIONS.iter().filter(|it| it.name != "CreateSession");
    for row in administrative {
        for body in [
            json!({}),
            json!({ "trustAnchorId": account.anchor.0, "profileId": account.profile.0 }),
            json!({ "crlId": "x", "subjectId": "x", "resourceArn": account.anchor.1 }),
        ] {
            let told = account.desk.call_with(&nothing, row.name, body).await.told();
            let expected = format!(
                "403 AccessDeniedException: User: arn:aws:iam::{ACCOUNT}:user/admin is not \
                 authorized to perform: rolesanywhere:{}",
                row.name
            );
            assert!(told.starts_with(&expected), "{}: {told}", row.name);
        }
    }
}

#[tokio::test]
async fn what_is_refused_and_how() {
    let account = Account::open().await;
    let pem = Authority::root("Other").pem();
    let leaf = "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n";
    let many = pem.repeat(11);
    let key = format!("{pem}-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n");
    let anchor = |more: Value| {
        let mut body = json!({ "name": "a", "source": source(&pem) });
        for (name, value) in more.as_object().expect("members") {
            body[name] = value.clone();
        }
        ("CreateTrustAnchor", body)
    };
    let profile = |more: Value| {
        let mut body = json!({ "name": "a", "roleArns": [] });
        for (name, value) in more.as_object().expect("members") {
            body[name] = value.clone();
        }
        ("CreateProfile", body)
    };
    let foreign = "arn:aws:iam::444455556666:role/app";
    let gone = "00000000-0000-0000-0000-000000000000";
    #[rustfmt::skip]
    let cases = [
        (anchor(json!({})),                                            "ok"),
        (anchor(json!({ "source": source(&format!("{pem}{pem}")) })),  "ok"),
        (anchor(json!({ "source": source("") })),                      "400 ValidationException: 1 validation error detected: Value '' at 'source.sourceData.x509CertificateData' failed to satisfy constraint: Member must have length greater than or equal to 1"),
        (anchor(json!({ "source": source("x") })),                     "400 ValidationException: Invalid certificate bundle"),
        (anchor(json!({ "source": source(leaf) })),                    "400 ValidationException: Invalid certificate bundle"),
        (anchor(json!({ "source": source(&key) })),                    "400 ValidationException: A certificate bundle must not have a private key"),
        (anchor(json!({ "source": source(&many) })),                   "400 ValidationException: A certificate bundle has at most 10 certificates"),
        (anchor(json!({ "source": { "sourceType": "AWS_ACM_PCA" } })), "400 ValidationException: A trust anchor's source other than CERTIFICATE_BUNDLE is not supported"),
        (anchor(json!({ "aliasName": "x" })),                          "400 ValidationException: aliasName is not supported"),
        (anchor(json!({ "crlDpRevocationEnabled": false })),           "ok"),
        (anchor(json!({ "crlDpRevocationEnabled": true })),            "400 ValidationException: crlDpRevocationEnabled is not supported"),
        (anchor(json!({ "notificationSettings": [] })),                "400 ValidationException: notificationSettings is not supported"),
        (anchor(json!({ "name": Value::Null })),                       "400 ValidationException: 1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"),
        (anchor(json!({ "name": "a/b" })),                             "400 ValidationException: 1 validation error detected: Value 'a/b' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [ a-zA-Z0-9-_]*"),
        (anchor(json!({ "tags": [{ "key": "aws:a", "value": "b" }] })), "400 ValidationException: Tag keys must not begin with aws:"),
        (profile(json!({ "requireInstanceProperties": true })),        "400 ValidationException: requireInstanceProperties is not supported"),
        (profile(json!({ "sessionPolicy": "{}" })),                    "400 ValidationException: Invalid session policy"),
        (profile(json!({ "roleArns": [foreign] })),                    "400 ValidationException: Roles of a profile must be in the profile's account"),
        (profile(json!({ "durationSeconds": 43_201 })),                "400 ValidationException: 1 validation error detected: Value '43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200"),
        (("GetTrustAnchor", json!({ "trustAnchorId": gone })),         "404 ResourceNotFoundException: Trust anchor not found"),
        (("GetProfile", json!({ "profileId": account.anchor.0 })),     "404 ResourceNotFoundException: Profile not found"),
        (("DeleteCrl", json!({ "crlId": gone })),                      "404 ResourceNotFoundException: CRL not found"),
        (("GetSubject", json!({ "subjectId": gone })),                 "404 ResourceNotFoundException: Subject not found"),
        (("TagResource", json!({ "resourceArn": "x", "tags": [] })),   "404 ResourceNotFoundException: Trust anchor not found"),
        (("ListProfiles", json!({ "nextToken": "x" })),                "400 ValidationException: Invalid nextToken"),
    ];
    for ((operation, body), expected) in cases {
        let told = account.desk.call(operation, body.clone()).await.told();
        assert_eq!(told, expected, "{operation} {body}");
    }
    assert!(!account.desk.records().iter().any(|it| it.to_string().contains("canary")));
}

#[tokio::test]
async fn tags_have_a_limit() {
    let account = Account::open().await;
    let tag = async |from: usize, to: usize| {
        let tags: Vec<_> =
            (from..to).map(|it| json!({ "key": format!("k{it}"), "value": "" })).collect();
        let body = json!({ "resourceArn": account.profile.1, "tags": tags });
        account.desk.call("TagResource", body).await
    };
    assert_eq!(tag(0, 200).await.ok().status, 201);
    tag(100, 200).await.ok();
    assert_eq!(tag(200, 201).await.told(), "400 TooManyTagsException: Too many tags");
    let body = json!({ "resourceArn": account.profile.1, "tagKeys": ["k1", "absent"] });
    account.desk.call("UntagResource", body).await.ok();
    tag(200, 201).await.ok();
}

#[tokio::test]
async fn policies_see_tags() {
    let account = Account::open().await;
    let body = json!({
        "resourceArn": account.anchor.1, "tags": [{ "key": "team", "value": "shop" }],
    });
    account.desk.call("TagResource", body).await.ok();
    for (team, good) in [("shop", true), ("lab", false)] {
        let condition = json!({ "StringEquals": { "aws:ResourceTag/team": team } });
        let text = json!({
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition,
            },
        });
        let mut narrow = access("*");
        let policy =
            policy::engine::Policy::compile(&text.to_string(), policy::engine::Grammar::Identity);
        narrow.identity = vec![service::Held::new("t", policy.expect("a policy").into())];
        let body = json!({ "trustAnchorId": account.anchor.0 });
        let told = account.desk.call_with(&narrow, "GetTrustAnchor", body).await.told();
        assert_eq!(told == "ok", good, "{told}");
    }
}

/// Who makes something with tags must be allowed to tag.
#[tokio::test]
async fn tags_at_birth_need_leave_to_tag() {
    let account = Account::open().await;
    let crl = STANDARD.encode(account.authority.revoke(&[1]));
    let anchor = json!({ "name": "a", "source": source(&account.authority.pem()) });
    for (operation, mut body) in [
        ("CreateTrustAnchor", anchor),
        ("CreateProfile", json!({ "name": "p", "roleArns": [] })),
        ("ImportCrl", json!({ "name": "c", "crlData": crl, "trustAnchorArn": account.anchor.1 })),
    ] {
        let make = access(&format!("rolesanywhere:{operation}"));
        account.desk.call_with(&make, operation, body.clone()).await.ok();
        body["tags"] = json!([{ "key": "team", "value": "shop" }]);
        let told = account.desk.call_with(&make, operation, body.clone()).await.told();
        assert!(told.starts_with("403 AccessDeniedException"), "{told}");
        assert!(told.contains("not authorized to perform: rolesanywhere:TagResource"), "{told}");
        account.desk.call_with(&access("rolesanywhere:*"), operation, body).await.ok();
    }
}
