//! Bytes in order: fixed numbers and length-prefixed runs, read with bounds and without panics.

/// Puts numbers and runs of bytes behind each other.
#[derive(Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    /// Bytes whose number the reader knows.
    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Bytes behind their number (u32, big-endian).
    pub(crate) fn run(self, bytes: &[u8]) -> Self {
        // What is sealed is bounded far below 4 GiB; a longer run would be unreadable, not wrong.
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.raw(&len.to_be_bytes()).raw(bytes)
    }

    pub(crate) fn done(self) -> Vec<u8> {
        self.0
    }
}

/// Takes apart what [`Writer`] has put together. Every step is `None` when the bytes end early.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn raw<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    /// A run of at most `most` bytes.
    pub(crate) fn run(&mut self, most: usize) -> Option<&'a [u8]> {
        let len = usize::try_from(u32::from_be_bytes(self.raw()?)).ok()?;
        let (bytes, rest) = self.0.split_at_checked(len).filter(|_| len <= most)?;
        self.0 = rest;
        Some(bytes)
    }

    /// A run of at most `most` bytes of UTF-8.
    pub(crate) fn text(&mut self, most: usize) -> Option<&'a str> {
        str::from_utf8(self.run(most)?).ok()
    }

    /// Nothing may be left.
    pub(crate) fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// Lower-case hexadecimal digits, for `#[serde(with = "hex")]` and ids.
pub(crate) mod hex {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn encode(bytes: &[u8]) -> String {
        let digit = |it: u8| char::from(if it < 10 { b'0' + it } else { b'a' + it - 10 });
        let mut out = String::with_capacity(2 * bytes.len());
        out.extend(bytes.iter().flat_map(|it| [digit(it >> 4), digit(it & 15)]));
        out
    }

    pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
        let digit = |it: u8| match it {
            b'0'..=b'9' => Some(it - b'0'),
            b'a'..=b'f' => Some(it - b'a' + 10),
            _ => None,
        };
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
        pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
    }

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(input)?;
        decode(&text).ok_or_else(|| serde::de::Error::custom("not hexadecimal"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_was_written_and_nothing_more() {
        let bytes = Writer::default().raw(&[1, 2]).run(b"run").run("é".as_bytes()).done();
        let mut reader = Reader(&bytes);
        assert_eq!(reader.raw(), Some([1, 2]));
        assert_eq!(reader.run(3), Some(&b"run"[..]));
        assert_eq!(reader.text(2), Some("é"));
        assert_eq!(reader.end(), Some(()));

        for (bytes, most) in [
            (&[0, 0, 0, 4, 1, 2, 3][..], 9),
            (&[0, 0, 0, 3, 1, 2, 3], 2),
            (&[0, 0, 0], 9),
            (&[], 9),
        ] {
            assert_eq!(Reader(bytes).run(most), None, "{bytes:?}");
        }
        assert_eq!(Reader(&[0, 0, 0, 1, 0xff]).text(9), None);
        assert_eq!(Reader(&[0]).end(), None);
    }

    #[test]
    fn hex_is_lower_case_and_whole() {
        assert_eq!(hex::encode(&[0, 0xab, 0xff]), "00abff");
        for (text, bytes) in [
            ("00abff", Some(vec![0, 0xab, 0xff])),
            ("", Some(vec![])),
            ("0", None),
            ("AB", None),
            ("0g", None),
            ("é", None),
        ] {
            assert_eq!(hex::decode(text), bytes, "{text}");
        }
    }
}
