//! Encrypting, decrypting, data keys.

use crate::desk::{Answered, Desk, SECRET};
use serde_json::{Value, json};

async fn decrypt(desk: &Desk, blob: &str, context: Value) -> Answered {
    desk.call("Decrypt", json!({ "CiphertextBlob": blob, "EncryptionContext": context })).await
}

#[tokio::test]
async fn what_is_encrypted_opens_without_naming_the_key() {
    let desk = Desk::open().await;
    let key = desk.key(None).await;
    let sealed = desk.call("Encrypt", json!({ "KeyId": key, "Plaintext": SECRET })).await.ok();
    assert_eq!(sealed.text("/KeyId"), key);
    assert_eq!(sealed.text("/EncryptionAlgorithm"), "SYMMETRIC_DEFAULT");
    let opened = decrypt(&desk, &sealed.text("/CiphertextBlob"), json!({})).await.ok();
    assert_eq!((opened.text("/Plaintext"), opened.text("/KeyId")), (SECRET.to_owned(), key));
    assert_eq!(opened.text("/KeyMaterialId").len(), 64);
}

/// Row 119.
#[tokio::test]
async fn a_context_has_no_order_and_nothing_else_may_differ() {
    let desk = Desk::open().await;
    let key = desk.key(None).await;
    let blob = desk.encrypt(&key, json!({ "a": "1", "b": "2" })).await;
    let other = json!({ "__type": "InvalidCiphertextException" });
    #[rustfmt::skip]
    let cases = [
        (r#"{"b":"2","a":"1"}"#, true),
        (r#"{"a":"1","b":"3"}"#, false),
        (r#"{"A":"1","b":"2"}"#, false),
        (r#"{"a":"1"}"#, false),
        (r#"{"a":"1","b":"2","c":""}"#, false),
        ("{}", false),
    ];
    for (context, opens) in cases {
        let answered = decrypt(&desk, &blob, serde_json::from_str(context).expect("JSON")).await;
        if opens {
            assert_eq!(answered.ok().text("/Plaintext"), SECRET, "{context}");
        } else {
            assert_eq!(answered.0, other, "without a message: {context}");
        }
    }
}

#[tokio::test]
async fn no_changed_bit_opens() {
    let desk = Desk::open().await;
    let key = desk.key(None).await;
    let blob = desk.encrypt(&key, json!({})).await;
    let sealed = decode(&blob);
    assert_eq!(sealed.len(), 138 + decode(SECRET).len());
    for place in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[place] ^= 1;
        let error = decrypt(&desk, &encode(&changed), json!({})).await;
        let known = ["InvalidCiphertextException", "AccessDeniedException"];
        assert!(known.contains(&error.error()), "{place}: {error:?}");
        let body = json!({ "CiphertextBlob": encode(&changed), "KeyId": key });
        let named = desk.call("Decrypt", body).await;
        let known = ["InvalidCiphertextException", "IncorrectKeyException"];
        assert!(known.contains(&named.error()), "{place}: {named:?}");
    }
    for cut in [0, 1, 4, 59, 60, 100, sealed.len() - 1] {
        let error = decrypt(&desk, &encode(&sealed[..cut]), json!({})).await;
        let expected = if cut == 0 { "ValidationException" } else { "InvalidCiphertextException" };
        assert_eq!(error.error(), expected, "{cut}");
    }
}

/// Row 120, and blobs of keys that don't exist.
#[tokio::test]
async fn the_named_key_must_be_the_one() {
    let desk = Desk::open().await;
    let (key, other) = (desk.key(None).await, desk.key(None).await);
    let blob = desk.encrypt(&key, json!({})).await;
    let body = json!({ "CiphertextBlob": blob, "KeyId": other });
    assert_eq!(
        desk.call("Decrypt", body).await.told(),
        "IncorrectKeyException: The key ID in the request does not identify a CMK that can perform \
         this operation."
    );
    let elsewhere = Desk::open().await;
    assert_eq!(decrypt(&elsewhere, &blob, json!({})).await.error(), "InvalidCiphertextException");
}

/// Rows 121, 122 and the sizes of GenerateRandom.
#[tokio::test]
async fn sizes_are_told_as_the_service_tells_them() {
    let desk = Desk::open().await;
    let key = desk.key(None).await;
    let long = encode(&[7; 4097]);
    let either = "ValidationException: Please specify either number of bytes or key spec.";
    let range = |value: &str, rest: &str| {
        format!(
            "ValidationException: 1 validation error detected: Value '{value}' at 'numberOfBytes' \
             failed to satisfy constraint: Member must have value {rest}"
        )
    };
    let too_long = "ValidationException: 1 validation error detected: Value at 'plaintext' failed \
                    to satisfy constraint: Member must have length less than or equal to 4096";
    #[rustfmt::skip]
    let cases = [
        ("Encrypt", json!({ "KeyId": key, "Plaintext": long }), too_long.to_owned()),
        ("Encrypt", json!({ "KeyId": key, "Plaintext": encode(&[7; 4096]) }), "ok".to_owned()),
        ("GenerateDataKey", json!({ "KeyId": key }), either.to_owned()),
        ("GenerateDataKey", json!({ "KeyId": key, "KeySpec": "AES_256", "NumberOfBytes": 32 }), either.to_owned()),
        ("GenerateDataKey", json!({ "KeyId": key, "NumberOfBytes": 0 }), range("0", "greater than or equal to 1")),
        ("GenerateDataKey", json!({ "KeyId": key, "NumberOfBytes": 1025 }), range("1025", "less than or equal to 1024")),
        ("GenerateDataKeyWithoutPlaintext", json!({ "KeyId": key }), either.to_owned()),
        ("GenerateRandom", json!({}), "ValidationException: NumberOfBytes is required.".to_owned()),
        ("GenerateRandom", json!({ "NumberOfBytes": 1025 }), range("1025", "less than or equal to 1024")),
        ("Encrypt", json!({ "KeyId": key, "Plaintext": SECRET, "EncryptionAlgorithm": "RSAES_OAEP_SHA_1" }),
         "InvalidKeyUsageException: Algorithm RSAES_OAEP_SHA_1 is incompatible with key spec SYMMETRIC_DEFAULT.".to_owned()),
    ];
    for (operation, body, expected) in cases {
        assert_eq!(desk.call(operation, body).await.told(), expected, "{operation}");
    }
}

#[tokio::test]
async fn data_keys_have_the_size_asked_for_and_open() {
    let desk = Desk::open().await;
    let key = desk.key(None).await;
    for (ask, size) in [
        (json!({ "KeySpec": "AES_256" }), 32),
        (json!({ "KeySpec": "AES_128" }), 16),
        (json!({ "NumberOfBytes": 1024 }), 1024),
    ] {
        let mut body = ask.clone();
        body["KeyId"] = json!(key);
        body["EncryptionContext"] = json!({ "a": "1" });
        let made = desk.call("GenerateDataKey", body.clone()).await.ok();
        assert_eq!(decode(&made.text("/Plaintext")).len(), size, "{ask}");
        let blob = made.text("/CiphertextBlob");
        let opened = decrypt(&desk, &blob, json!({ "a": "1" })).await.ok();
        assert_eq!(opened.text("/Plaintext"), made.text("/Plaintext"));
        let blind = desk.call("GenerateDataKeyWithoutPlaintext", body).await.ok();
        assert!(blind.0.get("Plaintext").is_none());
        let opened = decrypt(&desk, &blind.text("/CiphertextBlob"), json!({ "a": "1" })).await;
        assert_eq!(decode(&opened.ok().text("/Plaintext")).len(), size);
    }
    let random = desk.call("GenerateRandom", json!({ "NumberOfBytes": 24 })).await.ok();
    assert_eq!(decode(&random.text("/Plaintext")).len(), 24);
}

#[tokio::test]
async fn re_encrypting_changes_key_and_context() {
    let desk = Desk::open().await;
    let (from, to) = (desk.key(None).await, desk.key(None).await);
    let blob = desk.encrypt(&from, json!({ "a": "1" })).await;
    let body = json!({
        "CiphertextBlob": blob,
        "SourceEncryptionContext": { "a": "1" },
        "DestinationKeyId": to,
        "DestinationEncryptionContext": { "b": "2" },
    });
    let moved = desk.call("ReEncrypt", body.clone()).await.ok();
    assert_eq!((moved.text("/SourceKeyId"), moved.text("/KeyId")), (from, to.clone()));
    let blob = moved.text("/CiphertextBlob");
    let opened = decrypt(&desk, &blob, json!({ "b": "2" })).await.ok();
    assert_eq!((opened.text("/Plaintext"), opened.text("/KeyId")), (SECRET.to_owned(), to));
    let mut wrong = body;
    wrong["SourceEncryptionContext"] = json!({ "a": "2" });
    assert_eq!(desk.call("ReEncrypt", wrong).await.error(), "InvalidCiphertextException");
}

/// Row 130.
#[tokio::test]
async fn a_dry_run_tells_what_would_be() {
    let desk = Desk::open().await;
    let key = desk.key(None).await;
    let blob = desk.encrypt(&key, json!({})).await;
    let dry = "DryRunOperationException: The request would have succeeded, but the DryRun option \
               is set.";
    for (operation, body) in [
        ("Decrypt", json!({ "CiphertextBlob": blob, "DryRun": true })),
        ("Encrypt", json!({ "KeyId": key, "Plaintext": SECRET, "DryRun": true })),
        ("GenerateDataKey", json!({ "KeyId": key, "KeySpec": "AES_256", "DryRun": true })),
    ] {
        assert_eq!(desk.call(operation, body).await.told(), dry, "{operation}");
    }
    let body = json!({ "CiphertextBlob": blob, "DryRun": true, "EncryptionContext": { "a": "1" } });
    assert_eq!(desk.call("Decrypt", body).await.error(), "InvalidCiphertextException");
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64, apart from the product's.
fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |sum, it| sum << 8 | u32::from(*it));
        let group = group << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = ALPHABET[(group >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

fn decode(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text
        .bytes()
        .filter_map(|it| ALPHABET.iter().position(|digit| *digit == it))
        .map(|it| u32::try_from(it).expect("small"))
        .collect();
    let mut out = Vec::new();
    for chunk in digits.chunks(4) {
        let group = chunk.iter().fold(0, |sum, it| sum << 6 | it) << (6 * (4 - chunk.len()));
        out.extend(group.to_be_bytes()[1..chunk.len()].iter());
    }
    out
}
