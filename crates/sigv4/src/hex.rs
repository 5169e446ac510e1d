//! 32 bytes as 64 lower-case hex digits, and back.

/// The digits of `bytes`.
pub(crate) fn encode(bytes: &[u8; 32]) -> [u8; 64] {
    let mut out = [0; 64];
    let (pairs, _) = out.as_chunks_mut::<2>();
    for (pair, byte) in pairs.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4, b'a'), digit(byte & 15, b'a')];
    }
    out
}

/// The digits of one byte, in upper case, as percent-encoding wants them.
pub(crate) fn encode_upper(byte: u8) -> [u8; 2] {
    [digit(byte >> 4, b'A'), digit(byte & 15, b'A')]
}

/// The bytes that exactly 64 lower-case digits stand for.
///
/// Upper case is refused: a signature has one spelling.
pub(crate) fn decode(text: &[u8]) -> Option<[u8; 32]> {
    let text: &[u8; 64] = text.try_into().ok()?;
    let (pairs, _) = text.as_chunks::<2>();
    let mut out = [0; 32];
    for (byte, [high, low]) in out.iter_mut().zip(pairs) {
        if high.is_ascii_uppercase() || low.is_ascii_uppercase() {
            return None;
        }
        *byte = value(*high)? << 4 | value(*low)?;
    }
    Some(out)
}

/// The bytes, at most `most`, that lower-case digits stand for.
pub(crate) fn decode_any(text: &[u8], most: usize) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_chunks::<2>();
    let is_lower = !text.iter().any(u8::is_ascii_uppercase);
    let fits = is_lower && rest.is_empty() && pairs.len() <= most;
    let byte = |it: &[u8; 2]| Some(value(it[0])? << 4 | value(it[1])?);
    pairs.iter().map(byte).collect::<Option<_>>().filter(|_| fits)
}

/// What one hex digit of either case stands for.
pub(crate) fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn digit(nibble: u8, ten: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { ten + (nibble - 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let mut bytes = [0; 32];
        for start in 0..224 {
            bytes.iter_mut().zip(start..=start + 31).for_each(|(byte, value)| *byte = value);
            assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
        assert_eq!(encode_upper(0xAF), *b"AF");
        assert_eq!(&encode(&[0xAF; 32])[..4], b"afaf");
    }

    #[test]
    fn one_spelling_only() {
        let digits = [b'a'; 64];
        assert!(decode(&digits).is_some());
        assert!(decode(&digits[1..]).is_none());
        assert!(decode(&[b'a'; 65]).is_none());
        for wrong in *b"AFgG/:@`\0 " {
            let mut digits = digits;
            digits[63] = wrong;
            assert!(decode(&digits).is_none(), "{wrong}");
        }
    }
}
