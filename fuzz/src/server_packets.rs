//! What a listener of Oracle says before it accepts.

/// Takes `input` for packets: no more is said on than came.
pub fn server_packets(input: &[u8]) {
    if let Some((said, accepts)) = rotators::read_packets(input) {
        assert!(said <= input.len());
        assert!(!accepts || 8 <= said);
    }
}
