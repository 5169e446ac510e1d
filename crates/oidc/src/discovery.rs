//! What an issuer tells about itself.

use crate::{Issuer, unique};
use serde_json::Value;

/// Where the keys of `issuer` are, by the document at [`Issuer::discovery`]. `None` if it is no such document,
/// or somebody else's.
///
/// Whether that address may be asked is for whoever asks to say.
pub fn keys_address(document: &[u8], issuer: &Issuer) -> Option<String> {
    let members = unique::object(document)?;
    let text = |name| members.get(name).and_then(Value::as_str);
    let is_its_own = text("issuer") == Some(issuer.as_str());
    text("jwks_uri").filter(|it| is_its_own && it.len() <= LONGEST).map(str::to_owned)
}

const LONGEST: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_speaks_for_itself() {
        let issuer = Issuer::parse("https://a.example/x").expect("valid");
        for (document, expected) in [
            (r#"{"issuer":"https://a.example/x","jwks_uri":"https://b.example/k"}"#, true),
            (r#"{"issuer":"https://a.example/x/","jwks_uri":"https://b.example/k"}"#, false),
            (r#"{"issuer":"https://a.example/x","issuer":"y","jwks_uri":"https://b"}"#, false),
            (r#"{"issuer":"https://a.example/x","jwks_uri":7}"#, false),
            (r#"{"jwks_uri":"https://b.example/k"}"#, false),
            ("", false),
        ] {
            assert_eq!(
                keys_address(document.as_bytes(), &issuer).is_some(),
                expected,
                "{document}"
            );
        }
    }
}
