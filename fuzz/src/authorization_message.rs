//! Authorization messages, and what is sealed inside them.

use identity::authorization;
use policy::message::Message;

/// Takes `input` for a message as a client sends it, and for one as it was sealed.
///
/// A message that is read is told and advised on without a panic, and is the same after it is written again.
pub fn authorization_message(input: &[u8]) {
    if let Ok(text) = str::from_utf8(input)
        && let Some(sealed) = authorization::parse(text)
    {
        assert!(!sealed.is_empty() && text.len() <= authorization::MAX_LEN);
    }
    let Some(message) = Message::from_bytes(input) else { return };
    let decoded = message.decoded();
    assert!(decoded.get("context").is_some());
    let _advice = message.advice();
    let bytes = message.to_bytes();
    assert!(bytes.len() <= Message::MAX_LEN);
    let Some(again) = Message::from_bytes(&bytes) else { unreachable!("what was written is read") };
    assert!(again.to_bytes() == bytes, "written otherwise");
}
