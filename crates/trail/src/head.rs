//! Signed heads, and the first line of a segment.

use crate::hash::{Hash, hex, unhex};
use crate::key::{PublicKey, SigningKey};
use crate::line::{Kind, Line, number};
use base::Timestamp;

/// The version of the form that segments are written in.
const FORMAT: &str = "1";

/// Records between two heads, at most. A chain with longer runs was not written by a journal.
pub const MAX_UNSIGNED: u64 = 1024;

/// A signature over all records up to `sequence`, through the hash that stands before it.
///
/// Its line's body: `previous` and `signature`, in hexadecimal, separated by one space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The number of the last record it covers.
    pub sequence: u64,
    /// When it was signed.
    pub at: Timestamp,
    /// The hash of the line before it.
    pub previous: Hash,
    signature: [u8; 64],
}

impl Head {
    pub(crate) fn sign(key: &SigningKey, (sequence, at): (u64, Timestamp), previous: Hash) -> Self {
        let signature = key.sign(&message(sequence, at, &previous));
        Self { sequence, at, previous, signature }
    }

    pub(crate) fn body(&self) -> String {
        format!("{} {}", self.previous, hex(&self.signature))
    }

    /// The head that `line` states, if its body has the form of one.
    pub(crate) fn of(line: &Line<'_>) -> Option<Self> {
        let (previous, signature) = line.body.split_once(' ')?;
        let previous = Hash::parse(previous.as_bytes())?;
        let signature = unhex(signature.as_bytes())?;
        let head = Self { sequence: line.sequence, at: line.at, previous, signature };
        (line.kind == Kind::Head).then_some(head)
    }

    /// Whether the holder of `key`'s private half signed it.
    pub fn signed_by(&self, key: &PublicKey) -> bool {
        key.confirms(&message(self.sequence, self.at, &self.previous), &self.signature)
    }
}

fn message(sequence: u64, at: Timestamp, previous: &Hash) -> Vec<u8> {
    let mut out = b"strongroom journal head 1\n".to_vec();
    out.extend_from_slice(&sequence.to_be_bytes());
    out.extend_from_slice(&at.millis().to_be_bytes());
    out.extend_from_slice(previous.as_bytes());
    out
}

/// What the first line of a segment says: `1`, the segment's number, the hash before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) segment: u64,
    pub(crate) previous: Hash,
}

impl Opening {
    pub(crate) fn body(&self) -> String {
        format!("{FORMAT} {} {}", self.segment, self.previous)
    }

    pub(crate) fn of(line: &Line<'_>) -> Option<Self> {
        let (format, rest) = line.body.split_once(' ')?;
        let (segment, previous) = rest.split_once(' ')?;
        let segment = number(segment).ok()?;
        let previous = Hash::parse(previous.as_bytes())?;
        (line.kind == Kind::Segment && format == FORMAT).then_some(Self { segment, previous })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::after;
    use base::SystemEntropy;

    #[test]
    fn a_head_is_bound_to_all_it_says() {
        let key = SigningKey::from_bytes(&SigningKey::generate(&SystemEntropy)).expect("a key");
        let at = Timestamp::from_millis(5);
        let head = Head::sign(&key, (3, at), Hash::GENESIS);
        let body = head.body();
        let line = after(&Hash::GENESIS, Kind::Head, (3, at), &body);
        assert_eq!(Head::of(&line), Some(head));
        assert!(head.signed_by(&key.public()));

        let other = line.hash;
        for changed in [
            Head { sequence: 4, ..head },
            Head { at: Timestamp::from_millis(6), ..head },
            Head { previous: other, ..head },
        ] {
            assert!(!changed.signed_by(&key.public()), "{changed:?}");
        }
        assert_eq!(Head::of(&Line { kind: Kind::Record, ..line }), None);
    }

    #[test]
    fn an_opening_survives_its_form() {
        let opening = Opening { segment: 12, previous: Hash::GENESIS };
        let body = opening.body();
        let line = after(&Hash::GENESIS, Kind::Segment, (0, Timestamp::default()), &body);
        assert_eq!(Opening::of(&line), Some(opening));
        let future = body.replacen('1', "2", 1);
        assert_eq!(Opening::of(&Line { body: &future, ..line }), None);
    }
}
