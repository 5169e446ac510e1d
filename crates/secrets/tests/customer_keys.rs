//! Secrets under customers' keys: the second lock, and what it leaves in the trail.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "helpers of tests")]

use serde_json::{Value, json};
use testkit::{Desk, access, caller};

const TOKEN: &str = "11111111-1111-4111-8111-111111111111";

async fn desk() -> (Desk, String) {
    let desk = Desk::open(21).await.expect("a desk");
    let made = desk.call("kms:CreateKey", json!({})).await;
    let arn = made.body["KeyMetadata"]["Arn"].as_str().expect("a key").to_owned();
    desk.trail.take();
    (desk, arn)
}

fn secret(key: &str) -> Value {
    json!({ "Name": "a", "SecretString": "s", "KmsKeyId": key, "ClientRequestToken": TOKEN })
}

/// What each record since the last look says of its event.
fn told(desk: &Desk) -> Vec<(String, Value)> {
    let name = |it: &Value| it["eventName"].as_str().expect("named").to_owned();
    desk.trail.take().into_iter().map(|it| (name(&it), it)).collect()
}

/// Rows 142 and 143.
#[tokio::test]
async fn each_use_of_the_key_leaves_a_record() {
    let (desk, key) = desk().await;
    let made = desk.call("CreateSecret", secret(&key)).await;
    let arn = made.get("ARN").as_str().expect("made").to_owned();
    let records = told(&desk);
    let names: Vec<_> = records.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(names, ["CreateSecret", "GenerateDataKey", "Decrypt", "GenerateDataKey"]);
    let versions: Vec<_> = records[1..]
        .iter()
        .map(|it| it.1["requestParameters"]["encryptionContext"]["SecretVersionId"].clone())
        .collect();
    assert_eq!(versions, ["RequestToValidateKeyAccess", "RequestToValidateKeyAccess", TOKEN]);

    desk.call("GetSecretValue", json!({ "SecretId": "a" })).await;
    let records = told(&desk);
    let [(first, _), (second, used)] = &records[..] else { panic!("{records:?}") };
    assert_eq!((first.as_str(), second.as_str()), ("GetSecretValue", "Decrypt"));
    assert_eq!(used["eventSource"], "kms.amazonaws.com");
    assert_eq!(used["sourceIPAddress"], "secretsmanager.amazonaws.com");
    assert_eq!(used["userIdentity"]["invokedBy"], "secretsmanager.amazonaws.com");
    assert_eq!(used["readOnly"], true);
    assert_eq!(used["resources"][0]["ARN"], json!(key));
    let context = json!({ "SecretARN": arn, "SecretVersionId": TOKEN });
    assert_eq!(used["requestParameters"]["encryptionContext"], context);
}

/// A right that is missing leaves a record, too, and tells the caller nothing of it.
#[tokio::test]
async fn a_refusal_of_the_key_is_recorded_and_not_told() {
    let (desk, key) = desk().await;
    desk.call("CreateSecret", secret(&key)).await;
    desk.trail.take();
    let reader = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*"}}"#;
    let who = (&caller("111122223333").expect("valid"), &access(reader).expect("a policy"));
    let body = json!({ "SecretId": "a" }).to_string();
    let answer = desk.call_with(who, "GetSecretValue", body.as_bytes()).await;
    assert_eq!(answer.error(), Some("AccessDeniedException"));
    assert_eq!(answer.get("Message"), "Access to KMS is not allowed");
    let records = told(&desk);
    assert_eq!(records[1].0, "Decrypt");
    assert_eq!(records[1].1["errorCode"], "AccessDenied", "{records:?}");
}

/// Rows 140 and 141.
#[tokio::test]
async fn after_a_change_of_keys_either_opens_until_the_next_version() {
    let (desk, old) = desk().await;
    let made = desk.call("kms:CreateKey", json!({})).await;
    let new = made.body["KeyMetadata"]["Arn"].as_str().expect("a key").to_owned();
    desk.call("CreateSecret", secret(&old)).await;
    let read = async || desk.call("GetSecretValue", json!({ "SecretId": "a" })).await.status;
    let switch = async |operation: &str, key: &str| {
        assert_eq!(desk.call(operation, json!({ "KeyId": key })).await.status, 200);
    };
    let change = |key: &str, token: &str| json!({ "SecretId": "a", "KmsKeyId": key, "ClientRequestToken": token });
    let second = "22222222-2222-4222-8222-222222222222";
    assert_eq!(desk.call("UpdateSecret", change(&new, second)).await.status, 200);
    for key in [&old, &new] {
        switch("kms:DisableKey", key).await;
        assert_eq!(read().await, 200, "the other opens");
        switch("kms:EnableKey", key).await;
    }

    let third = "33333333-3333-4333-8333-333333333333";
    let put = json!({ "SecretId": "a", "SecretString": "t", "ClientRequestToken": third });
    assert_eq!(desk.call("PutSecretValue", put).await.status, 200);
    switch("kms:DisableKey", &new).await;
    assert_eq!(read().await, 400, "the new version is under the new key alone");
    switch("kms:EnableKey", &new).await;

    // Without kms:Encrypt on the next key the call succeeds, and versions stay as they are.
    let made = desk.call("kms:CreateKey", json!({})).await;
    let last = made.body["KeyMetadata"]["Arn"].as_str().expect("a key").to_owned();
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":"kms:Encrypt","Resource":"*"}]}"#;
    let who = (&caller("111122223333").expect("valid"), &access(policy).expect("a policy"));
    let body = change(&last, "44444444-4444-4444-8444-444444444444").to_string();
    assert_eq!(desk.call_with(who, "UpdateSecret", body.as_bytes()).await.status, 200);
    switch("kms:DisableKey", &last).await;
    assert_eq!(read().await, 200, "still under the key before");
    switch("kms:DisableKey", &new).await;
    assert_eq!(read().await, 400);
}
