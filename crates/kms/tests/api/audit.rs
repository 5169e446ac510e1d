//! What is recorded, and what never is.

use crate::desk::{Desk, SECRET};
use serde_json::{Value, json};

#[tokio::test]
async fn contexts_are_recorded_and_neither_plaintext_nor_blobs() {
    let desk = Desk::open().await;
    let key = desk.key(None).await;
    let context = json!({ "SecretARN": "arn:one" });
    let blob = desk.encrypt(&key, context.clone()).await;
    let body = json!({ "CiphertextBlob": blob, "EncryptionContext": context });
    desk.call("Decrypt", body).await.ok();
    let body = json!({ "KeyId": key, "KeySpec": "AES_256", "EncryptionContext": context });
    let made = desk.call("GenerateDataKey", body).await.ok();
    let plain = made.text("/Plaintext");
    let random = desk.call("GenerateRandom", json!({ "NumberOfBytes": 32 })).await.ok();

    let records = desk.records();
    for record in &records {
        for secret in [SECRET, &blob, &plain, &random.text("/Plaintext"), "canary-4711"] {
            assert!(!record.contains(secret), "{record}");
        }
    }
    let of = |name: &str| -> Value {
        let named = format!("\"eventName\":\"{name}\"");
        let found = records.iter().find(|it| it.contains(&named)).expect("recorded");
        serde_json::from_str(found).expect("JSON")
    };
    for (name, read_only) in [
        ("CreateKey", false),
        ("Decrypt", true),
        ("Encrypt", true),
        ("GenerateDataKey", true),
        ("GenerateRandom", true),
    ] {
        let record = of(name);
        assert_eq!(record["eventSource"], "kms.amazonaws.com", "{name}");
        assert_eq!(record["readOnly"], read_only, "{name}");
    }
    assert_eq!(of("Decrypt")["requestParameters"], json!({ "encryptionContext": context }));
    assert_eq!(of("Decrypt")["responseElements"], Value::Null);
    assert_eq!(of("GenerateDataKey")["requestParameters"]["keySpec"], "AES_256");
    assert_eq!(of("CreateKey")["responseElements"]["keyMetadata"]["arn"], key.as_str());
}

#[tokio::test]
async fn inputs_tell_no_plaintext_when_printed() {
    let body = json!({ "KeyId": "x", "Plaintext": SECRET, "CiphertextBlob": SECRET }).to_string();
    let encrypt: strongroom_kms::operations::encrypt::Encrypt =
        serde_json::from_str(&body).expect("bound");
    let decrypt: strongroom_kms::operations::decrypt::Decrypt =
        serde_json::from_str(&body).expect("bound");
    for printed in [format!("{encrypt:?}"), format!("{decrypt:?}")] {
        assert!(!printed.contains("canary") && !printed.contains(SECRET), "{printed}");
        assert!(printed.contains("••••"), "{printed}");
    }
}

#[tokio::test]
async fn failures_are_recorded_with_their_code() {
    let desk = Desk::open().await;
    desk.call("DescribeKey", json!({ "KeyId": "foo" })).await;
    let records = desk.records();
    let record: Value = serde_json::from_str(records.last().expect("one")).expect("JSON");
    assert_eq!(record["errorCode"], "NotFoundException");
    assert_eq!(record["errorMessage"], "Invalid keyId 'foo'");
}
