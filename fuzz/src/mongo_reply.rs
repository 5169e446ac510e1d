//! What servers of MongoDB say: a message, the users and rights in it, an answer of a login.

/// Takes `input` for each of them: what is understood of it is no more than it has bytes.
pub fn mongo_reply(input: &[u8]) {
    assert!(rotators::read_mongo_reply(input) <= input.len());
}
