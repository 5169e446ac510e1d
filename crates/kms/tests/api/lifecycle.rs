//! States, rotation, and the end of keys.

use crate::desk::{Desk, SECRET};
use serde_json::{Value, json};
use store::{Backend, Commit, KeyRange};
use strongroom_kms::{KeyState, set_state};

async fn put_into(desk: &Desk, key: &str, state: KeyState) {
    let mut txn = store::begin(&desk.backend);
    set_state(&mut txn, key, state).await.expect("there");
    txn.commit().await.expect("alone");
}

#[tokio::test]
async fn each_operation_in_each_state() {
    use KeyState::{Creating, Disabled, Enabled, PendingDeletion, PendingImport, Updating};
    const OK: &str = "ok";
    const DIS: &str = "DisabledException: {arn} is disabled.";
    const DEL: &str = "KMSInvalidStateException: {arn} is pending deletion.";
    const IMP: &str = "KMSInvalidStateException: {arn} is pending import.";
    const NEW: &str = "KMSInvalidStateException: {arn} is creating.";
    const UPD: &str = "KMSInvalidStateException: {arn} is updating.";
    const NOT: &str = "KMSInvalidStateException: {arn} is not pending deletion.";
    let desk = Desk::open().await;
    let states = [Enabled, Disabled, PendingDeletion, PendingImport, Creating, Updating];
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"}]}"#;
    #[rustfmt::skip]
    let matrix: [(&str, Value, [&str; 6]); 21] = [
        // operation, further members                     Enabled Disabled Deletion Import Creating Updating
        ("Encrypt", json!({ "Plaintext": SECRET }),         [OK, DIS, DEL, IMP, NEW, OK]), // 123
        ("GenerateDataKey", json!({ "KeySpec": "AES_256" }), [OK, DIS, DEL, IMP, NEW, OK]),
        ("Decrypt", json!({ "CiphertextBlob": "blob" }),    [OK, DIS, DEL, IMP, NEW, OK]), // 124
        ("CreateGrant", json!({ "Operations": ["Decrypt"], "GranteePrincipal": "111122223333" }), [OK, DIS, DEL, IMP, NEW, OK]),
        ("DescribeKey", json!({}),                          [OK; 6]),
        ("GetKeyPolicy", json!({}),                         [OK; 6]),
        ("PutKeyPolicy", json!({ "Policy": policy }),       [OK; 6]),
        ("ListGrants", json!({}),                           [OK; 6]),
        ("ListKeyPolicies", json!({}),                      [OK; 6]),
        ("ListAliases", json!({}),                          [OK; 6]),
        ("ListResourceTags", json!({}),                     [OK; 6]),
        ("GetKeyRotationStatus", json!({}),                 [OK; 6]),
        ("TagResource", json!({ "Tags": [] }),              [OK, OK, DEL, OK, OK, OK]),
        ("UntagResource", json!({ "TagKeys": [] }),         [OK, OK, DEL, OK, OK, OK]),
        ("UpdateKeyDescription", json!({ "Description": "x" }), [OK, OK, DEL, OK, OK, OK]),
        ("EnableKey", json!({}),                            [OK, OK, DEL, IMP, NEW, UPD]),
        ("DisableKey", json!({}),                           [OK, OK, DEL, IMP, NEW, UPD]),
        ("EnableKeyRotation", json!({}),                    [OK, DIS, DEL, IMP, NEW, OK]),
        ("DisableKeyRotation", json!({}),                   [OK, DIS, DEL, IMP, NEW, OK]),
        ("ScheduleKeyDeletion", json!({}),                  [OK, OK, DEL, OK, OK, UPD]),
        ("CancelKeyDeletion", json!({}),                    [NOT, NOT, OK, NOT, NOT, NOT]), // 126
    ];
    for (operation, members, outcomes) in matrix {
        for (state, outcome) in states.into_iter().zip(outcomes) {
            let key = desk.key(None).await;
            let mut body = members.clone();
            body["KeyId"] = json!(key);
            if operation == "Decrypt" {
                body["CiphertextBlob"] = json!(desk.encrypt(&key, json!({})).await);
            }
            put_into(&desk, &key, state).await;
            let told = desk.call(operation, body).await.told();
            assert_eq!(told, outcome.replace("{arn}", &key), "{operation} in {state:?}");
        }
    }
}

#[tokio::test]
async fn aliases_and_states() {
    let desk = Desk::open().await;
    let (live, doomed) = (desk.key(None).await, desk.key(None).await);
    let to = |name: &str, key: &str| json!({ "AliasName": name, "TargetKeyId": key });
    desk.call("CreateAlias", to("alias/a", &doomed)).await.ok();
    desk.call("CreateAlias", to("alias/b", &live)).await.ok();
    put_into(&desk, &doomed, KeyState::PendingDeletion).await;
    let pending = format!("KMSInvalidStateException: {doomed} is pending deletion.");
    assert_eq!(desk.call("CreateAlias", to("alias/c", &doomed)).await.told(), pending);
    assert_eq!(desk.call("UpdateAlias", to("alias/b", &doomed)).await.told(), pending);
    desk.call("UpdateAlias", to("alias/a", &live)).await.ok();
    desk.call("DeleteAlias", json!({ "AliasName": "alias/a" })).await.ok();
}

/// Rows 125 and 126, and the end.
#[tokio::test]
async fn a_key_waits_and_is_gone_with_all_it_had() {
    let desk = Desk::open().await;
    let (key, other) = (desk.key(None).await, desk.key(None).await);
    let id = key.rsplit('/').next().expect("an id").to_owned();
    let blob = desk.encrypt(&key, json!({})).await;
    desk.call("CreateAlias", json!({ "AliasName": "alias/a", "TargetKeyId": key })).await.ok();
    desk.call("EnableKeyRotation", json!({ "KeyId": key })).await.ok();
    desk.call("RotateKeyOnDemand", json!({ "KeyId": key })).await.ok();
    let grant =
        json!({ "KeyId": key, "Operations": ["Decrypt"], "GranteePrincipal": "444455556666" });
    desk.call("CreateGrant", grant).await.ok();

    let short = json!({ "KeyId": key, "PendingWindowInDays": 6 });
    assert_eq!(
        desk.call("ScheduleKeyDeletion", short).await.told(),
        "ValidationException: 1 validation error detected: Value '6' at 'pendingWindowInDays' failed \
         to satisfy constraint: Member must have value greater than or equal to 7"
    );
    let schedule = json!({ "KeyId": key, "PendingWindowInDays": 7 });
    let scheduled = desk.call("ScheduleKeyDeletion", schedule.clone()).await.ok();
    let expected = json!({
        "KeyId": key,
        "DeletionDate": 1_769_853_600.0 + 7.0 * 86_400.0,
        "KeyState": "PendingDeletion",
        "PendingWindowInDays": 7,
    });
    assert_eq!(scheduled.0, expected);
    desk.advance(6);
    assert_eq!(desk.settle().await, 0);
    let canceled = desk.call("CancelKeyDeletion", json!({ "KeyId": key })).await.ok();
    assert_eq!(canceled.0, json!({ "KeyId": key }));
    desk.advance(30);
    desk.settle().await;
    let described = desk.call("DescribeKey", json!({ "KeyId": key })).await.ok();
    assert_eq!(described.text("/KeyMetadata/KeyState"), "Disabled");
    desk.call("EnableKey", json!({ "KeyId": key })).await.ok();
    desk.call("Decrypt", json!({ "CiphertextBlob": blob })).await.ok();

    desk.call("ScheduleKeyDeletion", schedule).await.ok();
    desk.advance(7);
    let late = desk.call("CancelKeyDeletion", json!({ "KeyId": key })).await;
    assert_eq!(late.error(), "NotFoundException", "its material may be gone");
    assert!(desk.settle().await > 0);
    let gone = desk.call("DescribeKey", json!({ "KeyId": key })).await;
    assert_eq!(gone.told(), format!("NotFoundException: Key '{key}' does not exist"));
    let open = desk.call("Decrypt", json!({ "CiphertextBlob": blob })).await;
    assert_eq!(open.error(), "InvalidCiphertextException");
    let snapshot = desk.backend.snapshot().await.expect("alive");
    for (row, value) in snapshot.scan(&KeyRange::prefix(""), 10_000, false).await.expect("alive") {
        let text = String::from_utf8_lossy(&value);
        let told = row.starts_with("outbox/");
        assert!(told || !row.contains(&id) && !text.contains(&id), "{row}");
    }
    desk.encrypt(&other, json!({})).await;
    let record = desk.records().into_iter().find(|it| it.contains("DeleteKey")).expect("recorded");
    assert!(record.contains(r#""eventSource":"kms.amazonaws.com""#), "{record}");
}

/// Rows 127 and 128.
#[tokio::test]
async fn old_blobs_open_after_a_rotation() {
    let desk = Desk::open().await;
    let key = desk.key(None).await;
    let by = json!({ "KeyId": key });
    let material = |it: Value| it["KeyMetadata"]["CurrentKeyMaterialId"].clone();
    let before = material(desk.call("DescribeKey", by.clone()).await.0);
    let old = desk.encrypt(&key, json!({})).await;
    desk.call("RotateKeyOnDemand", by.clone()).await.ok();
    let after = material(desk.call("DescribeKey", by.clone()).await.0);
    assert_ne!(before, after);
    let fresh = desk.encrypt(&key, json!({})).await;
    desk.keyring.forget();
    for (blob, material) in [(old, &before), (fresh, &after)] {
        let opened = desk.call("Decrypt", json!({ "CiphertextBlob": blob })).await.ok();
        assert_eq!(
            (&opened.0["KeyMaterialId"], opened.text("/Plaintext").as_str()),
            (material, SECRET)
        );
    }
    let listed = desk.call("ListKeyRotations", by.clone()).await.ok();
    let id = key.rsplit('/').next();
    let expected = json!({ "Rotations": [{
        "KeyId": id,
        "KeyMaterialId": after,
        "KeyMaterialState": "CURRENT",
        "RotationDate": 1_769_853_600.0,
        "RotationType": "ON_DEMAND",
    }], "Truncated": false });
    assert_eq!(listed.0, expected);
    let all = json!({ "KeyId": key, "IncludeKeyMaterial": "ALL_KEY_MATERIAL", "Limit": 1 });
    let page = desk.call("ListKeyRotations", all).await.ok();
    assert_eq!(
        (&page.0["Rotations"][0]["KeyMaterialId"], &page.0["Truncated"]),
        (&before, &json!(true))
    );

    for _ in 1..25 {
        desk.call("RotateKeyOnDemand", by.clone()).await.ok();
    }
    let told = desk.call("RotateKeyOnDemand", by).await.told();
    let expected = "LimitExceededException: The on-demand rotations limit has been reached for the \
                    given keyId. No more on-demand rotations can be performed for this key: ";
    assert_eq!(told, format!("{expected}{key}"));
}

#[tokio::test]
async fn rotation_by_itself_and_while_disabled() {
    let desk = Desk::open().await;
    let key = desk.key(None).await;
    let by = json!({ "KeyId": key });
    let id = key.rsplit('/').next();
    let off = json!({ "KeyId": id, "KeyRotationEnabled": false });
    assert_eq!(desk.call("GetKeyRotationStatus", by.clone()).await.0, off);
    let often = json!({ "KeyId": key, "RotationPeriodInDays": 90 });
    desk.call("EnableKeyRotation", often).await.ok();
    let on = json!({
        "KeyId": id,
        "KeyRotationEnabled": true,
        "RotationPeriodInDays": 90,
        "NextRotationDate": 1_769_853_600.0 + 90.0 * 86_400.0,
    });
    assert_eq!(desk.call("GetKeyRotationStatus", by.clone()).await.0, on);

    let rotations = async || {
        let listed = desk.call("ListKeyRotations", by.clone()).await.ok();
        listed.0["Rotations"].as_array().map(Vec::len)
    };
    desk.advance(89);
    desk.settle().await;
    assert_eq!(rotations().await, Some(0));
    desk.advance(1);
    desk.settle().await;
    assert_eq!(rotations().await, Some(1));
    desk.call("DisableKey", by.clone()).await.ok();
    desk.advance(100);
    desk.settle().await;
    assert_eq!(rotations().await, Some(1), "not while it is disabled");
    desk.call("EnableKey", by.clone()).await.ok();
    desk.settle().await;
    assert_eq!(rotations().await, Some(2), "made up for");
    desk.call("DisableKeyRotation", by.clone()).await.ok();
    desk.advance(1000);
    assert_eq!(desk.settle().await, 0);
    assert_eq!(rotations().await, Some(2));
    let record =
        desk.records().into_iter().find(|it| it.contains("RotateKey\"")).expect("recorded");
    assert!(record.contains(&key), "{record}");
}

/// Rows from before rotation name one material and have no list: it must not be forgotten.
#[tokio::test]
async fn the_first_material_of_an_old_row_still_opens_after_a_rotation() {
    let desk = Desk::open().await;
    let key = desk.key(None).await;
    let old = desk.encrypt(&key, json!({})).await;
    let id = key.rsplit('/').next().expect("an id");
    let row = format!("s/111122223333/us-east-1/key/{id}");
    let snapshot = desk.backend.snapshot().await.expect("alive");
    let stored = snapshot.get(&row).await.expect("alive").expect("there");
    let mut bare: Value = serde_json::from_slice(&stored[2..]).expect("JSON");
    bare.as_object_mut().expect("an object").remove("materials").expect("listed");
    let bytes = [&[0, 1], bare.to_string().as_bytes()].concat();
    let commit = Commit { writes: vec![(row, Some(bytes))], ..Commit::default() };
    desk.backend.commit(commit).await.expect("alive");

    desk.call("RotateKeyOnDemand", json!({ "KeyId": key })).await.ok();
    desk.call("Decrypt", json!({ "CiphertextBlob": old })).await.ok();
}
