//! Tokens of issuers, their claims, and the documents that issuers publish.

use base::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oidc::{Claim, Issuer, Keys, Presented, Rejection, keys_address};

/// Takes `input` for a token, for the claims of one, for a set of keys and for a discovery document.
///
/// Whatever a token says, no key of ours has signed it. What is known of one that could be good keeps to the
/// bounds, and a document speaks for its own issuer only.
pub fn identity_token(input: &[u8]) {
    let (Ok(issuer), Ok(keys)) = (Issuer::parse(ISSUER), Keys::parse(KEYS.as_bytes())) else {
        unreachable!("both are well-formed");
    };
    if let Ok(text) = str::from_utf8(input) {
        judge(text, &issuer, &keys);
        if let Ok(other) = Issuer::parse(text) {
            assert!(other.as_str().ends_with(other.name()) && other.as_str() == text);
        }
    }
    let part = |it: &[u8]| URL_SAFE_NO_PAD.encode(it);
    judge(&format!("{}.{}.AAAA", part(HEADER), part(input)), &issuer, &keys);
    if let Ok(found) = Keys::parse(input) {
        assert!(found.len() <= 100);
    }
    if let Some(address) = keys_address(input, &issuer) {
        assert!(address.len() <= 2048);
        let text = String::from_utf8_lossy(input);
        assert!(text.contains("issuer") || text.contains("\\u"), "somebody else's: {text}");
    }
}

fn judge(token: &str, issuer: &Issuer, keys: &Keys) {
    let Ok(presented) = Presented::parse(token) else { return };
    assert!(token.len() <= Presented::MAX_LEN);
    assert!(!format!("{presented:?}").contains(token));
    let audiences = ["sts.amazonaws.com".to_owned()];
    let Ok(checked) = presented.check(issuer, &audiences, NOW) else { return };
    match checked.verify(keys) {
        Ok(verified) => {
            let it = verified.identity();
            let expected = Claim::One(it.audience.clone());
            assert_eq!(it.claims("aud"), [&expected]);
            unreachable!("nobody has the key");
        }
        Err(rejection) => {
            assert!(matches!(rejection, Rejection::Signature | Rejection::UnknownKey));
        }
    }
}

const NOW: Timestamp = Timestamp::from_secs(1_769_853_600);
const ISSUER: &str = "https://id.example.org/x";
const HEADER: &[u8] = br#"{"alg":"EdDSA"}"#;
/// The public half of a key that nobody has any more.
const KEYS: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
