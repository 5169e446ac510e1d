//! Material that is brought along: in, out, over, and back.

use crate::desk::{ACCOUNT, Answered, Desk, Person, SECRET, document};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use store::{Backend, KeyRange};
use strongroom_kms::{KeyState, set_state};

const START: f64 = 1_769_853_600.0;
const DAY: f64 = 86_400.0;

async fn external(desk: &Desk) -> String {
    let made = desk.call("CreateKey", json!({ "Origin": "EXTERNAL" })).await.ok();
    assert_eq!(made.text("/KeyMetadata/KeyState"), "PendingImport");
    assert_eq!(made.text("/KeyMetadata/Origin"), "EXTERNAL");
    assert_eq!(made.0["KeyMetadata"]["Enabled"], json!(false));
    assert!(made.0["KeyMetadata"].get("CurrentKeyMaterialId").is_none());
    made.text("/KeyMetadata/Arn")
}

fn parameters(key: &str) -> Value {
    json!({
        "KeyId": key,
        "WrappingAlgorithm": "RSAES_OAEP_SHA_256",
        "WrappingKeySpec": "RSA_2048",
    })
}

fn sealed(public: &str, plain: &[u8]) -> String {
    let public = STANDARD.decode(public).expect("base64");
    let public = PublicEncryptingKey::from_der(&public).expect("a public key");
    let public = OaepPublicEncryptingKey::new(public).expect("a public key");
    let mut out = vec![0; public.ciphertext_size()];
    let out = public.encrypt(&OAEP_SHA256_MGF1SHA256, plain, &mut out, None).expect("fits");
    STANDARD.encode(out)
}

/// The body of an import of `plain` into `key`, with `further` members.
async fn sent(desk: &Desk, key: &str, plain: &[u8], further: &Value) -> Value {
    let given = desk.call("GetParametersForImport", parameters(key)).await.ok();
    let mut body = json!({
        "KeyId": key,
        "ImportToken": given.text("/ImportToken"),
        "EncryptedKeyMaterial": sealed(&given.text("/PublicKey"), plain),
    });
    let members = body.as_object_mut().expect("an object");
    members.extend(further.as_object().expect("an object").clone());
    body
}

async fn import(desk: &Desk, key: &str, plain: &[u8], further: Value) -> Answered {
    let body = sent(desk, key, plain, &further).await;
    desk.call("ImportKeyMaterial", body).await
}

fn stays() -> Value {
    json!({ "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE" })
}

async fn state(desk: &Desk, key: &str) -> String {
    desk.call("DescribeKey", json!({ "KeyId": key })).await.ok().text("/KeyMetadata/KeyState")
}

async fn materials(desk: &Desk, key: &str) -> Vec<Value> {
    let body = json!({ "KeyId": key, "IncludeKeyMaterial": "ALL_KEY_MATERIAL" });
    let listed = desk.call("ListKeyRotations", body).await.ok();
    listed.0["Rotations"].as_array().expect("a list").clone()
}

/// Rows of material that the store holds.
async fn rows(desk: &Desk) -> usize {
    let snapshot = desk.backend.snapshot().await.expect("alive");
    let all = snapshot.scan(&KeyRange::prefix(""), 10_000, false).await.expect("alive");
    all.iter().filter(|(key, _)| key.contains("/key-material/")).count()
}

#[tokio::test]
async fn what_is_imported_encrypts_and_comes_back_after_it_was_deleted() {
    let desk = Desk::open().await;
    let key = external(&desk).await;
    let brought = import(&desk, &key, &[7; 32], stays()).await.ok();
    let id = brought.text("/KeyMaterialId");
    assert_eq!((brought.text("/KeyId"), id.len()), (key.clone(), 64));
    let described = desk.call("DescribeKey", json!({ "KeyId": key })).await.ok();
    assert_eq!(described.text("/KeyMetadata/KeyState"), "Enabled");
    assert_eq!(described.text("/KeyMetadata/CurrentKeyMaterialId"), id);
    assert_eq!(described.text("/KeyMetadata/ExpirationModel"), "KEY_MATERIAL_DOES_NOT_EXPIRE");
    assert!(described.0["KeyMetadata"].get("ValidTo").is_none());
    let blob = desk.encrypt(&key, json!({})).await;

    let deleted = desk.call("DeleteImportedKeyMaterial", json!({ "KeyId": key })).await.ok();
    assert_eq!(deleted.0, json!({ "KeyId": key, "KeyMaterialId": id }));
    assert_eq!((state(&desk, &key).await.as_str(), rows(&desk).await), ("PendingImport", 0));
    let open = json!({ "CiphertextBlob": blob });
    let told = format!("KMSInvalidStateException: {key} is pending import.");
    assert_eq!(desk.call("Decrypt", open.clone()).await.told(), told);
    assert_eq!(desk.settle().await, 1, "the keyring forgets");
    assert!(format!("{:?}", desk.keyring).contains("unwrapped: 0"), "{:?}", desk.keyring);
    let described = desk.call("DescribeKey", json!({ "KeyId": key })).await.ok();
    assert!(described.0["KeyMetadata"].get("ExpirationModel").is_none());

    let other = import(&desk, &key, &[8; 32], stays()).await;
    assert_eq!(other.error(), "IncorrectKeyMaterialException");
    let back = import(&desk, &key, &[7; 32], stays()).await.ok();
    assert_eq!(back.text("/KeyMaterialId"), id);
    assert_eq!(desk.call("Decrypt", open).await.ok().text("/Plaintext"), SECRET);
}

#[tokio::test]
async fn the_same_material_has_another_name_in_another_key() {
    let desk = Desk::open().await;
    let (one, two) = (external(&desk).await, external(&desk).await);
    let first = import(&desk, &one, &[7; 32], stays()).await.ok().text("/KeyMaterialId");
    let second = import(&desk, &two, &[7; 32], stays()).await.ok().text("/KeyMaterialId");
    assert_ne!(first, second);
    assert!(!first.contains("0707"));
}

#[tokio::test]
async fn expired_material_is_destroyed_and_opens_again_when_it_is_back() {
    let desk = Desk::open().await;
    let key = external(&desk).await;
    let end = START + 2.0 * DAY + 0.5;
    import(&desk, &key, &[7; 32], json!({ "ValidTo": end })).await.ok();
    let described = desk.call("DescribeKey", json!({ "KeyId": key })).await.ok();
    assert_eq!(described.text("/KeyMetadata/ExpirationModel"), "KEY_MATERIAL_EXPIRES");
    assert_eq!(described.0["KeyMetadata"]["ValidTo"], json!(end));
    let blob = desk.encrypt(&key, json!({})).await;
    desk.advance(2);
    assert_eq!(desk.settle().await, 0, "half a second is left");
    assert_eq!(state(&desk, &key).await, "Enabled");
    desk.advance(1);
    assert_eq!(desk.settle().await, 2);
    assert_eq!((state(&desk, &key).await.as_str(), rows(&desk).await), ("PendingImport", 0));
    let event = desk.records().into_iter().find(|it| it.contains("DeleteExpiredKeyMaterial"));
    assert!(event.expect("recorded").contains(&key));

    // A new end, and another one before that came.
    let at = |days: f64| json!({ "ValidTo": START + days * DAY });
    import(&desk, &key, &[7; 32], at(5.0)).await.ok();
    import(&desk, &key, &[7; 32], at(9.0)).await.ok();
    desk.advance(3);
    assert_eq!(desk.settle().await, 1, "the end from before finds nothing to do");
    desk.call("Decrypt", json!({ "CiphertextBlob": blob })).await.ok();
    desk.advance(3);
    desk.settle().await;
    assert_eq!(state(&desk, &key).await, "PendingImport");
}

#[tokio::test]
async fn new_material_waits_for_its_rotation() {
    let desk = Desk::open().await;
    let key = external(&desk).await;
    let by = json!({ "KeyId": key });
    let none = format!(
        "KMSInvalidStateException: No available key material pending rotation for the key: {key}."
    );
    let first = import(&desk, &key, &[1; 32], stays()).await.ok().text("/KeyMaterialId");
    assert_eq!(desk.call("RotateKeyOnDemand", by.clone()).await.told(), none);
    let old = desk.encrypt(&key, json!({})).await;

    let new = json!({
        "ImportType": "NEW_KEY_MATERIAL",
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        "KeyMaterialDescription": "from the safe: 2026",
    });
    let id = import(&desk, &key, &[2; 32], new.clone()).await.ok().text("/KeyMaterialId");
    let third = import(&desk, &key, &[3; 32], new.clone()).await;
    assert_eq!(third.error(), "KMSInvalidStateException", "{}", third.told());
    let expected = json!([
        {
            "KeyId": key.rsplit('/').next(),
            "KeyMaterialId": first,
            "ImportState": "IMPORTED",
            "KeyMaterialState": "CURRENT",
            "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        },
        {
            "KeyId": key.rsplit('/').next(),
            "KeyMaterialId": id,
            "KeyMaterialDescription": "from the safe: 2026",
            "ImportState": "IMPORTED",
            "KeyMaterialState": "PENDING_ROTATION",
            "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        },
    ]);
    assert_eq!(json!(materials(&desk, &key).await), expected);

    // What waits isn't bound to the key yet: it goes without a trace, and another one comes.
    let named = json!({ "KeyId": key, "KeyMaterialId": id });
    desk.call("DeleteImportedKeyMaterial", named).await.ok();
    assert_eq!((state(&desk, &key).await.as_str(), rows(&desk).await), ("Enabled", 1));
    let id = import(&desk, &key, &[3; 32], new).await.ok().text("/KeyMaterialId");
    desk.call("RotateKeyOnDemand", by.clone()).await.ok();
    let states: Vec<_> = materials(&desk, &key).await;
    let states: Vec<_> = states.iter().map(|it| it["KeyMaterialState"].as_str()).collect();
    assert_eq!(states, [Some("NON_CURRENT"), Some("CURRENT")]);
    let fresh = desk.encrypt(&key, json!({})).await;
    for (blob, material) in [(&old, &first), (&fresh, &id)] {
        let opened = desk.call("Decrypt", json!({ "CiphertextBlob": blob })).await.ok();
        assert_eq!(&opened.text("/KeyMaterialId"), material);
    }

    // Without the older one nothing works, though the current one is here.
    let named = json!({ "KeyId": key, "KeyMaterialId": first });
    desk.call("DeleteImportedKeyMaterial", named).await.ok();
    let told = desk.call("Decrypt", json!({ "CiphertextBlob": fresh })).await.told();
    assert_eq!(told, format!("KMSInvalidStateException: {key} is pending import."));
    assert_eq!(materials(&desk, &key).await[0]["ImportState"], json!("PENDING_IMPORT"));
    let wrong = json!({ "KeyMaterialId": id, "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE" });
    let wrong = import(&desk, &key, &[1; 32], wrong).await;
    assert_eq!(wrong.error(), "IncorrectKeyMaterialException");
    import(&desk, &key, &[1; 32], stays()).await.ok();
    desk.call("Decrypt", json!({ "CiphertextBlob": old })).await.ok();
}

#[tokio::test]
async fn a_token_and_its_public_key_go_together_for_a_day() {
    let desk = Desk::open().await;
    let (key, other) = (external(&desk).await, external(&desk).await);
    let given = desk.call("GetParametersForImport", parameters(&key)).await.ok();
    assert_eq!(given.text("/KeyId"), key);
    assert_eq!(given.0["ParametersValidTo"], json!(START + DAY));
    let own = sent(&desk, &key, &[7; 32], &stays()).await;
    let with = |member: &str, value: Value| {
        let mut body = own.clone();
        body[member] = value;
        body
    };
    let token = own["ImportToken"].as_str().expect("a text");
    let mut bytes = STANDARD.decode(token).expect("base64");
    *bytes.last_mut().expect("some") ^= 1;
    let changed = STANDARD.encode(&bytes);
    let short = sealed(&given.text("/PublicKey"), &[7; 16]);
    #[rustfmt::skip]
    let cases = [
        (with("KeyId", json!(other)),                               "InvalidImportTokenException"),
        (with("ImportToken", json!(changed)),                       "InvalidImportTokenException"),
        (with("ImportToken", json!(STANDARD.encode("garbage"))),    "InvalidImportTokenException"),
        (with("ImportToken", json!(STANDARD.encode([0; 4]))),       "InvalidImportTokenException"),
        (with("ImportToken", json!(given.text("/ImportToken"))),    "InvalidCiphertextException"),
        (with("EncryptedKeyMaterial", json!(STANDARD.encode([1; 256]))), "InvalidCiphertextException"),
        (with("EncryptedKeyMaterial", json!(short)),                "InvalidCiphertextException"),
        (with("ValidTo", json!(START + DAY)),                       "ValidationException"),
        (with("ExpirationModel", Value::Null),                      "ValidationException"),
        (with("KeyMaterialDescription", json!("{}")),               "ValidationException"),
        (with("ImportType", json!("EXISTING_KEY_MATERIAL")),        "IncorrectKeyMaterialException"),
    ];
    for (body, error) in cases {
        let told = desk.call("ImportKeyMaterial", body.clone()).await;
        assert_eq!(told.error(), error, "{}", told.told());
    }
    let mut late = own.clone();
    late.as_object_mut().expect("an object").remove("ExpirationModel");
    for (end, expected) in [
        (None, "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"),
        (Some(START), "The validTo date must be within the next 365 days"),
        (Some(START + 366.0 * DAY), "The validTo date must be within the next 365 days"),
    ] {
        late["ValidTo"] = json!(end);
        let told = desk.call("ImportKeyMaterial", late.clone()).await;
        assert_eq!(told.message(), expected);
    }
    assert_eq!((state(&desk, &key).await.as_str(), rows(&desk).await), ("PendingImport", 0));
    desk.advance(1);
    let expired = desk.call("ImportKeyMaterial", own).await;
    assert_eq!(expired.error(), "ExpiredImportTokenException");
}

#[tokio::test]
async fn kinds_of_wrapping_that_are_refused() {
    let desk = Desk::open().await;
    let key = external(&desk).await;
    for (member, value) in [
        ("WrappingAlgorithm", "RSAES_PKCS1_V1_5"),
        ("WrappingAlgorithm", "SM2PKE"),
        ("WrappingKeySpec", "SM2"),
    ] {
        let mut body = parameters(&key);
        body[member] = json!(value);
        let told = desk.call("GetParametersForImport", body).await.told();
        assert_eq!(
            told,
            format!("UnsupportedOperationException: {member} {value} is not supported.")
        );
    }
}

#[tokio::test]
async fn each_operation_in_each_state() {
    use KeyState::{Creating, Disabled, Enabled, PendingDeletion, PendingImport, Updating};
    const OK: &str = "ok";
    const DEL: &str = "KMSInvalidStateException: {arn} is pending deletion.";
    const IMP: &str = "KMSInvalidStateException: {arn} is pending import.";
    const NEW: &str = "KMSInvalidStateException: {arn} is creating.";
    const UPD: &str = "KMSInvalidStateException: {arn} is updating.";
    const EXT: &str = "UnsupportedOperationException: {arn} origin is EXTERNAL which is not valid for this operation.";
    let desk = Desk::open().await;
    let states = [Enabled, Disabled, PendingDeletion, PendingImport, Creating, Updating];
    #[rustfmt::skip]
    let matrix: [(&str, [&str; 6]); 8] = [
        // operation               Enabled Disabled Deletion Import Creating Updating
        ("GetParametersForImport",    [OK, OK, DEL, OK, NEW, UPD]),
        ("ImportKeyMaterial",         [OK, OK, DEL, OK, NEW, OK]),
        ("DeleteImportedKeyMaterial", [OK, OK, OK, OK, NEW, UPD]),
        ("ListKeyRotations",          [OK; 6]),
        ("EnableKey",                 [OK, OK, DEL, IMP, NEW, UPD]),
        ("GetKeyRotationStatus",      [EXT; 6]),
        ("EnableKeyRotation",         [EXT; 6]),
        ("DisableKeyRotation",        [EXT; 6]),
    ];
    for (operation, outcomes) in matrix {
        for (state, outcome) in states.into_iter().zip(outcomes) {
            let key = external(&desk).await;
            import(&desk, &key, &[7; 32], stays()).await.ok();
            let body = match operation {
                "ImportKeyMaterial" => sent(&desk, &key, &[7; 32], &stays()).await,
                "GetParametersForImport" => parameters(&key),
                _ => json!({ "KeyId": key }),
            };
            let mut txn = store::begin(&desk.backend);
            set_state(&mut txn, &key, state).await.expect("there");
            txn.commit().await.expect("alone");
            let told = desk.call(operation, body).await.told();
            assert_eq!(told, outcome.replace("{arn}", &key), "{operation} in {state:?}");
        }
    }
    let own = desk.key(None).await;
    for operation in ["GetParametersForImport", "ImportKeyMaterial", "DeleteImportedKeyMaterial"] {
        let mut body = parameters(&own);
        body["ImportToken"] = json!("AAAA");
        body["EncryptedKeyMaterial"] = json!("AAAA");
        let told = desk.call(operation, body).await.told();
        let expected = format!(
            "UnsupportedOperationException: {own} origin is AWS_KMS which is not valid for this operation."
        );
        assert_eq!(told, expected, "{operation}");
    }
}

#[tokio::test]
async fn without_material_a_key_that_stays_can_not_be_switched_on() {
    let desk = Desk::open().await;
    for (delete, expected) in [(true, "PendingImport"), (false, "Disabled")] {
        let key = external(&desk).await;
        let by = json!({ "KeyId": key });
        import(&desk, &key, &[7; 32], stays()).await.ok();
        desk.call("ScheduleKeyDeletion", by.clone()).await.ok();
        if delete {
            desk.call("DeleteImportedKeyMaterial", by.clone()).await.ok();
            assert_eq!(state(&desk, &key).await, "PendingDeletion");
        }
        desk.call("CancelKeyDeletion", by).await.ok();
        assert_eq!(state(&desk, &key).await, expected);
    }
}

#[tokio::test]
async fn policies_speak_of_how_and_until_when() {
    let desk = Desk::open().await;
    let key = external(&desk).await;
    let person = |condition: Value| {
        let statement = json!([{ "Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": condition }]);
        Person::user(ACCOUNT, "importer", Some(document(&statement)))
    };
    let expiring = json!({ "ValidTo": START + DAY });
    let model = json!({ "ValidTo": START + DAY, "ExpirationModel": "KEY_MATERIAL_EXPIRES" });
    #[rustfmt::skip]
    let cases = [
        // operation, its further members, condition, allowed
        ("GetParametersForImport", json!({}), json!({ "StringEquals": { "kms:WrappingAlgorithm": "RSAES_OAEP_SHA_256" } }), true),
        ("GetParametersForImport", json!({}), json!({ "StringEquals": { "kms:WrappingAlgorithm": "RSA_AES_KEY_WRAP_SHA_256" } }), false),
        ("GetParametersForImport", json!({}), json!({ "StringEquals": { "kms:WrappingKeySpec": "RSA_2048" } }), true),
        ("GetParametersForImport", json!({}), json!({ "StringEquals": { "kms:WrappingKeySpec": "RSA_4096" } }), false),
        ("GetParametersForImport", json!({}), json!({ "StringEquals": { "kms:KeyOrigin": "EXTERNAL" } }), true),
        ("GetParametersForImport", json!({}), json!({ "StringEquals": { "kms:KeyOrigin": "AWS_KMS" } }), false),
        ("ImportKeyMaterial", expiring.clone(), json!({ "DateLessThan": { "kms:ValidTo": "2026-02-02T00:00:00Z" } }), true),
        ("ImportKeyMaterial", expiring, json!({ "DateLessThan": { "kms:ValidTo": "2026-02-01T00:00:00Z" } }), false),
        ("ImportKeyMaterial", model, json!({ "StringEquals": { "kms:ExpirationModel": "KEY_MATERIAL_EXPIRES" } }), true),
        ("ImportKeyMaterial", stays(), json!({ "StringEquals": { "kms:ExpirationModel": "KEY_MATERIAL_EXPIRES" } }), false),
    ];
    for (operation, members, condition, allowed) in cases {
        let body = match operation {
            "ImportKeyMaterial" => sent(&desk, &key, &[7; 32], &members).await,
            _ => parameters(&key),
        };
        let told = desk.call_as(&person(condition.clone()), operation, body).await;
        let expected = if allowed { "" } else { "AccessDeniedException" };
        assert_eq!(told.error(), expected, "{operation} {condition}: {}", told.told());
    }
}

#[tokio::test]
async fn records_tell_of_it_and_hold_no_token_or_material() {
    let desk = Desk::open().await;
    let key = external(&desk).await;
    let body = sent(&desk, &key, &[7; 32], &stays()).await;
    desk.call("ImportKeyMaterial", body.clone()).await.ok();
    let records = desk.records();
    let record = records.last().expect("recorded");
    assert!(record.contains("\"keyMaterialId\""), "{record}");
    for member in ["ImportToken", "EncryptedKeyMaterial"] {
        let secret = body[member].as_str().expect("a text");
        assert!(records.iter().all(|it| !it.contains(secret)), "{member}");
    }
}
