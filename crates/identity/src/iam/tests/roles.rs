//! Roles: who may assume them, and what they may do.

use super::{Desk, NOW};
use crate::{LastUse, note_use};
use service::{Caller, Kind};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::{A}:user/ada"},"Action":"sts:AssumeRole"}]}"#;
const SERVICE: &str = r#"{"Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;

/// A form with the trust policy `text`, which has no character that a form would change.
fn role(name: &str, text: &str) -> String {
    format!("RoleName={name}&AssumeRolePolicyDocument={text}")
}

/// A document as it came, its percent signs taken away.
fn document(text: &str) -> String {
    let mut parts = text.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut text, part| {
        let byte = u8::from_str_radix(&part[..2], 16).expect("hexadecimal");
        text.push(char::from(byte));
        text + &part[2..]
    })
}

#[tokio::test]
async fn a_roles_life() {
    let desk = Desk::open().await;
    let form = format!(
        "{}&Path=/app/&Description=a%20b&Tags.member.1.Key=k&Tags.member.1.Value=v",
        role("app", SERVICE)
    );
    let made = desk.done("CreateRole", &form).await;
    assert_eq!(made.get("Arn"), Some("arn:aws:iam::111122223333:role/app/app"));
    assert!(made.get("RoleId").is_some_and(|it| it.starts_with("AROA") && it.len() == 21));
    assert_eq!((made.get("MaxSessionDuration"), made.get("Description")), (None, Some("a b")));
    let got = desk.done("GetRole", "RoleName=APP").await;
    assert_eq!(got.get("MaxSessionDuration"), Some("3600"));
    assert!(got.text.contains("<RoleLastUsed/>"), "{}", got.text);
    assert_eq!(document(got.get("AssumeRolePolicyDocument").expect("shown")), SERVICE);
    let listed = desk.done("ListRoles", "PathPrefix=/app/").await;
    assert_eq!(listed.all("RoleName"), ["app"]);
    assert!(!listed.text.contains("<Tags>") && !listed.text.contains("RoleLastUsed"));
    let updated = desk.done("UpdateRole", "RoleName=app&MaxSessionDuration=43200").await;
    assert!(updated.text.contains("<UpdateRoleResult/>"), "{}", updated.text);
    let described = desk.done("UpdateRoleDescription", "RoleName=app&Description=c").await;
    assert_eq!(described.get("MaxSessionDuration"), Some("43200"));
    assert_eq!(described.get("Description"), Some("c"));
    let missing = Some(("NoSuchEntity", 404, "The role with name app cannot be found."));
    let exists = Some(("EntityAlreadyExists", 409, "Role with name APP already exists."));
    let range = "1 validation error detected: Value '43201' at 'maxSessionDuration' failed to satisfy constraint: Member must have value less than or equal to 43200";
    desk.expect(&[
        ("CreateRole", &role("APP", SERVICE), exists),
        (
            "UpdateRole",
            "RoleName=app&MaxSessionDuration=43201",
            Some(("ValidationError", 400, range)),
        ),
        ("DeleteRole", "RoleName=app", None),
        ("DeleteRole", "RoleName=app", missing),
        ("GetRole", "RoleName=app", missing),
        ("UpdateAssumeRolePolicy", &format!("RoleName=app&PolicyDocument={SERVICE}"), missing),
    ])
    .await;
}

#[tokio::test]
async fn a_trust_policy_means_who_there_was_when_it_was_put() {
    let desk = Desk::open().await;
    let invalid = "Invalid principal in policy: \"AWS\":\"arn:aws:iam::{A}:user/ada\"";
    desk.expect(&[(
        "CreateRole",
        &role("app", TRUST),
        Some(("MalformedPolicyDocument", 400, invalid)),
    )])
    .await;
    let ada = desk.done("CreateUser", "UserName=ada").await;
    desk.done("CreateRole", &role("app", TRUST)).await;
    let shown = async || {
        let got = desk.done("GetRole", "RoleName=app").await;
        document(got.get("AssumeRolePolicyDocument").expect("shown"))
    };
    assert_eq!(shown().await, TRUST.replace("{A}", "111122223333"));
    desk.done("UpdateUser", "UserName=ada&NewPath=/x/").await;
    assert!(shown().await.contains("arn:aws:iam::111122223333:user/x/ada"), "moved");
    desk.done("DeleteUser", "UserName=ada").await;
    desk.done("CreateUser", "UserName=ada").await;
    assert!(shown().await.contains(ada.get("UserId").expect("an id")), "another ada");
    desk.done("UpdateAssumeRolePolicy", &format!("RoleName=app&PolicyDocument={TRUST}")).await;
    assert!(shown().await.contains("user/ada"), "put anew");
}

#[tokio::test]
async fn what_is_no_trust_policy() {
    let desk = Desk::open().await;
    desk.done("CreateRole", &role("app", SERVICE)).await;
    let with = |from: &str, to: &str| SERVICE.replace(from, to);
    let long = with("\"Effect\"", &format!("\"Sid\":\"{}\",\"Effect\"", "l".repeat(2048)));
    for (text, code, message) in [
        ("x".to_owned(), "MalformedPolicyDocument", "This policy contains invalid Json"),
        ("[]".to_owned(), "MalformedPolicyDocument", "Syntax errors in policy."),
        (
            with("sts:AssumeRole", "s3:GetObject"),
            "MalformedPolicyDocument",
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            with("\"Action\"", "\"Resource\":\"*\",\"Action\""),
            "MalformedPolicyDocument",
            "Has prohibited field Resource.",
        ),
        (long, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048"),
    ] {
        for (operation, member) in [
            ("CreateRole", "RoleName=new&AssumeRolePolicyDocument"),
            ("UpdateAssumeRolePolicy", "RoleName=app&PolicyDocument"),
        ] {
            let answered = desk.call(operation, &format!("{member}={text}")).await;
            let (found, _, told) = answered.error().expect("refused");
            assert_eq!((found.as_str(), told.as_str()), (code, message), "{operation} {text:.80}");
        }
    }
}

#[tokio::test]
async fn boundaries_are_counted_and_taken_away() {
    let desk = Desk::open().await;
    let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    desk.done("CreateRole", &format!("{}&PermissionsBoundary={arn}", role("app", SERVICE))).await;
    let got = desk.done("GetRole", "RoleName=app").await;
    assert_eq!(got.get("PermissionsBoundaryType"), Some("Policy"));
    assert_eq!(got.get("PermissionsBoundaryArn"), Some(arn));
    let count = async || {
        let policy = desk.done("GetPolicy", &format!("PolicyArn={arn}")).await;
        policy.get("PermissionsBoundaryUsageCount").map(str::to_owned)
    };
    assert_eq!(count().await.as_deref(), Some("1"));
    let other = "arn:aws:iam::aws:policy/IAMFullAccess";
    desk.done("PutRolePermissionsBoundary", &format!("RoleName=app&PermissionsBoundary={other}"))
        .await;
    assert_eq!(count().await.as_deref(), Some("0"));
    let unknown = "Policy arn:aws:iam::{A}:policy/none does not exist or is not attachable.";
    desk.expect(&[
        (
            "PutRolePermissionsBoundary",
            "RoleName=app&PermissionsBoundary=arn:aws:iam::{A}:policy/none",
            Some(("NoSuchEntity", 404, unknown)),
        ),
        ("DeleteRolePermissionsBoundary", "RoleName=app", None),
        (
            "DeleteRolePermissionsBoundary",
            "RoleName=app",
            Some((
                "NoSuchEntity",
                404,
                "The permissions boundary of role with name app cannot be found.",
            )),
        ),
    ])
    .await;
    desk.done("PutRolePermissionsBoundary", &format!("RoleName=app&PermissionsBoundary={arn}"))
        .await;
    desk.done("DeleteRole", "RoleName=app").await;
    assert_eq!(count().await.as_deref(), Some("0"), "gone with the role");
}

#[tokio::test]
async fn whom_a_trust_policy_can_name() {
    let desk = Desk::open().await;
    for (number, principal) in [
        r#"{"AWS":["{A}","arn:aws:iam::{A}:root"]}"#,
        r#"{"AWS":"*"}"#,
        r#""*""#,
        r#"{"Service":["lambda.amazonaws.com","rds.amazonaws.com"]}"#,
        r#"{"Federated":"arn:aws:iam::{A}:oidc-provider/token.example.com/x"}"#,
        r#"{"Federated":"arn:aws:iam::{A}:saml-provider/adfs"}"#,
        r#"{"Federated":["accounts.google.com","cognito-identity.amazonaws.com"]}"#,
        r#"{"AWS":"arn:aws:sts::{A}:assumed-role/app/session"}"#,
    ]
    .into_iter()
    .enumerate()
    {
        let text = SERVICE.replace(r#"{"Service":"lambda.amazonaws.com"}"#, principal);
        let text = text.replace(
            "\"sts:AssumeRole\"",
            r#"["sts:AssumeRole","sts:AssumeRoleWithWebIdentity","sts:TagSession"],
            "Condition":{"StringEquals":{"token.example.com/x:sub":"me","sts:ExternalId":"1"}}"#,
        );
        desk.done("CreateRole", &role(&format!("r{number}"), &text)).await;
    }
}

#[tokio::test]
async fn the_last_use_of_a_role_goes_with_it() {
    let desk = Desk::open().await;
    let made = desk.done("CreateRole", &role("app", SERVICE)).await;
    let id = made.get("RoleId").expect("an id").to_owned();
    let kind = Kind::RoleSession { role_arn: "arn".to_owned(), role_id: id };
    let caller = Caller { user_name: "app".to_owned(), kind, ..desk.caller.clone() };
    let last = LastUse { at: NOW, service: "kms".to_owned(), region: "eu-west-1".to_owned() };
    let note = async || {
        let mut txn = store::begin(&desk.backend);
        note_use(&mut txn, &caller, &last).await.expect("read");
        txn.commit().await.expect("committed");
    };
    assert!(desk.done("GetRole", "RoleName=app").await.get("LastUsedDate").is_none());
    note().await;
    for (operation, form) in
        [("GetRole", "RoleName=app"), ("GetAccountAuthorizationDetails", "Filter.member.1=Role")]
    {
        let shown = desk.done(operation, form).await;
        let told = (shown.get("LastUsedDate"), shown.get("Region"));
        assert_eq!(told, (Some("2026-01-31T10:00:00Z"), Some("eu-west-1")), "{operation}");
    }
    // Who has the name later was never used, and isn't by a session of the one before.
    desk.done("DeleteRole", "RoleName=app").await;
    desk.done("CreateRole", &role("app", SERVICE)).await;
    note().await;
    assert!(desk.done("GetRole", "RoleName=app").await.get("LastUsedDate").is_none());
}
