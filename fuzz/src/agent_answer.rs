//! What the agent reads of a server: XML of STS, JSON of Roles Anywhere.

use agent::{Keys, read_anywhere_answer, read_sts_answer};

/// Takes `input` for either answer. A session that is read can be sent on in a header and in JSON.
pub fn agent_answer(input: &[u8]) {
    for read in [read_sts_answer(input), read_anywhere_answer(input)] {
        let Ok(Keys { access_key_id, secret, token, .. }) = read else { continue };
        assert!(access_key_id.bytes().all(|it| it.is_ascii_alphanumeric()));
        for text in [secret, token] {
            assert!(!text.is_empty() && text.expose().iter().all(u8::is_ascii_graphic));
        }
    }
}
