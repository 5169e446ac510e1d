//! Whom CreateSession gives a session, and which.

use crate::authority::{Authority, Leaf};
use crate::desk::{ACCOUNT, Account, NOW, trusting_service};
use rcgen::{BasicConstraints, DnType, IsCa, KeyPair, KeyUsagePurpose, RsaKeySize, SanType};
use serde_json::{Value, json};

const UNTRUSTED: &str = "door: Untrusted signing certificate";
/// A certificate of version 1, by `openssl x509 -req` without extensions.
const VERSION_1: &str = "MIIBFTCBvQIUa0GE1S94xPrRBHtkYG9dJd7YhCowCgYIKoZIzj0EAwIwDjEMMAoGA1UEAwwDb2xkMB4XDTI2MTEyMTE2MTAyMVoXDTQ2MTExNjE2MTAyMVowDjEMMAoGA1UEAwwDb2xkMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE5otZFRHPwz054Bp1BxLvFLKiYkmsC5hSUadawEx/ljGPWvWky3XpFynAHUirXA5Nc0JjZVYWCUUzqbc6kT61bzAKBggqhkjOPQQDAgNHADBEAiAkcMhecorYpGfsPgfGEGPE7YY1oXZQJ2Ggyk8hICLWIwIgGzlYmLZewPp2P/N8rxpkZgm0I+pUduCXE3IfT9xQQsU=";

#[tokio::test]
async fn certificates_good_and_bad() {
    let account = Account::open().await;
    let issue = |leaf| account.authority.issue(leaf);
    let impostor = Authority::root("Root");
    let ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let signature = KeyUsagePurpose::DigitalSignature;
    #[rustfmt::skip]
    let cases = [
        ("good",             issue(Leaf::default()),                                              "ok"),
        ("several usages",   issue(Leaf { usages: vec![signature, KeyUsagePurpose::KeyEncipherment], ..Leaf::default() }), "ok"),
        ("no constraints",   issue(Leaf { is_ca: IsCa::NoCa, ..Leaf::default() }),                "ok"),
        ("expired",          issue(Leaf { years: (2025, 2026), ..Leaf::default() }),              "door: Certificate has expired"),
        ("not yet valid",    issue(Leaf { years: (2027, 2028), ..Leaf::default() }),              "door: Certificate is not yet valid"),
        ("an authority",     issue(Leaf { is_ca: ca, ..Leaf::default() }),                        "door: Incorrect basic constraints for end-entity certificate"),
        ("the anchor",       account.authority.header(),                                          "door: Incorrect basic constraints for end-entity certificate"),
        ("another usage",    issue(Leaf { usages: vec![KeyUsagePurpose::KeyEncipherment], ..Leaf::default() }), "door: Incorrect key usage for end-entity certificate"),
        ("no usage",         issue(Leaf { usages: vec![], ..Leaf::default() }),                   "door: Incorrect key usage for end-entity certificate"),
        ("version 1",        VERSION_1.to_owned(),                                                "door: Unsupported certificate version"),
        ("another issuer",   impostor.issue(Leaf::default()),                                     UNTRUSTED), // of the same name
        ("nothing",          String::new(),                                                       "door: Invalid signing certificate"),
        ("no base64",        "*".to_owned(),                                                      "door: Invalid signing certificate"),
        ("no certificate",   "QUJD".to_owned(),                                                   "door: Invalid signing certificate"),
        ("too long",         "QUJD".repeat(10_000),                                               "door: Invalid signing certificate"),
        ("something behind", format!("{}QUJD", issue(Leaf::default()).trim_end_matches('=')),      "door: Invalid signing certificate"),
    ];
    for (what, cert, expected) in cases {
        assert_eq!(account.session(&cert).await, expected, "{what}");
    }
    for kind in [&rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ECDSA_P521_SHA256] {
        let key = KeyPair::generate_for(kind).expect("a key");
        assert_eq!(
            account.session(&account.authority.issue_for(Leaf::default(), &key)).await,
            "ok"
        );
    }
    let key = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key");
    assert_eq!(account.session(&account.authority.issue_for(Leaf::default(), &key)).await, "ok");
}

#[tokio::test]
async fn the_operation_asks_again() {
    let account = Account::open().await;
    let good = account.authority.issue(Leaf::default());
    let other = Authority::root("Root").issue(Leaf::default());
    let expired = account.authority.issue(Leaf { years: (2025, 2026), ..Leaf::default() });
    let denied = |it: &str| format!("403 AccessDeniedException: {it}");
    let serial = 0x4711.to_string();
    for (serial, cert, expected) in [
        (serial.as_str(), &good, "ok".to_owned()),
        ("4712", &good, denied("Invalid signing certificate")),
        (&serial, &other, denied("Untrusted signing certificate")),
        (&serial, &expired, denied("Certificate has expired")),
    ] {
        let told = account.desk.let_in(serial, cert, account.members()).await.told();
        assert_eq!(told, expected);
    }
    // An administrator with an access key is not the service.
    let body = account.with(&json!({ "cert": good }));
    let told = account.desk.call("CreateSession", body).await.told();
    assert_eq!(told, denied("Invalid signing certificate"));
}

#[tokio::test]
async fn chains_lead_to_the_anchor() {
    let account = Account::open().await;
    let one = account.authority.below("One");
    let two = one.below("Two");
    let cert = two.issue(Leaf::default());
    let chain = |parts: &[String]| account.with(&json!({ "certificateChain": parts.join(",") }));
    let (one_der, two_der) = (one.header(), two.header());
    let no_authority = account.authority.issue(Leaf::default());
    #[rustfmt::skip]
    let cases = [
        ("whole",          chain(&[two_der.clone(), one_der.clone()]),                         "ok"),
        ("any order",      chain(&[one_der.clone(), two_der.clone()]),                         "ok"),
        ("missing",        account.members(),                                                  UNTRUSTED),
        ("half",           chain(std::slice::from_ref(&two_der)),                              UNTRUSTED),
        ("with a stray",   chain(&[no_authority, two_der.clone(), one_der.clone()]),           "ok"),
        ("too long",       chain(&[(); 6].map(|()| two_der.clone())),                          UNTRUSTED),
        ("garbage",        chain(&["*".to_owned()]),                                           UNTRUSTED),
        ("empty parts",    chain(&[two_der.clone(), String::new(), one_der.clone()]),          UNTRUSTED),
    ];
    for (what, members, expected) in cases {
        assert_eq!(account.desk.session(&cert, members).await, expected, "{what}");
    }
}

#[tokio::test]
async fn an_anchor_ends_with_its_certificate() {
    let expired = Authority::valid("Old", (2025, 2026), None);
    let account = Account::trusting("BEGIN", expired).await;
    assert_eq!(account.session(&account.authority.issue(Leaf::default())).await, UNTRUSTED);
}

#[tokio::test]
async fn what_is_revoked_stays_out() {
    let account = Account::open().await;
    let revoked = "403 AccessDeniedException: Certificate has been revoked";
    let below = account.authority.below("Below"); // its serial number is the length of its name
    let leaf = |serial| Leaf { serial, ..Leaf::default() };
    let (first, second) = (account.authority.issue(leaf(1)), account.authority.issue(leaf(2)));
    let third = below.issue(leaf(3));
    let chained = account.with(&json!({ "certificateChain": below.header() }));
    let one = account.import(&account.authority.revoke(&[1])).await;
    assert_eq!(account.session(&first).await, revoked);
    assert_eq!(account.session(&second).await, "ok");

    // Two lists of one issuer both count.
    account.import(&account.authority.revoke(&[2])).await;
    assert_eq!(account.session(&first).await, revoked);
    assert_eq!(account.session(&second).await, revoked);
    assert_eq!(account.desk.session(&third, chained.clone()).await, "ok");
    let more = account.desk.call(
        "ImportCrl",
        json!({
            "name": "third", "crlData": "QQ==", "trustAnchorArn": account.anchor.1,
        }),
    );
    assert_eq!(more.await.told(), "400 ValidationException: Invalid certificate revocation list");

    let update = async |list: String| {
        use base64::Engine as _;
        let data = base64::engine::general_purpose::STANDARD.encode(list);
        let body = json!({ "crlId": one, "crlData": data });
        account.desk.call("UpdateCrl", body).await.ok();
    };
    update(account.authority.revoke(&[5])).await; // `Below`
    assert_eq!(account.desk.session(&third, chained.clone()).await, revoked);
    update(below.revoke(&[3])).await;
    assert_eq!(account.desk.session(&third, chained.clone()).await, revoked);
    // A list that another one has signed in the issuer's name is believed by nobody, nor passed over.
    update(Authority::root("Root").revoke(&[])).await;
    assert_eq!(account.session(&first).await, revoked);
    account.desk.call("DisableCrl", json!({ "crlId": one })).await.ok();
    assert_eq!(account.session(&first).await, "ok");
    account.desk.call("EnableCrl", json!({ "crlId": one })).await.ok();
    account.desk.call("DeleteCrl", json!({ "crlId": one })).await.ok();
    assert_eq!(account.session(&first).await, "ok");
    assert_eq!(account.session(&second).await, revoked);
}

#[tokio::test]
async fn profiles_and_roles_say_no() {
    let account = Account::open().await;
    let desk = &account.desk;
    let cert = account.authority.issue(Leaf::default());
    let other = desk.role("other", &trusting_service(&json!({}))).await;
    let anchor = json!({ "trustAnchorId": account.anchor.0 });
    let profile = json!({ "profileId": account.profile.0 });
    let foreign = account.profile.1.replace(ACCOUNT, "444455556666");
    let zone = account.anchor.1.replace("eu-west-1", "us-east-1");
    #[rustfmt::skip]
    let cases = [
        (json!({ "roleArn": other }),                 "403 AccessDeniedException: Role is not in the profile"),
        (json!({ "profileArn": foreign }),            "403 AccessDeniedException: Profile not found"),
        (json!({ "profileArn": account.anchor.1 }),   "403 AccessDeniedException: Profile not found"),
        (json!({ "roleSessionName": "mine" }),        "403 AccessDeniedException: Profile does not accept a role session name"),
        (json!({ "trustAnchorArn": zone }),           UNTRUSTED),
        (json!({ "trustAnchorArn": Value::Null }),    UNTRUSTED),
        (json!({ "trustAnchorArn": "x" }),            UNTRUSTED),
        (json!({ "durationSeconds": 899 }),           "400 ValidationException: 1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900"),
    ];
    for (more, expected) in cases {
        assert_eq!(desk.session(&cert, account.with(&more)).await, expected, "{more}");
    }
    for (off, on, body, expected) in [
        ("DisableTrustAnchor", "EnableTrustAnchor", anchor, "Trust anchor is disabled"),
        ("DisableProfile", "EnableProfile", profile, "Profile is disabled"),
    ] {
        desk.call(off, body.clone()).await.ok();
        let denied = format!("403 AccessDeniedException: {expected}");
        assert_eq!(account.session(&cert).await, denied);
        desk.call(on, body).await.ok();
        assert_eq!(account.session(&cert).await, "ok");
    }
}

#[tokio::test]
async fn trust_policies_know_the_certificate() {
    let account = Account::open().await;
    let leaf = Leaf {
        names: vec![
            (DnType::CommonName, "web-1"),
            (DnType::OrganizationName, "Shop, Inc."), // no value that a tag may have
        ],
        alternatives: vec![
            SanType::DnsName("a.example".try_into().expect("a name")),
            SanType::DnsName("b.example".try_into().expect("a name")),
            SanType::URI("spiffe://shop/web".try_into().expect("a name")),
        ],
        ..Leaf::default()
    };
    let cert = account.authority.issue(leaf);
    let arn = account.anchor.1.as_str();
    #[rustfmt::skip]
    let cases = [
        ("StringEquals", "aws:PrincipalTag/x509Subject/CN", "web-1", true),
        ("StringEquals", "aws:PrincipalTag/x509Subject/CN", "web-2", false),
        ("StringEquals", "aws:RequestTag/x509Subject/CN", "web-1", true),
        ("StringEquals", "aws:PrincipalTag/x509Issuer/CN", "Root", true),
        ("StringEquals", "aws:PrincipalTag/x509SAN/DNS", "a.example", true),
        ("StringEquals", "aws:PrincipalTag/x509SAN/DNS", "b.example", false),
        ("StringEquals", "aws:PrincipalTag/x509SAN/URI", "spiffe://shop/web", true),
        ("StringEquals", "aws:PrincipalTag/x509Subject/O", "Shop, Inc.", false),
        ("Null",         "aws:PrincipalTag/x509Subject/O", "true", true),
        ("ArnEquals",    "aws:SourceArn", arn, true),
        ("ArnEquals",    "aws:SourceArn", "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/x", false),
        ("StringEquals", "aws:SourceAccount", ACCOUNT, true),
        ("StringEquals", "aws:SourceAccount", "444455556666", false),
        ("StringEquals", "sts:SourceIdentity", "web-1", true),
        ("StringEquals", "sts:RoleSessionName", "4711", true),
        ("StringEquals", "aws:PrincipalServiceName", "rolesanywhere.amazonaws.com", true),
    ];
    for (number, (operator, key, value, good)) in cases.into_iter().enumerate() {
        let trust = trusting_service(&json!({ operator: { key: value } }));
        let role = account.desk.role(&format!("r{number}"), &trust).await;
        let body = json!({ "profileId": account.profile.0, "roleArns": [role] });
        account.desk.call("UpdateProfile", body).await.ok();
        let told = account.desk.session(&cert, account.with(&json!({ "roleArn": role }))).await;
        let denied = format!("403 AccessDeniedException: Unable to assume role for {role}");
        assert_eq!(told, if good { "ok" } else { denied.as_str() }, "{operator} {key} {value}");
    }
}

#[tokio::test]
async fn sessions_are_what_was_asked_for() {
    let account = Account::open().await;
    let desk = &account.desk;
    let cert = account.authority.issue(Leaf::default());
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*"}}"#;
    let body = json!({
        "profileId": account.profile.0, "sessionPolicy": policy, "durationSeconds": 10_000,
        "managedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    });
    desk.call("UpdateProfile", body).await.ok();
    let serial = 0x4711.to_string();
    // The role lets a session last two hours.
    for (asked, seconds) in [(Value::Null, 7200), (json!(900), 900), (json!(43_200), 7200)] {
        let members = account.with(&json!({ "durationSeconds": asked }));
        let answered = desk.let_in(&serial, &cert, members).await.ok();
        assert_eq!(answered.status, 201);
        let end = base::Timestamp::from_secs(NOW.secs() + seconds).to_string();
        assert_eq!(answered.text("/credentialSet/0/credentials/expiration"), end);
        assert_eq!(answered.text("/credentialSet/0/sourceIdentity"), "web-1");
        let arn = format!("arn:aws:sts::{ACCOUNT}:assumed-role/app/4711");
        assert_eq!(answered.text("/credentialSet/0/assumedRoleUser/arn"), arn);
        assert_eq!(answered.text("/credentialSet/0/roleArn"), account.role);
    }
    let body = json!({ "profileId": account.profile.0, "durationSeconds": 1800 });
    desk.call("UpdateProfile", body).await.ok();
    let members = account.with(&json!({ "durationSeconds": 3600 }));
    let answered = desk.let_in(&serial, &cert, members).await.ok();
    let end = base::Timestamp::from_secs(NOW.secs() + 1800).to_string();
    assert_eq!(
        answered.text("/credentialSet/0/credentials/expiration"),
        end,
        "the profile's limit"
    );
    let credential = |it: &str| answered.text(&format!("/credentialSet/0/credentials/{it}"));
    let (id, token) = (credential("accessKeyId"), credential("sessionToken"));
    let owner = crate::desk::account();
    let scope = kms::Scope {
        keyring: &desk.keyring,
        entropy: &base::SystemEntropy,
        now: NOW,
        account: &owner,
        region: &desk.region,
    };
    let mut txn = store::begin(&desk.backend);
    let opened = identity::session::open(&mut txn, &scope, &id, &token).await.expect("good");
    let claims = opened.claims;
    assert_eq!(claims.tags["x509Subject/OU"], "Shop");
    assert_eq!(claims.tags["x509Issuer/CN"], "Root");
    assert_eq!(claims.policy.as_deref(), Some(policy));
    assert_eq!(claims.policy_arns, ["arn:aws:iam::aws:policy/ReadOnlyAccess"]);
    assert!(claims.transitive.is_empty() && !claims.chained);

    let subject = answered.text("/subjectArn");
    let id = subject.rsplit('/').next().expect("an id").to_owned();
    let shown = desk.call("GetSubject", json!({ "subjectId": id })).await.ok();
    assert_eq!(shown.text("/subject/subjectArn"), subject);
    assert_eq!(shown.body["subject"]["credentials"].as_array().map(Vec::len), Some(1));
    let again = account.authority.issue(Leaf { serial: 9, ..Leaf::default() });
    assert_eq!(account.session(&again).await, "ok");
    let shown = desk.call("ListSubjects", json!({})).await.ok();
    assert_eq!(
        shown.body["subjects"].as_array().map(Vec::len),
        Some(1),
        "one subject, two certificates"
    );
}

#[tokio::test]
async fn records_tell_who_and_never_what() {
    let account = Account::open().await;
    let cert = account.authority.issue(Leaf::default());
    let answered = account.desk.let_in("18193", &cert, account.members()).await.ok();
    let records = account.desk.records();
    let record = records.last().expect("a record");
    assert_eq!(record["eventSource"], "rolesanywhere.amazonaws.com");
    assert_eq!(record["eventName"], "CreateSession");
    assert_eq!(record["userIdentity"]["type"], "Unknown");
    assert_eq!(record["recipientAccountId"], ACCOUNT);
    assert_eq!(record["requestParameters"]["cert"], cert);
    assert_eq!(record["requestParameters"]["roleArn"], account.role);
    let issued = &record["responseElements"]["credentialSet"][0]["credentials"];
    assert_eq!(issued["accessKeyId"], answered.text("/credentialSet/0/credentials/accessKeyId"));
    for secret in ["secretAccessKey", "sessionToken"] {
        let secret = answered.text(&format!("/credentialSet/0/credentials/{secret}"));
        assert!(!records.iter().any(|it| it.to_string().contains(&secret)));
    }
    let body = json!({ "trustAnchorId": account.anchor.0 });
    account.desk.call("DisableTrustAnchor", body).await.ok();
    account.session(&cert).await;
    let records = account.desk.records();
    let record = records.last().expect("a record");
    assert_eq!(record["errorCode"], "AccessDenied");
    assert_eq!(record["errorMessage"], "Trust anchor is disabled");
}
