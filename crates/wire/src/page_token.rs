//! Page tokens: where the next page starts, as one opaque word.
//!
//! A token is base64url of a form number, a fingerprint of what it belongs to (operation and sort,
//! chosen by the caller) and a position. It grants nothing: a made-up position only moves the start
//! within rows the caller may list anyway.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const FORM: u8 = 1;
const SEPARATOR: char = '\n';

/// The token for the page after `position` of the listing `scope`.
pub fn write(scope: &str, position: &str) -> String {
    let mut plain = vec![FORM];
    plain.extend_from_slice(scope.as_bytes());
    plain.push(SEPARATOR as u8);
    plain.extend_from_slice(position.as_bytes());
    URL_SAFE_NO_PAD.encode(plain)
}

/// The position in `token`, if it belongs to the listing `scope`.
pub fn read(scope: &str, token: &str) -> Option<String> {
    let plain = URL_SAFE_NO_PAD.decode(token).ok()?;
    let plain = str::from_utf8(plain.strip_prefix(&[FORM])?).ok()?;
    let (theirs, position) = plain.split_once(SEPARATOR)?;
    (theirs == scope).then(|| position.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn belongs_to_one_listing() {
        let token = write("ListSecrets/name", "prod/db\nx");
        assert_eq!(read("ListSecrets/name", &token).as_deref(), Some("prod/db\nx"));
        assert_eq!(read("ListSecrets/created", &token), None);
        for garbage in ["", "garbage", "AQ", "AA", "////", "é"] {
            assert_eq!(read("ListSecrets/name", garbage), None, "{garbage}");
        }
    }
}
