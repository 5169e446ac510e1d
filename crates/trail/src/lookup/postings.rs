//! Where in a segment the records are that have an attribute.
//!
//! While a segment grows its postings are in memory; when it is full they go to a file beside it that never
//! changes again, and that is made anew from the segment if it is lost or damaged. The form: `docs/design/0008-lookup.md`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The fingerprint of an attribute, its value, and whose it is. Two things may share one: who looks
/// something up looks at the record, too.
pub(super) type Mark = u64;

/// Bytes of a block, its checksum included.
const BLOCK: usize = 4096;
const ROOM: usize = BLOCK - 4;
/// Bytes of a directory's entry: the mark, where its postings begin, how many there are.
const ENTRY: usize = 16;
const ENTRIES: usize = ROOM / ENTRY;
/// Postings of a block, four bytes each.
const POSTINGS: usize = ROOM / 4;
const MAGIC: &[u8; 16] = b"strongroom find1";

/// The instants that the records of a segment lie between, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) earliest: i64,
    pub(super) latest: i64,
}

impl Span {
    /// Of no records: nothing lies in it.
    pub(super) const EMPTY: Self = Self { earliest: i64::MAX, latest: i64::MIN };

    fn with(self, at: i64) -> Self {
        Self { earliest: self.earliest.min(at), latest: self.latest.max(at) }
    }
}

/// The postings of a segment that still grows.
#[derive(Debug)]
pub(super) struct Growing {
    found: Vec<(Mark, u32)>,
    pub(super) span: Span,
}

impl Growing {
    pub(super) const fn new() -> Self {
        Self { found: Vec::new(), span: Span::EMPTY }
    }

    /// Notes that the record at byte `offset`, of the instant `at`, has the attribute `mark`.
    pub(super) fn add(&mut self, mark: Mark, offset: u32, at: i64) {
        self.found.push((mark, offset));
        self.span = self.span.with(at);
    }

    /// Where the records with `mark` begin, ascending.
    pub(super) fn find(&self, mark: Mark) -> Vec<u32> {
        self.found.iter().filter(|it| it.0 == mark).map(|it| it.1).collect()
    }

    /// Writes them to the file of `segment`: all of it, or none.
    pub(super) fn keep(&self, folder: &Path, segment: u64) -> io::Result<()> {
        let mut lists: BTreeMap<Mark, Vec<u32>> = BTreeMap::new();
        for (mark, offset) in &self.found {
            lists.entry(*mark).or_default().push(*offset);
        }
        let count = |it: usize| u32::try_from(it).map_err(io::Error::other);
        let mut head = MAGIC.to_vec();
        head.extend_from_slice(&count(lists.len())?.to_le_bytes());
        head.extend_from_slice(&count(self.found.len())?.to_le_bytes());
        head.extend_from_slice(&self.span.earliest.to_le_bytes());
        head.extend_from_slice(&self.span.latest.to_le_bytes());
        let (mut directory, mut postings) = (Vec::new(), Vec::new());
        for (mark, list) in &lists {
            directory.extend_from_slice(&mark.to_le_bytes());
            directory.extend_from_slice(&count(postings.len() / 4)?.to_le_bytes());
            directory.extend_from_slice(&count(list.len())?.to_le_bytes());
            postings.extend(list.iter().flat_map(|it| it.to_le_bytes()));
        }
        let mut bytes = block(&head);
        directory.chunks(ENTRIES * ENTRY).for_each(|it| bytes.extend(block(it)));
        postings.chunks(POSTINGS * 4).for_each(|it| bytes.extend(block(it)));
        replace(folder, &path(folder, segment), &bytes)
    }
}

/// `content` in a block of its own, with its checksum.
fn block(content: &[u8]) -> Vec<u8> {
    let mut block = content.to_vec();
    block.resize(ROOM, 0);
    block.extend_from_slice(&crc32fast::hash(&block).to_le_bytes());
    block
}

fn replace(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("find.new");
    let mut file =
        File::options().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    // What is lost is made again, but half a file would be looked into.
    file.sync_data()?;
    fs::rename(&draft, path)?;
    File::open(folder)?.sync_all()
}

pub(super) fn path(folder: &Path, segment: u64) -> PathBuf {
    folder.join(format!("{segment:08}.find"))
}

/// The postings of a full segment, on disk.
#[derive(Debug)]
pub(super) struct Kept {
    file: File,
    keys: usize,
    postings: usize,
    pub(super) span: Span,
}

impl Kept {
    /// Opens the file of `segment`; `None` if there is none, or none that is whole.
    pub(super) fn open(folder: &Path, segment: u64) -> io::Result<Option<Self>> {
        let file = match File::open(path(folder, segment)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        let Some(head) = read(&file, 0)? else { return Ok(None) };
        let number = |from: usize| long(&head, from);
        let count = |from: usize| short(&head, from);
        let (keys, postings) = (count(16), count(20));
        let span = Span { earliest: number(24), latest: number(32) };
        let blocks = 1 + keys.div_ceil(ENTRIES) + postings.div_ceil(POSTINGS);
        let whole = head.starts_with(MAGIC) && length == blocks as u64 * BLOCK as u64;
        Ok(whole.then_some(Self { file, keys, postings, span }))
    }

    /// Where the records with `mark` begin, ascending; `None` if the file is damaged there.
    pub(super) fn find(&self, mark: Mark) -> io::Result<Option<Vec<u32>>> {
        let blocks = self.keys.div_ceil(ENTRIES);
        let (mut from, mut to) = (0, blocks);
        // Marks are spread evenly, so that the first guess is seldom far off.
        let mut guess = usize::try_from((u128::from(mark) * blocks as u128) >> 64).unwrap_or(0);
        while from < to {
            guess = guess.clamp(from, to - 1);
            let Some(block) = read(&self.file, 1 + guess)? else { return Ok(None) };
            let (entries, _) = block.as_chunks::<ENTRY>();
            let entries = entries.iter().take(self.keys - guess * ENTRIES);
            let mut at_or_behind = entries.skip_while(|it| mark_of(*it) < mark);
            match at_or_behind.next() {
                Some(it) if mark_of(it) == mark => return self.list(short(it, 8), short(it, 12)),
                // In front of it, which is in front of the block if it is the first one.
                Some(it) if !block.starts_with(it) => return Ok(Some(Vec::new())),
                Some(_) => (to, guess) = (guess, guess.saturating_sub(1)),
                None => (from, guess) = (guess + 1, guess + 1),
            }
        }
        Ok(Some(Vec::new()))
    }

    /// `count` postings from the one numbered `start` on.
    fn list(&self, start: usize, count: usize) -> io::Result<Option<Vec<u32>>> {
        if start.checked_add(count).is_none_or(|it| it > self.postings) {
            return Ok(None);
        }
        let first = 1 + self.keys.div_ceil(ENTRIES);
        let mut list = Vec::with_capacity(count);
        let mut next = start;
        while list.len() < count {
            let Some(block) = read(&self.file, first + next / POSTINGS)? else { return Ok(None) };
            let (numbers, _) = block.as_chunks::<4>();
            let here = numbers.iter().skip(next % POSTINGS).take(count - list.len());
            let before = list.len();
            list.extend(here.map(|it| u32::from_le_bytes(*it)));
            next += list.len() - before;
        }
        Ok(Some(list))
    }
}

/// What is in block `number`; `None` if it isn't whole, or isn't as it was written.
fn read(file: &File, number: usize) -> io::Result<Option<[u8; ROOM]>> {
    let mut block = [0; BLOCK];
    match file.read_exact_at(&mut block, number as u64 * BLOCK as u64) {
        Ok(()) => (),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let (content, sum) = block.split_at(ROOM);
    let whole = crc32fast::hash(content).to_le_bytes() == sum;
    Ok(content.first_chunk().copied().filter(|_| whole))
}

fn mark_of(entry: &[u8]) -> Mark {
    u64::from_le_bytes(bytes(entry, 0))
}

fn short(from: &[u8], at: usize) -> usize {
    usize::try_from(u32::from_le_bytes(bytes(from, at))).unwrap_or(usize::MAX)
}

fn long(from: &[u8], at: usize) -> i64 {
    i64::from_le_bytes(bytes(from, at))
}

fn bytes<const N: usize>(from: &[u8], at: usize) -> [u8; N] {
    from.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn growing(marks: &[u64]) -> Growing {
        let mut growing = Growing::new();
        for (n, mark) in (0..).zip(marks) {
            growing.add(*mark, n, i64::from(n) + 7);
        }
        growing
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        /// Few marks and many, close together and far apart, over several blocks.
        #[test]
        fn what_was_kept_is_found(
            marks in prop::collection::vec(
                prop_oneof![0..4_u64, any::<u64>(), (u64::MAX - 3)..=u64::MAX], 0..3000),
            others in prop::collection::vec(any::<u64>(), 20),
        ) {
            let folder = tempfile::tempdir().expect("a folder");
            let growing = growing(&marks);
            growing.keep(folder.path(), 7).expect("kept");
            let kept = Kept::open(folder.path(), 7).expect("read").expect("whole");
            prop_assert_eq!(kept.span, growing.span);
            for mark in marks.iter().step_by(37).chain(&others).chain(&[0, 1, 5, u64::MAX]) {
                prop_assert_eq!(kept.find(*mark).expect("read"), Some(growing.find(*mark)));
            }
        }
    }

    #[test]
    fn no_flipped_bit_hides_a_posting() {
        let folder = tempfile::tempdir().expect("a folder");
        let marks: Vec<u64> =
            (0..600_u64).map(|it| it.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        growing(&marks).keep(folder.path(), 1).expect("kept");
        let file = path(folder.path(), 1);
        let good = fs::read(&file).expect("read");
        for at in (0..good.len()).step_by(101) {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            fs::write(&file, &bad).expect("written");
            let Some(kept) = Kept::open(folder.path(), 1).expect("read") else { continue };
            for (n, mark) in (0..).zip(&marks) {
                let found = kept.find(*mark).expect("read");
                assert!(found.is_none() || found == Some(vec![n]), "byte {at}, mark {n}");
            }
        }
        for length in [0, 1, BLOCK - 1, BLOCK, good.len() - BLOCK, good.len() - 1] {
            fs::write(&file, &good[..length]).expect("written");
            assert!(Kept::open(folder.path(), 1).expect("read").is_none(), "{length} bytes");
        }
        assert!(Kept::open(folder.path(), 2).expect("read").is_none());
    }
}
