//! Bytes to a number, to spread things evenly: no promise depends on how well.

/// The FNV-1a hash of `bytes`: the same on each node and after each restart.
pub fn spread(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: draft-eastlake-fnv, "Test vectors".
    #[test]
    fn is_fnv_1a() {
        for (text, expected) in [
            ("", 0xcbf2_9ce4_8422_2325),
            ("a", 0xaf63_dc4c_8601_ec8c),
            ("foobar", 0x8594_4171_f739_67e8),
        ] {
            assert_eq!(spread(text.bytes()), expected, "{text}");
        }
    }
}
