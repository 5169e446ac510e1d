//! The chain's hash, and hexadecimal.

use crate::line::Kind;
use aws_lc_rs::digest::{Context, SHA256};
use base::Timestamp;
use std::fmt;

/// What a line is chained by: SHA-256, printed as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

impl Hash {
    /// Stands before the first line of a journal.
    pub const GENESIS: Self = Self([0; 32]);

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 digits.
    pub(crate) fn digits(&self) -> [u8; 64] {
        let mut out = [0; 64];
        let (pairs, _) = out.as_chunks_mut::<2>();
        pairs.iter_mut().zip(self.0).for_each(|(to, byte)| *to = digits(byte));
        out
    }

    pub(crate) fn parse(hex: &[u8]) -> Option<Self> {
        unhex(hex).map(Self)
    }
}

/// The hash of a line behind a line with the hash `previous`.
///
/// SHA-256 over `previous` (32 bytes), the kind's letter, `sequence` (8 bytes, big-endian), `at` in
/// milliseconds (8 bytes, big-endian, two's complement) and `body`.
pub(crate) fn link(
    previous: &Hash,
    kind: Kind,
    (sequence, at): (u64, Timestamp),
    body: &[u8],
) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(&previous.0);
    context.update(&[kind.letter()]);
    context.update(&sequence.to_be_bytes());
    context.update(&at.millis().to_be_bytes());
    context.update(body);
    let mut hash = Hash::default();
    hash.0.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    hash
}

/// `bytes` as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|it| digits(*it)).map(char::from).collect()
}

/// The two digits of a byte.
fn digits(byte: u8) -> [u8; 2] {
    let digit = |it: u8| if it < 10 { b'0' + it } else { b'a' + it - 10 };
    [digit(byte >> 4), digit(byte & 15)]
}

/// Exactly `N` bytes from exactly `2 N` lower-case hexadecimal digits.
pub(crate) fn unhex<const N: usize>(hex: &[u8]) -> Option<[u8; N]> {
    let nibble = |it: u8| match it {
        b'0'..=b'9' => Some(it - b'0'),
        b'a'..=b'f' => Some(it - b'a' + 10),
        _ => None,
    };
    if hex.len() != 2 * N {
        return None;
    }
    let mut out = [0; N];
    let (pairs, _) = hex.as_chunks::<2>();
    for (to, [high, low]) in out.iter_mut().zip(pairs) {
        *to = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(out)
}

impl fmt::Display for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_lower_case_and_exact() {
        assert_eq!(hex(&[0x00, 0x9a, 0xff]), "009aff");
        let hash = Hash(std::array::from_fn(|it| u8::try_from(it * 8).expect("small")));
        assert_eq!(hex(&hash.0).as_bytes(), hash.digits());
        for (text, bytes) in [
            ("009aff", Some([0x00, 0x9a, 0xff])),
            ("009AFF", None),
            ("009af", None),
            ("009aff0", None),
            ("009afg", None),
        ] {
            assert_eq!(unhex(text.as_bytes()), bytes, "{text}");
        }
    }

    #[test]
    fn a_link_is_the_documented_digest() {
        let previous = Hash([7; 32]);
        let at = Timestamp::from_millis(-2);
        let mut bytes = vec![7; 32];
        bytes.extend(b"R\0\0\0\0\0\0\x01\x02\xff\xff\xff\xff\xff\xff\xff\xfe{}");
        let expected = aws_lc_rs::digest::digest(&SHA256, &bytes);
        let hash = link(&previous, Kind::Record, (258, at), b"{}");
        assert_eq!(hash.as_bytes(), expected.as_ref());
    }
}
