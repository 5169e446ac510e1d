//! The secret access key of a session: derived, so that no row has to hold it.

use base::Sensitive;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope::{Key, message};

/// The secret that goes with `token`: 30 bytes as 40 characters of base64, by KBKDF from the root key, the
/// access key id and the token. `None` if the crypto library fails.
///
/// Whoever changes one character of the token has another secret.
pub(super) fn derived(root: &Key, access_key_id: &str, token: &str) -> Option<Sensitive> {
    let half = |number: u8| {
        message::fingerprint(root, &format!("session-secret/{number}/{access_key_id}/{token}"))
    };
    let mut bytes = Sensitive::new([half(1)?, half(2)?].concat());
    let secret = bytes.expose_mut().get(..30).map(|it| STANDARD.encode(it));
    secret.map(Sensitive::from)
}
