//! Aliases.

use crate::desk::{ACCOUNT, Desk, Person, REGION, SECRET, allow, document};
use serde_json::json;

#[tokio::test]
async fn an_alias_leads_to_its_key_until_it_is_moved_or_deleted() {
    let desk = Desk::open().await;
    let (one, two) = (desk.key(None).await, desk.key(None).await);
    let to = |key: &str| json!({ "AliasName": "alias/app/db", "TargetKeyId": key });
    desk.call("CreateAlias", to(&one)).await.ok();
    let arn = format!("arn:aws:kms:{REGION}:{ACCOUNT}:alias/app/db");
    assert_eq!(
        desk.call("CreateAlias", to(&two)).await.told(),
        format!("AlreadyExistsException: An alias with the name {arn} already exists")
    );
    let encrypt = |name: &str| json!({ "KeyId": name, "Plaintext": SECRET });
    for name in ["alias/app/db", &arn] {
        assert_eq!(desk.call("Encrypt", encrypt(name)).await.ok().text("/KeyId"), one);
    }
    desk.advance(1);
    desk.call("UpdateAlias", to(&two)).await.ok();
    assert_eq!(desk.call("Encrypt", encrypt(&arn)).await.ok().text("/KeyId"), two);
    for (key, count) in [(&one, 0), (&two, 1)] {
        let listed = desk.call("ListAliases", json!({ "KeyId": key })).await.ok();
        assert_eq!(listed.0["Aliases"].as_array().map(Vec::len), Some(count), "{listed:?}");
    }
    let listed = desk.call("ListAliases", json!({})).await.ok();
    let id = two.rsplit('/').next();
    let expected = json!([{
        "AliasName": "alias/app/db",
        "AliasArn": arn,
        "TargetKeyId": id,
        "CreationDate": 1_769_853_600.0,
        "LastUpdatedDate": 1_769_940_000.0,
    }]);
    assert_eq!(listed.0["Aliases"], expected);

    desk.call("DeleteAlias", json!({ "AliasName": "alias/app/db" })).await.ok();
    let gone = format!("NotFoundException: Alias {arn} is not found.");
    assert_eq!(desk.call("Encrypt", encrypt("alias/app/db")).await.told(), gone);
    assert_eq!(desk.call("UpdateAlias", to(&one)).await.told(), gone);
    let delete = desk.call("DeleteAlias", json!({ "AliasName": "alias/app/db" })).await;
    assert_eq!(delete.told(), gone);
}

/// Row 139, reserved names and the number of aliases.
#[tokio::test]
async fn names_have_rules() {
    let desk = Desk::open().await;
    let key = desk.key(None).await;
    let create = |name: &str| json!({ "AliasName": name, "TargetKeyId": key });
    let prefix = "ValidationException: Alias must start with the prefix \"alias/\". Please see \
                  https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html";
    assert_eq!(desk.call("CreateAlias", create("foo")).await.told(), prefix);
    let reserved = desk.call("CreateAlias", create("alias/aws/mine")).await;
    assert_eq!(reserved.0, json!({ "__type": "NotAuthorizedException" }));
    let told = desk.call("CreateAlias", create("alias/a b")).await.told();
    assert!(told.contains("failed to satisfy constraint"), "{told}");
    for number in 0..50 {
        desk.call("CreateAlias", create(&format!("alias/n{number:02}"))).await.ok();
    }
    let one_more = desk.call("CreateAlias", create("alias/n50")).await;
    assert_eq!(one_more.error(), "LimitExceededException");
    let page = desk.call("ListAliases", json!({ "Limit": 49 })).await.ok();
    let marker = page.text("/NextMarker");
    let rest = desk.call("ListAliases", json!({ "Marker": marker })).await.ok();
    assert_eq!(rest.0["Aliases"][0]["AliasName"], "alias/n49");
    assert_eq!(rest.0["Aliases"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn alias_and_key_both_need_a_right() {
    let desk = Desk::open().await;
    let key = desk.key(None).await;
    let alias = format!("arn:aws:kms:{REGION}:{ACCOUNT}:alias/*");
    let body = json!({ "AliasName": "alias/app", "TargetKeyId": key });
    let both =
        json!([{ "Effect": "Allow", "Action": "kms:CreateAlias", "Resource": [key, alias] }]);
    for (policy, allowed) in [
        (allow("kms:CreateAlias", &alias), false),
        (allow("kms:CreateAlias", &key), false),
        (document(&both), true),
    ] {
        let who = Person::user(ACCOUNT, "alice", Some(policy));
        let answered = desk.call_as(&who, "CreateAlias", body.clone()).await;
        assert_eq!(answered.error().is_empty(), allowed, "{answered:?}");
    }
}
