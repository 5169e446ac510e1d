//! Making, describing and naming keys.

use crate::desk::{ACCOUNT, Desk, Person, REGION, SECRET, allow};
use serde_json::json;

#[tokio::test]
async fn a_fresh_key_is_described_in_full() {
    let desk = Desk::open().await;
    let made = desk.call("CreateKey", json!({ "Description": "mine" })).await.ok();
    let id = made.text("/KeyMetadata/KeyId");
    let material = made.text("/KeyMetadata/CurrentKeyMaterialId");
    let expected = json!({ "KeyMetadata": {
        "AWSAccountId": ACCOUNT,
        "KeyId": id,
        "Arn": format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/{id}"),
        "CreationDate": 1_769_853_600.0,
        "Enabled": true,
        "Description": "mine",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": false,
        "CurrentKeyMaterialId": material,
    } });
    assert_eq!(made.0, expected);
    assert_eq!(desk.call("DescribeKey", json!({ "KeyId": id })).await.0, expected);
}

#[tokio::test]
async fn names_that_lead_nowhere() {
    let desk = Desk::open().await;
    let base = format!("arn:aws:kms:{REGION}:{ACCOUNT}");
    let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
    let unknown = format!("NotFoundException: Key '{base}:key/{id}' does not exist");
    #[rustfmt::skip]
    let cases = [
        ("DescribeKey", id.to_owned(), unknown.clone()),
        ("DescribeKey", format!("{base}:key/{id}"), unknown.clone()),
        ("DisableKey", id.to_owned(), unknown),
        ("DescribeKey", "foo".to_owned(), "NotFoundException: Invalid keyId 'foo'".to_owned()),
        ("DescribeKey", "alias/foo".to_owned(), format!("NotFoundException: Alias {base}:alias/foo is not found.")),
        ("DescribeKey", format!("arn:aws:kms:eu-west-1:{ACCOUNT}:key/{id}"), "NotFoundException: Invalid arn eu-west-1".to_owned()),
        ("DisableKey", "alias/foo".to_owned(), "InvalidArnException: Key Aliases are not supported for this operation".to_owned()),
    ];
    for (operation, given, expected) in cases {
        assert_eq!(desk.call(operation, json!({ "KeyId": given })).await.told(), expected);
    }
    let told = desk.call("DescribeKey", json!({})).await.told();
    assert_eq!(
        told,
        "ValidationException: 1 validation error detected: Value null at 'keyId' failed to satisfy \
         constraint: Member must not be null"
    );
    let nobody = Person::user(ACCOUNT, "nobody", None);
    let told = desk.call_as(&nobody, "DescribeKey", json!({ "KeyId": id })).await;
    assert_eq!(told.error(), "AccessDeniedException", "existence is told to those who may know");
}

#[tokio::test]
async fn other_kinds_of_keys_are_refused_in_aws_words() {
    let desk = Desk::open().await;
    #[rustfmt::skip]
    let cases = [
        (json!({ "KeySpec": "RSA_2048" }), "ValidationException: You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."),
        (json!({ "KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC" }), "UnsupportedOperationException: KeySpec HMAC_256 is not supported."),
        (json!({ "KeyUsage": "SIGN_VERIFY" }), "ValidationException: KeyUsage SIGN_VERIFY is not compatible with KeySpec SYMMETRIC_DEFAULT"),
        (json!({ "Origin": "AWS_CLOUDHSM" }), "UnsupportedOperationException: Origin AWS_CLOUDHSM is not supported."),
        (json!({ "MultiRegion": true }), "UnsupportedOperationException: Multi-Region keys are not supported."),
        (json!({ "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT" }), "ok"),
    ];
    for (body, expected) in cases {
        assert_eq!(desk.call("CreateKey", body.clone()).await.told(), expected, "{body}");
    }
    let told = desk.call("CreateKey", json!({ "KeyUsage": "RANDOM" })).await.told();
    assert!(told.contains("Value 'RANDOM' at 'keyUsage' failed to satisfy constraint"), "{told}");
}

#[tokio::test]
async fn tags_are_set_listed_and_taken_off() {
    let desk = Desk::open().await;
    let tag = |key: &str, value: &str| json!({ "TagKey": key, "TagValue": value });
    let body = json!({ "Tags": [tag("a", "1"), tag("b", "2")] });
    let id = desk.call("CreateKey", body).await.ok().text("/KeyMetadata/KeyId");
    let list = json!({ "KeyId": id });
    let body = json!({ "KeyId": id, "Tags": [tag("b", "3"), tag("c", "4")] });
    desk.call("TagResource", body).await.ok();
    desk.call("UntagResource", json!({ "KeyId": id, "TagKeys": ["a", "z"] })).await.ok();
    let tags = json!([tag("b", "3"), tag("c", "4")]);
    let expected = json!({ "Tags": tags, "Truncated": false });
    assert_eq!(desk.call("ListResourceTags", list).await.0, expected);

    let page = desk.call("ListResourceTags", json!({ "KeyId": id, "Limit": 1 })).await.ok();
    assert_eq!((&page.0["Tags"], &page.0["Truncated"]), (&json!([tag("b", "3")]), &json!(true)));
    let marker = page.text("/NextMarker");
    let rest = desk.call("ListResourceTags", json!({ "KeyId": id, "Marker": marker })).await;
    assert_eq!(rest.0["Tags"], json!([tag("c", "4")]));
    let wrong = json!({ "KeyId": id, "Marker": "AAAA" });
    assert_eq!(desk.call("ListResourceTags", wrong).await.error(), "InvalidMarkerException");

    for (tags, expected) in [
        (json!([tag("x", "1"), tag("x", "2")]), "TagException: Duplicate tag keys"),
        (json!([tag("AWS:x", "1")]), "TagException: Tags beginning with aws: are reserved"),
    ] {
        let body = json!({ "KeyId": id, "Tags": tags });
        assert_eq!(desk.call("TagResource", body).await.told(), expected);
        assert_eq!(desk.call("CreateKey", json!({ "Tags": tags })).await.told(), expected);
    }
    let creator = Person::user(ACCOUNT, "maker", Some(allow("kms:CreateKey", "*")));
    let tagged = desk.call_as(&creator, "CreateKey", json!({ "Tags": [tag("a", "1")] })).await;
    assert_eq!(tagged.error(), "AccessDeniedException", "tags need a right of their own");
}

#[tokio::test]
async fn listing_walks_through_all_keys_once() {
    let desk = Desk::open().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(desk.key(None).await);
    }
    made.sort();
    let (mut found, mut marker) = (Vec::new(), None);
    loop {
        let mut body = json!({ "Limit": 2 });
        if let Some(marker) = marker {
            body["Marker"] = marker;
        }
        let page = desk.call("ListKeys", body).await.ok();
        let keys = page.0["Keys"].as_array().expect("a list").clone();
        assert!(keys.len() <= 2);
        found.extend(keys.iter().map(|it| it["KeyArn"].as_str().expect("text").to_owned()));
        if page.0["Truncated"] == json!(false) {
            break;
        }
        marker = Some(page.0["NextMarker"].clone());
    }
    assert_eq!(found, made);
    let policies = desk.call("ListKeyPolicies", json!({ "KeyId": made[0] })).await.ok();
    assert_eq!(policies.0, json!({ "PolicyNames": ["default"], "Truncated": false }));
}

#[tokio::test]
async fn rows_from_before_customer_keys_are_read() {
    let desk = Desk::open().await;
    let key = desk.key(None).await;
    desk.call("Encrypt", json!({ "KeyId": key, "Plaintext": SECRET })).await.ok();
    let old = r#"{"id":"1234abcd-12ab-34cd-56ef-1234567890ab","arn":"arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab","alias":"aws/secretsmanager","state":"Enabled","manager":"AWS","created":1769853600000,"material":"0707070707070707070707070707070707070707070707070707070707070707"}"#;
    let row: strongroom_kms::KmsKey = store::Record::decode(1, old.as_bytes()).expect("readable");
    let written = store::Record::encode(&row).expect("writable");
    let again: strongroom_kms::KmsKey = store::Record::decode(2, &written).expect("readable");
    assert_eq!(row, again);
}
