//! What a server of SQL Server says before anything is protected.

/// Takes `input` for an answer: what is read of it is one of its bytes.
pub fn server_prelogin(input: &[u8]) {
    if let Some(said) = rotators::read_prelogin(input) {
        assert!(input.contains(&said));
    }
}
