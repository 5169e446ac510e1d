//! What servers of MySQL and MariaDB say of their users.

/// Takes `input` for grants and for the way in: a line gives few statements.
pub fn server_grants(input: &[u8]) {
    if let Ok(text) = str::from_utf8(input) {
        assert!(rotators::read_grants(text) <= 2 * input.len() + 1);
    }
}
