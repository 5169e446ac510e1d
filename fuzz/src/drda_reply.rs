//! What a server of Db2 answers.

/// Takes `input` for messages: rows are bytes, or there are none.
pub fn drda_reply(input: &[u8]) {
    assert!(rotators::read_drda(input) <= 2 * input.len());
}
