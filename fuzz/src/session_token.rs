//! Session tokens, and the claims inside them.

use base::Entropy;
use envelope::Key;
use identity::session::{Claims, Token};

/// Takes `input` for a token as a client sends it, and for claims as a token holds them.
///
/// A token that is read is spelled as it came, and opens under no key of ours. Claims that are read survive
/// a token, which opens for their access key id only.
pub fn session_token(input: &[u8]) {
    let key = Key::fill_with(|it| it.fill(7));
    if let Ok(text) = str::from_utf8(input)
        && let Some(token) = Token::parse(text)
    {
        assert!(token.text().expose() == input, "spelled otherwise");
        assert_eq!(token.open(&key, ID), None);
    }
    if let Some(claims) = Claims::from_bytes(input) {
        sealed_by_us(&key, &claims);
    }
}

fn sealed_by_us(key: &Key, claims: &Claims) {
    let bytes = claims.to_bytes().unwrap_or_default();
    assert_eq!(Claims::from_bytes(&bytes).as_ref(), Some(claims));
    let caller = claims.caller(ID);
    assert!(caller.account == claims.account && caller.session.is_some());

    let Some(root) = Token::parse(&format!("AQAA{}", "A".repeat(108))).map(|it| it.root()) else {
        unreachable!("the shortest token is one");
    };
    let Ok(token) = Token::seal((root, key), ID, bytes, 0, &Still) else { return };
    let text = token.text();
    let text = str::from_utf8(text.expose()).unwrap_or_default();
    assert!(text.len() <= Token::MAX_LEN);
    let read = Token::parse(text);
    assert_eq!(read.as_ref().and_then(|it| it.open(key, ID)).as_ref(), Some(claims));
    assert_eq!(read.and_then(|it| it.open(key, "ASIAQNZGKIQY56JQ7WMM")), None);
}

const ID: &str = "ASIAQNZGKIQY56JQ7WML";

/// The same bytes each time, so that an input always does the same.
struct Still;

impl Entropy for Still {
    fn fill(&self, out: &mut [u8]) {
        out.fill(9);
    }
}
