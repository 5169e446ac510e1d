//! Grant tokens.

use kms::GrantToken;

/// Takes `input` for a grant token.
///
/// What is read names a KMS key and a grant, in the forms they have.
pub fn grant_token(input: &[u8]) {
    let Ok(word) = str::from_utf8(input) else { return };
    let Some(token) = GrantToken::parse(word) else { return };
    assert!(token.key_arn.starts_with("arn:") && token.key_arn.contains(":key/"));
    assert!(token.grant_id.len() == 64);
    assert!(token.grant_id.bytes().all(|it| it.is_ascii_hexdigit()));
}
