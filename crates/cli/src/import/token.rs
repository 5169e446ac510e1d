//! The token that makes a repeated call the same call.

use super::entry::{Entry, Value};
use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key};
use base::Sensitive;

/// The `ClientRequestToken` of `entry`: a UUID that follows from its name, all of its content and the
/// caller's secret key, so that a later run with the same key asks for the very same version.
///
/// A version's id is no secret: without the key in it, whoever sees one could check guesses of the value
/// against it.
///
/// Source: RFC 9562, UUID version 8.
pub(crate) fn of(entry: &Entry, secret: &Sensitive) -> String {
    let mut digest = Context::with_key(&Key::new(HMAC_SHA256, secret.expose()));
    // Lengths stand before the parts, so that no two entries read the same.
    let mut add = |part: &[u8]| {
        digest.update(&(part.len() as u64).to_be_bytes());
        digest.update(part);
    };
    add(b"strongroom import 1");
    add(entry.name.as_bytes());
    add(match entry.value {
        Value::Binary(_) => b"SecretBinary",
        Value::String(_) => b"SecretString",
    });
    add(entry.value.bytes());
    for text in [&entry.description, &entry.kms_key_id] {
        add(if text.is_some() { b"given" } else { b"absent" });
        add(text.as_deref().unwrap_or_default().as_bytes());
    }
    for tag in &entry.tags {
        add(tag.key.as_bytes());
        add(tag.value.as_bytes());
    }
    uuid(digest.sign().as_ref())
}

/// The first 16 bytes of `digest` in the form of a UUID.
fn uuid(digest: &[u8]) -> String {
    let bits = digest.iter().take(16).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    let bits = bits & !(0xf << 76) | 0x8 << 76;
    let bits = bits & !(0x3 << 62) | 0x2 << 62;
    let part = |shift: u32, width: u32| bits >> shift & ((1 << width) - 1);
    let (first, second, third) = (part(96, 32), part(80, 16), part(64, 16));
    format!("{first:08x}-{second:04x}-{third:04x}-{:04x}-{:012x}", part(48, 16), part(0, 48))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn it_follows_from_all_of_the_content() {
        let key = Sensitive::from("key".to_owned());
        let of_json = |json: &str| of(&Entry::from_json(json.as_bytes(), "").unwrap(), &key);
        let cases = [
            r#"{"Name":"a","SecretString":"AAE="}"#,
            r#"{"Name":"b","SecretString":"AAE="}"#,
            r#"{"Name":"a","SecretString":"AAE=="}"#,
            r#"{"Name":"a","SecretBinary":"AAE="}"#,
            r#"{"Name":"a","SecretString":"AAE=","Description":""}"#,
            r#"{"Name":"a","SecretString":"AAE=","Description":"x"}"#,
            r#"{"Name":"a","SecretString":"AAE=","KmsKeyId":"x"}"#,
            r#"{"Name":"a","SecretString":"AAE=","Tags":[{"Key":"x","Value":"y"}]}"#,
            r#"{"Name":"a","SecretString":"AAE=","Tags":[{"Key":"xy"}]}"#,
        ];
        let tokens: BTreeSet<_> = cases.map(of_json).into();
        assert_eq!(tokens.len(), cases.len());
        assert_eq!(cases.map(of_json), cases.map(of_json));
    }

    #[test]
    fn it_is_a_uuid_and_stays_the_same_over_releases() {
        let entry = Entry::of_text("a/b".to_owned(), "v".to_owned().into()).unwrap();
        let of = |key: &str| super::of(&entry, &Sensitive::from(key.to_owned()));
        assert_eq!(of("key"), "3b65957f-17c0-879c-a827-3b6a0b2a5483");
        assert_ne!(of("key"), of("other"));
    }
}
