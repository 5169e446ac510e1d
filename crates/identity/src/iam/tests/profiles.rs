//! Instance profiles and their roles.

use super::{Desk, Refused, access_of};

const TRUST: &str = "RoleName=app&AssumeRolePolicyDocument=%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B\
%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22ec2.amazonaws.com%22%7D%2C\
%22Action%22%3A%22sts%3AAssumeRole%22%7D%7D";
const UNKNOWN: Refused<'static> =
    Some(("NoSuchEntity", 404, "Instance Profile nobody cannot be found."));
const NO_ROLE: Refused<'static> =
    Some(("NoSuchEntity", 404, "The role with name other cannot be found."));
const IN_USE: Refused<'static> = Some((
    "DeleteConflict",
    409,
    "Cannot delete entity, must remove roles from instance profile first.",
));

async fn desk_with_role() -> Desk {
    let desk = Desk::open().await;
    desk.done("CreateRole", TRUST).await;
    desk
}

#[tokio::test]
async fn a_profiles_life() {
    let desk = desk_with_role().await;
    let made = desk
        .done(
            "CreateInstanceProfile",
            "InstanceProfileName=web&Path=/x/&Tags.member.1.Key=k&Tags.member.1.Value=v",
        )
        .await;
    assert_eq!(made.get("Arn"), Some("arn:aws:iam::111122223333:instance-profile/x/web"));
    assert!(made.get("InstanceProfileId").is_some_and(|it| it.starts_with("AIPA")));
    assert_eq!((made.get("Key"), made.get("Roles")), (Some("k"), None));
    assert_eq!(
        desk.paper.last()["responseElements"]["instanceProfile"]["instanceProfileName"],
        "web"
    );
    let with_role = "InstanceProfileName=WEB&RoleName=APP";
    desk.expect(&[
        (
            "CreateInstanceProfile",
            "InstanceProfileName=Web",
            Some(("EntityAlreadyExists", 409, "Instance Profile Web already exists.")),
        ),
        ("GetInstanceProfile", "InstanceProfileName=nobody", UNKNOWN),
        ("AddRoleToInstanceProfile", "InstanceProfileName=web&RoleName=other", NO_ROLE),
        ("RemoveRoleFromInstanceProfile", with_role, {
            Some(("NoSuchEntity", 404, "The role with name APP cannot be found."))
        }),
        ("AddRoleToInstanceProfile", with_role, None),
        (
            "AddRoleToInstanceProfile",
            with_role,
            Some((
                "LimitExceeded",
                409,
                "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1",
            )),
        ),
        ("DeleteRole", "RoleName=app", IN_USE),
        ("DeleteInstanceProfile", "InstanceProfileName=web", IN_USE),
    ])
    .await;
    let found = desk.done("GetInstanceProfile", "InstanceProfileName=web").await;
    assert_eq!((found.get("RoleName"), found.get("Key")), (Some("app"), Some("k")));
    assert!(found.get("AssumeRolePolicyDocument").is_some_and(|it| it.contains("ec2")));
    let details = desk.done("GetAccountAuthorizationDetails", "Filter.member.1=Role").await;
    assert_eq!(details.get("InstanceProfileName"), Some("web"));
    let summary = desk.done("GetAccountSummary", "").await;
    assert!(summary.text.contains("<key>InstanceProfiles</key><value>1</value>"));
    desk.expect(&[
        ("RemoveRoleFromInstanceProfile", with_role, None),
        ("DeleteRole", "RoleName=app", None),
        ("DeleteInstanceProfile", "InstanceProfileName=web", None),
        ("DeleteInstanceProfile", "InstanceProfileName=nobody", UNKNOWN),
    ])
    .await;
}

#[tokio::test]
async fn lists_of_profiles() {
    let desk = desk_with_role().await;
    for (name, path, has_role) in [("a", "/", true), ("b", "/x/", false), ("c", "/x/", true)] {
        let form = format!("InstanceProfileName={name}&Path={path}&RoleName=app");
        desk.done("CreateInstanceProfile", &form).await;
        if has_role {
            desk.done("AddRoleToInstanceProfile", &form).await;
        }
    }
    for (operation, form, expected) in [
        ("ListInstanceProfiles", "", &["a", "b", "c"][..]),
        ("ListInstanceProfiles", "PathPrefix=/x/", &["b", "c"]),
        ("ListInstanceProfiles", "MaxItems=2", &["a", "b"]),
        ("ListInstanceProfilesForRole", "RoleName=app", &["a", "c"]),
        ("ListInstanceProfilesForRole", "RoleName=app&MaxItems=1", &["a"]),
    ] {
        let listed = desk.done(operation, form).await;
        assert_eq!(listed.all("InstanceProfileName"), expected, "{operation} {form}");
        let more = if form.contains("MaxItems") { "true" } else { "false" };
        assert_eq!(listed.get("IsTruncated"), Some(more), "{operation} {form}");
    }
    desk.expect(&[("ListInstanceProfilesForRole", "RoleName=other", NO_ROLE)]).await;
}

#[tokio::test]
async fn tags_of_profiles() {
    let desk = Desk::open().await;
    let web = "InstanceProfileName=web";
    desk.done("CreateInstanceProfile", web).await;
    desk.done("TagInstanceProfile", &format!("{web}&Tags.member.1.Key=k&Tags.member.1.Value=v"))
        .await;
    assert_eq!(desk.done("ListInstanceProfileTags", web).await.get("Value"), Some("v"));
    let desk = desk.allowed(
        r#"{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::111122223333:instance-profile/*",
            "Condition":{"StringEquals":{"aws:ResourceTag/k":"v"}}}"#,
    );
    desk.done("UntagInstanceProfile", &format!("{web}&TagKeys.member.1=K")).await;
    assert_eq!(desk.call("DeleteInstanceProfile", web).await.status, 403);
}

/// Who puts a role into a profile hands it to a machine.
#[tokio::test]
async fn a_role_must_be_allowed_to_be_passed() {
    let add = r#"{"Effect":"Allow","Action":"iam:AddRoleToInstanceProfile","Resource":"*"}"#;
    let pass = |key: &str, value: &str| {
        format!(
            r#"{add},{{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::111122223333:role/app",
                "Condition":{{"StringEquals":{{"{key}":"{value}"}}}}}}"#
        )
    };
    for (statement, allowed) in [
        (add.to_owned(), false),
        (pass("iam:PassedToService", "ec2.amazonaws.com"), true),
        (pass("iam:PassedToService", "lambda.amazonaws.com"), false),
    ] {
        let mut desk = desk_with_role().await;
        desk.done("CreateInstanceProfile", "InstanceProfileName=web").await;
        desk.access = access_of(&statement);
        let form = "InstanceProfileName=web&RoleName=app";
        let answered = desk.call("AddRoleToInstanceProfile", form).await;
        assert_eq!(answered.status, if allowed { 200 } else { 403 }, "{statement}");
        assert!(allowed || answered.text.contains("iam:PassRole"), "{}", answered.text);
    }
}
