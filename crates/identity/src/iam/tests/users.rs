//! Users and their access keys.

use super::{Desk, Refused};
use crate::{Status, find_key, gather};
use service::Kind;

const MISSING: Refused<'static> =
    Some(("NoSuchEntity", 404, "The user with name ada cannot be found."));
const EXISTS: Refused<'static> =
    Some(("EntityAlreadyExists", 409, "User with name ADA already exists."));

#[tokio::test]
async fn a_users_life() {
    let desk = Desk::open().await;
    let made = desk
        .done("CreateUser", "UserName=ada&Path=/dev/&Tags.member.1.Key=team&Tags.member.1.Value=a")
        .await;
    assert_eq!(made.get("Arn"), Some("arn:aws:iam::111122223333:user/dev/ada"));
    assert!(made.get("UserId").is_some_and(|it| it.starts_with("AIDA") && it.len() == 21));
    assert!(made.text.contains("<CreateDate>2026-01-31T10:00:00Z</CreateDate>"), "{}", made.text);
    assert!(made.text.contains("<Tags><member><Key>team</Key><Value>a</Value></member></Tags>"));
    desk.expect(&[
        ("CreateUser", "UserName=ADA", EXISTS),
        ("UpdateUser", "UserName=Ada&NewUserName=bob&NewPath=/", None),
        ("GetUser", "UserName=ada", MISSING),
        ("DeleteUser", "UserName=ada", MISSING),
        ("CreateUser", "UserName=ada", None),
        ("UpdateUser", "UserName=bob&NewUserName=ADA", EXISTS),
        ("UpdateUser", "UserName=bob&NewUserName=BOB", None),
        ("DeleteUser", "UserName=ada", None),
    ])
    .await;
    let renamed = desk.done("GetUser", "UserName=bob").await;
    assert_eq!(renamed.get("Arn"), Some("arn:aws:iam::111122223333:user/BOB"));
    assert_eq!(renamed.get("UserId"), made.get("UserId"));
    let deleted = desk.done("DeleteUser", "UserName=BOB").await;
    assert!(deleted.text.contains("<DeleteUserResponse") && !deleted.text.contains("Result"));
}

#[tokio::test]
async fn pages_and_paths_of_users() {
    let desk = Desk::open().await;
    for (name, path) in [("a", "/"), ("b", "/x/"), ("c", "/x/y/"), ("d", "/x/"), ("e", "/")] {
        desk.done("CreateUser", &format!("UserName={name}&Path={path}")).await;
    }
    let mut names = Vec::new();
    let mut form = "PathPrefix=/x/&MaxItems=2".to_owned();
    loop {
        let page = desk.done("ListUsers", &form).await;
        names.extend(page.all("UserName").into_iter().map(str::to_owned));
        let marker = page.get("Marker").map(str::to_owned);
        assert_eq!(page.get("IsTruncated"), Some(if marker.is_some() { "true" } else { "false" }));
        let Some(marker) = marker else { break };
        form = format!("PathPrefix=/x/&MaxItems=2&Marker={marker}");
        let elsewhere = desk.call("ListRoles", &format!("Marker={marker}")).await;
        assert_eq!(elsewhere.error().map(|it| it.2).as_deref(), Some("Invalid Marker."));
    }
    assert_eq!(names, ["b", "c", "d"]);
    let most = desk.call("ListUsers", "MaxItems=1001").await.error().expect("too many");
    assert_eq!(
        most.2,
        "1 validation error detected: Value '1001' at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000"
    );
}

#[tokio::test]
async fn a_key_opens_until_it_is_inactive_or_gone() {
    let desk = Desk::open().await;
    desk.done("CreateUser", "UserName=ada").await;
    let made = desk.done("CreateAccessKey", "UserName=ada").await;
    let id = made.get("AccessKeyId").expect("an id").to_owned();
    let secret = made.get("SecretAccessKey").expect("shown once").to_owned();
    assert_eq!((secret.len(), made.get("Status")), (40, Some("Active")));
    let record = desk.paper.last();
    assert_eq!(record["eventSource"], "iam.amazonaws.com");
    assert_eq!(record["requestParameters"], serde_json::json!({ "userName": "ada" }));
    assert_eq!(record["responseElements"]["accessKey"]["accessKeyId"], id.as_str());
    assert!(!record.to_string().contains(&secret), "never the secret");
    desk.done("CreateAccessKey", "UserName=ada").await;
    let listed = desk.done("ListAccessKeys", "UserName=ada").await;
    assert_eq!(listed.all("AccessKeyId").len(), 2);
    assert!(!listed.text.contains("Secret"));
    let unknown = "The Access Key with id AKIAAAAAAAAAAAAAAAAA cannot be found.";
    let key = format!("UserName=ada&AccessKeyId={id}");
    desk.expect(&[
        (
            "CreateAccessKey",
            "UserName=ada",
            Some(("LimitExceeded", 409, "Cannot exceed quota for AccessKeysPerUser: 2")),
        ),
        (
            "DeleteUser",
            "UserName=ada",
            Some((
                "DeleteConflict",
                409,
                "Cannot delete entity, must remove referenced objects first.",
            )),
        ),
        (
            "UpdateAccessKey",
            "UserName=ada&AccessKeyId=AKIAAAAAAAAAAAAAAAAA&Status=Active",
            Some(("NoSuchEntity", 404, unknown)),
        ),
        ("UpdateAccessKey", &format!("{key}&Status=Inactive"), None),
        ("CreateUser", "UserName=eve", None),
        (
            "DeleteAccessKey",
            &format!("UserName=eve&AccessKeyId={id}"),
            Some(("NoSuchEntity", 404, &format!("The Access Key with id {id} cannot be found."))),
        ),
        ("UpdateUser", "UserName=ada&NewUserName=ida", None),
    ])
    .await;
    let mut txn = store::begin(&desk.backend);
    let stored = find_key(&mut txn, &id).await.expect("read").expect("there");
    assert_eq!((stored.status, stored.user_name.as_str()), (Status::Inactive, "ida"));
    assert_eq!(stored.arn, "arn:aws:iam::111122223333:user/ida");
    desk.done("DeleteAccessKey", &format!("UserName=ida&AccessKeyId={id}")).await;
    let mut txn = store::begin(&desk.backend);
    assert_eq!(find_key(&mut txn, &id).await.expect("read"), None);
}

#[tokio::test]
async fn who_names_nobody_means_himself() {
    let mut desk = Desk::open().await;
    desk.done("CreateUser", "UserName=admin").await;
    for operation in ["GetUser", "CreateAccessKey", "ListAccessKeys"] {
        assert_eq!(desk.done(operation, "").await.get("UserName"), Some("admin"));
    }
    desk.caller.kind = Kind::Root;
    desk.caller.arn = "arn:aws:iam::111122223333:root".to_owned();
    desk.caller.principal_id = "111122223333".to_owned();
    let root = desk.done("GetUser", "").await;
    assert_eq!(root.get("Arn"), Some("arn:aws:iam::111122223333:root"));
    assert_eq!((root.get("UserId"), root.get("UserName")), (Some("111122223333"), None));
    let text = "Must specify userName when calling with non-User credentials";
    desk.expect(&[("CreateAccessKey", "", Some(("ValidationError", 400, text)))]).await;
}

#[tokio::test]
async fn tags_keep_their_order_and_have_no_case() {
    let desk = Desk::open().await;
    desk.done("CreateUser", "UserName=ada").await;
    let tag = |n: usize, key: &str, value: &str| {
        format!("&Tags.member.{n}.Key={key}&Tags.member.{n}.Value={value}")
    };
    let two = format!("UserName=ada{}{}", tag(1, "B", "1"), tag(2, "a", "2"));
    desk.done("TagUser", &two).await;
    desk.done("TagUser", &format!("UserName=ada{}", tag(1, "b", "3"))).await;
    let listed = desk.done("ListUserTags", "UserName=ada").await;
    assert_eq!((listed.all("Key"), listed.all("Value")), (vec!["b", "a"], vec!["3", "2"]));
    let twice = format!("UserName=ada{}{}", tag(1, "x", "1"), tag(2, "X", "2"));
    let many: String = (1..=49).map(|it| tag(it, &format!("k{it}"), "")).collect();
    desk.expect(&[
        (
            "TagUser",
            &twice,
            Some((
                "InvalidInput",
                400,
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            )),
        ),
        (
            "TagUser",
            &format!("UserName=ada{}", tag(1, "AWS:x", "1")),
            Some((
                "InvalidInput",
                400,
                "System tags cannot be added/updated/deleted. Tag keys must not begin with aws:",
            )),
        ),
        (
            "TagUser",
            &format!("UserName=ada{many}"),
            Some(("LimitExceeded", 409, "The number of tags has reached the maximum limit.")),
        ),
        ("UntagUser", "UserName=ada&TagKeys.member.1=B&TagKeys.member.2=absent", None),
    ])
    .await;
    let listed = desk.done("ListUserTags", "UserName=ada&MaxItems=1").await;
    assert_eq!((listed.all("Key"), listed.get("IsTruncated")), (vec!["a"], Some("false")));
}

#[tokio::test]
async fn conditions_see_tags_paths_and_boundaries() {
    let admin = Desk::open().await;
    admin.done("CreateUser", "UserName=ada&Tags.member.1.Key=Team&Tags.member.1.Value=a").await;
    admin.done("CreateUser", "UserName=bob&Path=/x/").await;
    let desk = admin.allowed(
        r#"{"Effect":"Allow","Action":"iam:GetUser","Resource":"*",
            "Condition":{"StringEquals":{"aws:ResourceTag/team":"a"}}},
           {"Effect":"Allow","Action":"iam:TagUser","Resource":"arn:aws:iam::*:user/x/*",
            "Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["ok"]}}},
           {"Effect":"Allow","Action":"iam:CreateUser","Resource":"*","Condition":{"StringEquals":
            {"iam:PermissionsBoundary":"arn:aws:iam::aws:policy/ReadOnlyAccess"}}},
           {"Effect":"Allow","Action":"iam:AttachUserPolicy","Resource":"*","Condition":{"ArnEquals":
            {"iam:PolicyARN":"arn:aws:iam::aws:policy/ReadOnlyAccess"}}},
           {"Effect":"Allow","Action":"iam:UpdateUser","Resource":"arn:aws:iam::*:user/x/*"}"#,
    );
    let read_only = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    for (operation, form, allowed) in [
        ("GetUser", "UserName=ada".to_owned(), true),
        ("GetUser", "UserName=bob".to_owned(), false),
        ("GetUser", "UserName=nobody".to_owned(), false),
        ("TagUser", "UserName=bob&Tags.member.1.Key=ok&Tags.member.1.Value=".to_owned(), true),
        ("TagUser", "UserName=bob&Tags.member.1.Key=no&Tags.member.1.Value=".to_owned(), false),
        ("TagUser", "UserName=ada&Tags.member.1.Key=ok&Tags.member.1.Value=".to_owned(), false),
        ("CreateUser", format!("UserName=eve&PermissionsBoundary={read_only}"), true),
        ("CreateUser", "UserName=mal".to_owned(), false),
        ("AttachUserPolicy", format!("UserName=ada&PolicyArn={read_only}"), true),
        (
            "AttachUserPolicy",
            "UserName=ada&PolicyArn=arn:aws:iam::aws:policy/IAMFullAccess".to_owned(),
            false,
        ),
        ("UpdateUser", "UserName=bob&NewPath=/x/y/".to_owned(), true),
        ("UpdateUser", "UserName=bob&NewPath=/".to_owned(), false),
    ] {
        let answered = desk.call(operation, &form).await;
        let code = answered.error().map(|it| it.0);
        assert_eq!(code.as_deref(), (!allowed).then_some("AccessDenied"), "{operation} {form}");
    }
    let denied = desk.call("GetUser", "UserName=bob").await.error().expect("denied").2;
    assert_eq!(
        denied,
        "User: arn:aws:iam::111122223333:user/admin is not authorized to perform: \
        iam:GetUser on resource: user bob because no identity-based policy allows the iam:GetUser action"
    );
}

#[tokio::test]
async fn a_new_user_may_do_nothing_and_one_that_is_gone_is_nobody() {
    let desk = Desk::open().await;
    let made = desk.done("CreateUser", "UserName=ada").await;
    let mut ada = desk.caller.clone();
    ada.user_name = "ada".to_owned();
    ada.principal_id = made.get("UserId").expect("an id").to_owned();
    assert!(desk.gathered(&ada).await.expect("there").identity.is_empty());
    desk.done("AttachUserPolicy", "UserName=ada&PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess")
        .await;
    assert_eq!(desk.gathered(&ada).await.expect("there").identity.len(), 1);
    desk.done("DetachUserPolicy", "UserName=ada&PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess")
        .await;
    desk.done("DeleteUser", "UserName=ada").await;
    desk.done("CreateUser", "UserName=ada").await;
    let mut txn = store::begin(&desk.backend);
    assert!(gather(&mut txn, &ada).await.expect("whole").is_none(), "another ada");
}
