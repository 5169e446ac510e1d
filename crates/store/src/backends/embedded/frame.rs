//! Frames: how a batch of commits lies in the journal.
//!
//! All numbers are big-endian. A frame begins at a multiple of [`BLOCK`] and is filled up with zeros,
//! so that writing one never touches the bytes of another.
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 0 | 8 | `srframe1` |
//! | 8 | 8 | generation: counts the uses of segments |
//! | 16 | 8 | revision of the first commit |
//! | 24 | 4 | number of commits |
//! | 28 | 4 | bytes of commits |
//! | 32 | 32 | digest of the frame before it in the segment, or zeros |
//! | 64 | 32 | digest: SHA-256 of bytes 0 to 63 and the commits |
//! | 96 | … | the commits |
//!
//! A commit is the number of its rows (4 bytes) and, for each, the length of the key (4), the key,
//! the length of the row plus one, or 0 if it was removed (4), and the row.

use super::layer::Written;
use crate::Revision;
use aws_lc_rs::digest::{self, SHA256};

/// Where frames may begin.
pub(super) const BLOCK: usize = 4096;

/// Bytes before the commits.
pub(super) const HEADER: usize = 96;

/// The digest of a frame; the next one names it.
pub(super) type Digest = [u8; 32];

const MAGIC: &[u8; 8] = b"srframe1";

/// The rows of one commit.
pub(super) type Writes = Vec<(String, Written)>;

/// A frame's header, read but not yet believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) generation: u64,
    pub(super) first: Revision,
    pub(super) commits: u32,
    /// Bytes of commits after the header.
    pub(super) length: usize,
    pub(super) former: Digest,
    digest: Digest,
}

impl Header {
    /// The header at the start of `bytes`, if there is one.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        if reader.take(MAGIC.len())? != MAGIC {
            return None;
        }
        Some(Self {
            generation: reader.u64()?,
            first: Revision(reader.u64()?),
            commits: reader.u32()?,
            length: usize::try_from(reader.u32()?).ok()?,
            former: reader.take(32)?.try_into().ok()?,
            digest: reader.take(32)?.try_into().ok()?,
        })
    }

    /// The revision of the last commit.
    pub(super) fn last(&self) -> Revision {
        Revision(self.first.0.saturating_add(u64::from(self.commits)).saturating_sub(1))
    }

    /// Bytes of the frame on disk.
    pub(super) fn extent(&self) -> usize {
        HEADER.saturating_add(self.length).next_multiple_of(BLOCK)
    }

    /// The commits, if `frame` (header and commits) is what was written.
    pub(super) fn open(&self, frame: &[u8]) -> Option<(Digest, Vec<Writes>)> {
        let commits = frame.get(HEADER..HEADER.checked_add(self.length)?)?;
        let found = digest_of(frame.get(..64)?, commits);
        if found != self.digest {
            return None;
        }
        let mut reader = Reader(commits);
        let read = (0..self.commits).map(|_| reader.commit()).collect::<Option<_>>()?;
        reader.0.is_empty().then_some((found, read))
    }
}

/// A frame being put together. Reused, so that a busy store does not allocate for each.
#[derive(Debug)]
pub(super) struct Builder {
    bytes: Vec<u8>,
    commits: u32,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; HEADER], commits: 0 }
    }

    /// Adds a commit; `None` if something in it is beyond what a frame can say.
    pub(super) fn add(&mut self, writes: &[(String, Written)]) -> Option<()> {
        put_u32(&mut self.bytes, writes.len())?;
        for (key, written) in writes {
            put_u32(&mut self.bytes, key.len())?;
            self.bytes.extend_from_slice(key.as_bytes());
            match written {
                None => put_u32(&mut self.bytes, 0)?,
                Some(row) => {
                    put_u32(&mut self.bytes, row.len().checked_add(1)?)?;
                    self.bytes.extend_from_slice(row);
                }
            }
        }
        self.commits = self.commits.checked_add(1)?;
        Some(())
    }

    /// Bytes of the frame on disk.
    pub(super) fn extent(&self) -> usize {
        self.bytes.len().next_multiple_of(BLOCK)
    }

    /// Completes the frame; its digest, and its bytes.
    pub(super) fn seal(&mut self, generation: u64, first: Revision, former: &Digest) -> Digest {
        let length = u32::try_from(self.bytes.len().saturating_sub(HEADER)).unwrap_or(u32::MAX);
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&generation.to_be_bytes());
        header.extend_from_slice(&first.0.to_be_bytes());
        header.extend_from_slice(&self.commits.to_be_bytes());
        header.extend_from_slice(&length.to_be_bytes());
        header.extend_from_slice(former);
        let digest = digest_of(&header, self.bytes.get(HEADER..).unwrap_or_default());
        header.extend_from_slice(&digest);
        for (to, from) in self.bytes.iter_mut().zip(header) {
            *to = from;
        }
        self.bytes.resize(self.extent(), 0);
        digest
    }

    /// The sealed frame.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Starts over.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        // One large import must not hold its memory for ever.
        self.bytes.shrink_to(1 << 20);
        self.bytes.resize(HEADER, 0);
        self.commits = 0;
    }
}

fn put_u32(bytes: &mut Vec<u8>, number: usize) -> Option<()> {
    bytes.extend_from_slice(&u32::try_from(number).ok()?.to_be_bytes());
    Some(())
}

fn digest_of(header: &[u8], commits: &[u8]) -> Digest {
    let mut context = digest::Context::new(&SHA256);
    context.update(header);
    context.update(commits);
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    out
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        Some(head)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.take(8)?.try_into().ok()?))
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.u32()?).ok()
    }

    fn commit(&mut self) -> Option<Writes> {
        let rows = self.u32()?;
        (0..rows).map(|_| self.row()).collect()
    }

    fn row(&mut self) -> Option<(String, Written)> {
        let length = self.length()?;
        let key = String::from_utf8(self.take(length)?.to_vec()).ok()?;
        let written = match self.length()?.checked_sub(1) {
            None => None,
            Some(length) => Some(self.take(length)?.to_vec()),
        };
        Some((key, written))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written() -> impl Strategy<Value = Writes> {
        let row = (".{0,12}", prop::option::of(prop::collection::vec(any::<u8>(), 0..40)));
        prop::collection::vec(row, 0..6)
    }

    fn frame(commits: &[Writes]) -> Vec<u8> {
        let mut builder = Builder::new();
        for commit in commits {
            builder.add(commit).expect("small");
        }
        builder.seal(7, Revision(100), &[9; 32]);
        builder.bytes().to_vec()
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(commits in prop::collection::vec(written(), 1..5)) {
            let bytes = frame(&commits);
            prop_assert_eq!(bytes.len() % BLOCK, 0);
            let header = Header::read(&bytes).expect("a header");
            prop_assert_eq!(header.extent(), bytes.len());
            prop_assert_eq!((header.generation, header.first, header.former), (7, Revision(100), [9; 32]));
            prop_assert_eq!(header.last(), Revision(99 + commits.len() as u64));
            let (digest, read) = header.open(&bytes).expect("whole");
            prop_assert_eq!(digest, header.digest);
            prop_assert_eq!(read, commits);
        }

        #[test]
        fn no_changed_byte_is_believed(
            commits in prop::collection::vec(written(), 1..4),
            at in any::<prop::sample::Index>(),
            flip in 1u8..,
        ) {
            let mut bytes = frame(&commits);
            let length = Header::read(&bytes).expect("a header").length;
            bytes[at.index(HEADER + length)] ^= flip;
            let believed = Header::read(&bytes).and_then(|it| it.open(&bytes));
            prop_assert_eq!(believed, None);
        }

        /// A reader must take any bytes without a panic and without believing a length.
        #[test]
        fn garbage_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut bytes = bytes;
            bytes.splice(..bytes.len().min(8), *MAGIC);
            prop_assert_eq!(Header::read(&bytes).and_then(|it| it.open(&bytes)), None);
        }
    }
}
