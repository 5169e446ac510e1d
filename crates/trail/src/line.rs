//! The lines of a segment: what they look like, how they are read and written.
//!
//! Every line is `kind sequence instant hash body`, separated by one space, ended by one line feed.
//! The form byte by byte: `docs/design/0002-journal.md`.

use crate::hash::{Hash, link};
use base::Timestamp;

/// The longest line, its line feed included.
pub const MAX_LINE: usize = 1024 * 1024;

/// The most bytes that stand in a line beside its body.
pub(crate) const OVERHEAD: usize = 112;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A signature over all that stands before it.
    Head,
    /// An audit record.
    Record,
    /// The first line of a segment.
    Segment,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Head, Self::Record, Self::Segment];

    /// The letter a line begins with.
    pub const fn letter(self) -> u8 {
        match self {
            Self::Head => b'H',
            Self::Record => b'R',
            Self::Segment => b'S',
        }
    }
}

/// One line, taken apart but not believed: [`Line::follows`] says whether it belongs where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// What it is.
    pub kind: Kind,
    /// A record's number, counted from 1; for other lines that of the last record before.
    pub sequence: u64,
    /// A record's exact instant; for other lines when they were written.
    pub at: Timestamp,
    /// What the next line is chained to.
    pub hash: Hash,
    /// A record's JSON; see [`Head`](crate::Head) and the design paper for other lines.
    pub body: &'a str,
}

/// A line that isn't one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a line of a journal")]
pub struct Malformed;

/// Takes `line`, without its line feed, apart. Never panics, whatever the bytes.
///
/// There is one way to write each line: numbers have no sign or leading zero, digits of hashes are
/// lower-case, nothing but the body may hold another space, and no body holds a control character.
pub fn parse(line: &[u8]) -> Result<Line<'_>, Malformed> {
    let line = str::from_utf8(line).map_err(|_| Malformed)?;
    let mut fields = line.splitn(5, ' ');
    let mut next = || fields.next().ok_or(Malformed);
    let kind = match next()? {
        "H" => Kind::Head,
        "R" => Kind::Record,
        "S" => Kind::Segment,
        _ => return Err(Malformed),
    };
    let (sequence, at) = (number(next()?)?, instant(next()?)?);
    let hash = Hash::parse(next()?.as_bytes()).ok_or(Malformed)?;
    let body = next()?;
    if !fits(body) {
        return Err(Malformed);
    }
    Ok(Line { kind, sequence, at, hash, body })
}

/// Whether `body` can be a line's: not empty, no control character below U+0020, which JSON on one line
/// never holds, and not too long.
pub(crate) fn fits(body: &str) -> bool {
    // Without an early end, so that it is done for many bytes at once.
    let least = body.bytes().fold(u8::MAX, u8::min);
    !body.is_empty() && least >= b' ' && body.len() <= MAX_LINE - OVERHEAD
}

/// The number that `text` is the one and only decimal form of.
pub(crate) fn number(text: &str) -> Result<u64, Malformed> {
    let digits = text.bytes().all(|it| it.is_ascii_digit());
    if !digits || (text.starts_with('0') && text != "0") {
        return Err(Malformed);
    }
    text.parse().map_err(|_| Malformed)
}

fn instant(text: &str) -> Result<Timestamp, Malformed> {
    let size = number(text.strip_prefix('-').unwrap_or(text))?;
    if size == 0 && text != "0" {
        return Err(Malformed);
    }
    text.parse().map(Timestamp::from_millis).map_err(|_| Malformed)
}

impl Line<'_> {
    /// Whether this line is unchanged and stands behind a line with the hash `previous`.
    pub fn follows(&self, previous: &Hash) -> bool {
        let numbers = (self.sequence, self.at);
        link(previous, self.kind, numbers, self.body.as_bytes()) == self.hash
    }

    /// Appends the line and its line feed.
    pub(crate) fn push(&self, out: &mut Vec<u8>) {
        let Self { kind, sequence, at, hash, body } = self;
        out.push(kind.letter());
        out.push(b' ');
        push_number(out, *sequence);
        out.extend_from_slice(if at.millis() < 0 { b" -" } else { b" " });
        push_number(out, at.millis().unsigned_abs());
        out.push(b' ');
        out.extend_from_slice(&hash.digits());
        out.push(b' ');
        out.extend_from_slice(body.as_bytes());
        out.push(b'\n');
    }
}

/// Appends `number` in decimal: for every record, several times faster than formatting.
fn push_number(out: &mut Vec<u8>, number: u64) {
    let mut digits = [b'0'; 20];
    let (mut rest, mut count) = (number, 0);
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(rest % 10).unwrap_or_default();
        (rest, count) = (rest / 10, count + 1);
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(20 - count..).unwrap_or_default());
}

/// The line behind `previous` that says `body`.
pub(crate) fn after<'a>(
    previous: &Hash,
    kind: Kind,
    (sequence, at): (u64, Timestamp),
    body: &'a str,
) -> Line<'a> {
    let hash = link(previous, kind, (sequence, at), body.as_bytes());
    Line { kind, sequence, at, hash, body }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn there_is_one_way_to_write_a_line() {
        let hash = "0".repeat(64);
        #[rustfmt::skip]
        let cases = [
            (format!("R 1 1714821753123 {hash} {{\"a\":\"b c\"}}"), true),
            (format!("H 18446744073709551615 -5 {hash} x"),         true),
            (format!("S 0 0 {hash} 1 1 x"),                         true),
            (format!("R 18446744073709551616 0 {hash} x"),          false),
            (format!("R 01 0 {hash} x"),                            false),
            (format!("R +1 0 {hash} x"),                            false),
            (format!("R 1 -0 {hash} x"),                            false),
            (format!("R 1 05 {hash} x"),                            false),
            (format!("R 1 --5 {hash} x"),                           false),
            (format!("R  1 5 {hash} x"),                            false),
            (format!("R 1 5 {hash} "),                              false),
            (format!("R 1 5 {hash}"),                               false),
            (format!("R 1 5 {}A x", &hash[1..]),                    false),
            (format!("R 1 5 {} x", &hash[1..]),                     false),
            (format!("R 1 5 {hash} x\0"),                           false),
            (format!("R 1 5 {hash} \u{1f}x"),                       false),
            (format!("R 1 5 {hash} \u{7f}é"),                       true),
            (format!("Q 1 5 {hash} x"),                             false),
            (format!("R 1 5 {hash} {}", "x".repeat(MAX_LINE)),      false),
            (String::new(),                                         false),
        ];
        for (text, valid) in cases {
            let shown: String = text.chars().take(80).collect();
            assert_eq!(parse(text.as_bytes()).is_ok(), valid, "{shown}");
        }
        assert_eq!(parse(b"R 1 5 \xff x"), Err(Malformed));
    }

    #[test]
    fn numbers_are_decimal() {
        for number in [0, 1, 9, 10, 1_000_000, u64::MAX - 1, u64::MAX] {
            let mut out = Vec::new();
            push_number(&mut out, number);
            assert_eq!(out, number.to_string().into_bytes());
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _any = parse(&bytes);
        }

        #[test]
        fn what_parses_is_written_back_the_same(
            text in "[HRS] (0|[1-9][0-9]{0,19}) -?[0-9]{1,5} [0-9a-f]{64} [ -~é]{0,20}",
        ) {
            if let Ok(line) = parse(text.as_bytes()) {
                let mut again = Vec::new();
                line.push(&mut again);
                prop_assert_eq!(again, format!("{text}\n").into_bytes());
            }
        }

        #[test]
        fn what_is_written_is_read_and_follows(
            sequence: u64, at: i64, body in "[ -~é]{1,40}", previous: [u8; 8],
        ) {
            let previous = link(&Hash::GENESIS, Kind::Head, (0, Timestamp::default()), &previous);
            let line = after(&previous, Kind::Record, (sequence, Timestamp::from_millis(at)), &body);
            let mut out = Vec::new();
            line.push(&mut out);
            prop_assert!(out.len() <= body.len() + OVERHEAD);
            let read = parse(out.strip_suffix(b"\n").expect("a line feed")).expect("a line");
            prop_assert_eq!(read, line);
            prop_assert!(read.follows(&previous));
            prop_assert!(!read.follows(&Hash::GENESIS));
        }
    }
}
