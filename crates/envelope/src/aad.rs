//! What a sealed message is bound to.

use std::collections::BTreeMap;

/// What kind of thing is sealed. Two kinds never open as each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// A known text that shows whether a key is the right one.
    Canary,
    /// What a KMS key encrypts: data keys, and plaintexts of `Encrypt`.
    Ciphertext,
    /// A partition's key-encryption key, under a root key.
    Kek,
    /// A small secret directly under a key-encryption key: an access key's secret, a signing key.
    Local,
    /// The key material of a KMS key, under a key-encryption key.
    Material,
    /// A secret value under its data key.
    Value,
}

impl Label {
    /// The label as it stands in front of the fields and in the key derivation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Canary => "sr1|can",
            Self::Ciphertext => "sr1|ct",
            Self::Kek => "sr1|kek",
            Self::Local => "sr1|loc",
            Self::Material => "sr1|mat",
            Self::Value => "sr1|val",
        }
    }
}

/// What a sealed message is bound to: a label and fields, each behind its length.
///
/// Every field is written as its length (u32, big-endian) and its bytes, the label first, so that
/// no two lists of fields have the same bytes. Not secret, never stored beside the message: whoever
/// opens it says where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aad {
    label: Label,
    bytes: Vec<u8>,
}

impl Aad {
    /// The most bytes that fields may add up to; beyond it nothing seals or opens.
    pub const MAX_LEN: usize = 64 * 1024;

    /// Binds to the kind of thing only.
    pub fn new(label: Label) -> Self {
        let bytes = Vec::with_capacity(256);
        Self { label, bytes }.field(label.as_str())
    }

    /// Binds to `field` too. Order matters.
    pub fn field(mut self, field: impl AsRef<[u8]>) -> Self {
        let field = field.as_ref();
        // A field of 4 GiB is far beyond `MAX_LEN` and refused when sealing or opening.
        let len = u32::try_from(field.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&len.to_be_bytes());
        self.bytes.extend_from_slice(field);
        self
    }

    /// Binds to a number too: eight bytes, big-endian.
    pub fn number(self, number: u64) -> Self {
        self.field(number.to_be_bytes())
    }

    /// Binds to an encryption context: the number of its pairs, then each name and value, sorted
    /// by the UTF-8 bytes of the name. Of a name given twice the last value counts.
    pub fn context(self, pairs: &[(&str, &str)]) -> Self {
        let pair = |aad: Self, (name, value): (&str, &str)| aad.field(name).field(value);
        if pairs.is_sorted_by(|(one, _), (two, _)| one < two) {
            return pairs.iter().copied().fold(self.number(pairs.len() as u64), pair);
        }
        let sorted: BTreeMap<&str, &str> = pairs.iter().copied().collect();
        let counted = self.number(sorted.len() as u64);
        sorted.into_iter().fold(counted, pair)
    }

    /// The kind of thing.
    pub fn label(&self) -> Label {
        self.label
    }

    /// The canonical bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_are_lengths_and_fields() {
        let aad = Aad::new(Label::Kek).field("a").field("").number(7);
        let expected = b"\0\0\0\x07sr1|kek\0\0\0\x01a\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\x07";
        assert_eq!(aad.as_bytes(), expected);
    }

    #[test]
    fn order_of_a_context_does_not_matter() {
        let one = Aad::new(Label::Ciphertext).context(&[("b", "2"), ("é", "3"), ("Z", "1")]);
        let two = Aad::new(Label::Ciphertext).context(&[("Z", "1"), ("b", "2"), ("é", "3")]);
        assert_eq!(one, two);
        let expected = b"\0\0\0\x06sr1|ct\0\0\0\x08\0\0\0\0\0\0\0\x03\
            \0\0\0\x01Z\0\0\0\x011\0\0\0\x01b\0\0\0\x012\0\0\0\x02\xc3\xa9\0\0\0\x013";
        assert_eq!(one.as_bytes(), expected);
        let twice = Aad::new(Label::Ciphertext).context(&[("Z", "0"), ("Z", "1")]);
        assert_eq!(twice, Aad::new(Label::Ciphertext).context(&[("Z", "1")]));
    }

    proptest! {
        #[test]
        fn different_fields_have_different_bytes(
            one in prop::collection::vec("[ab|]{0,3}", 0..4),
            two in prop::collection::vec("[ab|]{0,3}", 0..4),
        ) {
            let bind = |fields: &[String]| {
                fields.iter().fold(Aad::new(Label::Value), Aad::field)
            };
            prop_assert_eq!(one == two, bind(&one) == bind(&two));
        }
    }
}
