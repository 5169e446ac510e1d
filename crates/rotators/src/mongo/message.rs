//! Messages on the wire: bytes and documents. No connection is read or written here.
//!
//! Source: MongoDB manual, "MongoDB Wire Protocol", `OP_MSG`.

use bson::{RawDocument, RawDocumentBuf};
use zeroize::{Zeroize, Zeroizing};

/// How many bytes tell how many follow.
pub(super) const HEADER: usize = 16;

/// Replies to what is asked here have some hundred bytes; a user with ten thousand roles has half of this.
const LONGEST: usize = 1 << 20;

const OP_MSG: i32 = 2013;

/// Of the bits that must be understood, these are: none. A checksum was not asked for, nor more than one reply.
const REQUIRED_BITS: u32 = 0xffff;

/// The message that asks for `command`, as number `id`. What it is made of is wiped, as it may hold a password.
pub(super) fn request(id: i32, command: RawDocumentBuf) -> Zeroizing<Vec<u8>> {
    let mut document = command.into_bytes();
    let length = HEADER + 5 + document.len();
    let mut out = Zeroizing::new(Vec::with_capacity(length));
    // What is asked here fits by far.
    let length = i32::try_from(length).unwrap_or(i32::MAX);
    for number in [length, id, 0, OP_MSG, 0] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.push(0);
    out.extend_from_slice(&document);
    document.zeroize();
    out
}

/// How many bytes follow `header`, if it begins a reply to number `id` that is no longer than it should be.
pub(super) fn announced(header: &[u8; HEADER], id: i32) -> Option<usize> {
    let mut numbers = header.as_chunks().0.iter().map(|it| i32::from_le_bytes(*it));
    let [length, _own, to, kind] = std::array::from_fn(|_| numbers.next().unwrap_or_default());
    let rest = usize::try_from(length).ok()?.checked_sub(HEADER)?;
    (to == id && kind == OP_MSG && rest <= LONGEST).then_some(rest)
}

/// The one document of a reply, from what follows its header.
pub(super) fn document(rest: &[u8]) -> Option<RawDocumentBuf> {
    let (flags, rest) = rest.split_first_chunk()?;
    let (kind, document) = rest.split_first()?;
    if u32::from_le_bytes(*flags) & REQUIRED_BITS != 0 || *kind != 0 {
        return None;
    }
    Some(RawDocument::from_bytes(document).ok()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::rawdoc;

    fn reply(id: i32, document: &RawDocumentBuf) -> Vec<u8> {
        let mut bytes = request(7, document.clone()).to_vec();
        bytes[8..12].copy_from_slice(&id.to_le_bytes());
        bytes
    }

    #[test]
    fn a_message_is_what_was_put_in() {
        let said = rawdoc! { "ok": 1, "$db": "admin" };
        let bytes = reply(3, &said);
        let header = bytes.first_chunk().expect("a header");
        assert_eq!(announced(header, 3), Some(bytes.len() - HEADER));
        assert_eq!(announced(header, 4), None, "an answer to something else");
        assert_eq!(document(&bytes[HEADER..]), Some(said));
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        let whole = reply(1, &rawdoc! { "ok": 1 });
        for (place, byte, what) in [
            (0, 0x0f, "shorter than its header"),
            (3, 0x80, "a negative length"),
            (2, 0x11, "longer than any"),
            (12, 0xd4, "compressed, or of another kind"),
        ] {
            let mut bytes = whole.clone();
            bytes[place] = byte;
            assert_eq!(announced(bytes.first_chunk().expect("a header"), 1), None, "{what}");
        }
        for (place, byte, what) in [
            (16, 1, "with a checksum"),
            (16, 2, "with more to come"),
            (20, 1, "another section"),
            (21, 99, "a document that ends elsewhere"),
        ] {
            let mut bytes = whole.clone();
            bytes[place] = byte;
            assert_eq!(document(&bytes[HEADER..]), None, "{what}");
        }
        for length in 0..whole.len() - HEADER {
            assert_eq!(document(&whole[HEADER..HEADER + length]), None, "cut to {length}");
        }
    }
}
