//! Ciphertext blobs of Encrypt and GenerateDataKey.

use base::Region;
use kms::Ciphertext;

/// Takes `input` for a blob.
///
/// What is taken apart is put together unchanged, so no two blobs mean the same, and always names a key
/// of the Region it is opened in.
pub fn ciphertext_blob(input: &[u8]) {
    let Some(blob) = Ciphertext::parse(input) else { return };
    assert_eq!(blob.to_bytes(), input);
    let region: Region = "eu-west-1".parse().expect("a Region");
    let arn = blob.key_arn(&region);
    let id = arn.split('/').nth(1).expect("an id");
    assert!(arn.starts_with("arn:aws:kms:eu-west-1:"), "{arn}");
    assert!(id.len() == 36 && arn.split(':').nth(4).is_some_and(|it| it.len() == 12), "{arn}");
}
