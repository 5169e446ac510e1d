//! The journal: commits that are durable but not yet in the tree.
//!
//! Two segments of reserved bytes. One takes frames, the other is empty or is being moved
//! into the tree; then they change places. Overwriting reserved bytes is the cheapest durable write
//! there is: the file system has nothing to record but the bytes, and can't run out of space.
//!
//! Invariants:
//!
//! - A frame is answered only after it is on disk, and only then comes the next one: at most one
//!   frame, the last, can be torn.
//! - The frames of a segment are chained by their digests; revisions go on without a gap, also from
//!   one segment to the other.
//! - Frames of a segment are overwritten only when the tree durably holds all of them.
//!
//! So all frames above the tree's revision are known to be whole, or the store is refused: what can
//! be read must not be less than what was answered.

use super::disk::Disk;
use super::folder::{Folder, is_full, told};
use super::frame::{BLOCK, Builder, Digest, HEADER, Header, Writes};
use super::options::Options;
use crate::{Error, Revision};
use redb::StorageBackend;
use std::io;

/// The writing end of the journal.
#[derive(Debug)]
pub(super) struct Journal {
    active: Segment,
    other: Segment,
    most_bytes: usize,
}

#[derive(Debug)]
struct Segment {
    name: &'static str,
    disk: Disk,
    capacity: usize,
    generation: u64,
    /// Where the next frame goes.
    end: usize,
    /// The digest of the last frame.
    last: Digest,
    /// A write failed: there may be a frame at `end` that nobody was told about.
    doubtful: bool,
}

/// Commits in the order they were made, each with its revision.
pub(super) type Replay = Vec<(Revision, Writes)>;

/// Commits found when the journal was opened.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Those of the segment that was being moved into the tree, and is to be moved first.
    pub(super) older: Replay,
    /// Those of the segment that goes on taking frames.
    pub(super) newer: Replay,
}

const NAMES: [&str; 2] = ["journal.0", "journal.1"];

/// Below this a segment is of no use.
const LEAST_BYTES: u64 = 64 << 10;
/// A segment starts with this much where it may, and grows under load.
const FIRST_BYTES: u64 = 4 << 20;
/// On a small disk the journal leaves room for the tree: it takes this part of what is free.
const SHARE: u64 = 8;

impl Journal {
    /// Opens both segments, and reads what is not in the tree, which stands at `applied`.
    ///
    /// # Errors
    ///
    /// - [`Error::Corrupt`]: a commit above `applied` was there and can't be read any more.
    /// - [`Error::Full`]: no room for the segments.
    pub(super) fn open(
        folder: &Folder,
        options: &Options,
        applied: Revision,
    ) -> Result<(Self, Found), Error> {
        let [first, second] = NAMES.map(|name| Segment::open(folder, options, name));
        let (mut first, mut second) = (first?, second?);
        let mut scans = (first.scan(applied)?, second.scan(applied)?);
        // The segment used last goes on; `generation` is 0 in one that was never used.
        if first.generation > second.generation {
            std::mem::swap(&mut first, &mut second);
            std::mem::swap(&mut scans.0, &mut scans.1);
        }
        let (older, newer) = scans;
        continues(applied, &older, &first)?;
        let reached = older.last().map_or(applied, |(revision, _)| *revision);
        continues(reached, &newer, &second)?;

        let most_bytes = usize::try_from(options.journal_bytes).unwrap_or(usize::MAX);
        let mut journal = Self { active: second, other: first, most_bytes };
        // What a killed process wrote but did not sync is believed from here on.
        journal.active.disk.sync().map_err(told)?;
        journal.other.disk.sync().map_err(told)?;
        if newer.is_empty() && older.is_empty() {
            journal.rotate()?;
        }
        Ok((journal, Found { older, newer }))
    }

    /// Whether `frame` fits into what is left of the active segment.
    pub(super) fn fits(&self, frame: &Builder) -> bool {
        frame.extent() <= self.active.capacity.saturating_sub(self.active.end)
    }

    /// Goes on with the other segment, all of whose commits must be in the tree.
    pub(super) fn rotate(&mut self) -> Result<(), Error> {
        // A frame that nobody was told about must not stand in for the next one.
        self.active.heal()?;
        let generation = self.active.generation.max(self.other.generation).saturating_add(1);
        std::mem::swap(&mut self.active, &mut self.other);
        self.active.restart(generation);
        Ok(())
    }

    /// Makes room for `frame` in the active segment if it may still grow, and the disk has plenty.
    pub(super) fn try_to_grow(&mut self, frame: &Builder) -> bool {
        let active = &mut self.active;
        let needed = active.end.saturating_add(frame.extent());
        let wanted = needed.max(active.capacity.saturating_mul(2)).min(self.most_bytes);
        let extra = wanted.saturating_sub(active.capacity) as u64;
        let share = active.disk.free_bytes().map_or(0, |it| it / SHARE);
        needed <= wanted && extra <= share && active.grow(wanted).is_ok()
    }

    /// Makes room for `frame`, larger than the limits foresee, in an active segment that is empty.
    pub(super) fn grow_for(&mut self, frame: &Builder) -> Result<(), Error> {
        self.active.grow(self.active.end.saturating_add(frame.extent())).map_err(told)
    }

    /// Writes `frame`, whose first commit has the revision `first`, durably.
    ///
    /// # Errors
    ///
    /// - [`Error::Full`]: nothing was written.
    /// - [`Error::Unavailable`]: the commits may come to light after a crash.
    pub(super) fn append(&mut self, frame: &mut Builder, first: Revision) -> Result<(), Error> {
        // A frame in doubt lies in the same place, and is overwritten.
        let active = &mut self.active;
        let digest = frame.seal(active.generation, first, &active.last);
        let written = active
            .disk
            .overwrite(active.end as u64, frame.bytes())
            .and_then(|()| active.disk.sync());
        if let Err(error) = written {
            active.doubtful = true;
            // Where space can't be reserved, this is the one way to meet a full disk.
            let nothing_happened = is_full(&error) && active.heal().is_ok();
            return Err(if nothing_happened {
                Error::Full
            } else {
                Error::Unavailable(Box::new(error))
            });
        }
        active.doubtful = false;
        active.end = active.end.saturating_add(frame.bytes().len());
        active.last = digest;
        Ok(())
    }

    /// Bytes of both files.
    pub(super) fn bytes(&self) -> u64 {
        (self.active.capacity as u64).saturating_add(self.other.capacity as u64)
    }

    /// Bytes of frames in the active segment.
    pub(super) fn used(&self) -> u64 {
        self.active.end as u64
    }
}

impl Segment {
    fn open(folder: &Folder, options: &Options, name: &'static str) -> Result<Self, Error> {
        let disk = Disk::new(folder.file(name)?, options.faults.clone());
        let block = BLOCK as u64;
        let share = disk.free_bytes().map_err(told)? / SHARE;
        let bytes = options.journal_bytes.min(FIRST_BYTES).min(share);
        let bytes = bytes.max(LEAST_BYTES).next_multiple_of(block);
        match disk.reserve(bytes) {
            // A full disk must not keep a store from starting that has a journal already.
            Err(_) if disk.len().map_err(told)? >= LEAST_BYTES => (),
            reserved => reserved.map_err(told)?,
        }
        let capacity = usize::try_from(disk.len().map_err(told)? / block * block)
            .map_err(|error| Error::Unavailable(Box::new(error)))?;
        let (generation, end, last) = (0, 0, [0; 32]);
        Ok(Self { name, disk, capacity, generation, end, last, doubtful: false })
    }

    /// Reads the chain of frames from the start; the commits in it above `applied`.
    fn scan(&mut self, applied: Revision) -> Result<Replay, Error> {
        let mut replay = Replay::new();
        let mut expected = None;
        while let Some(header) = self.header_at(self.end)? {
            let follows = header.former == self.last
                && expected.is_none_or(|it| it == (header.generation, header.first));
            if !follows {
                break;
            }
            let Some((digest, commits)) = self.open_at(self.end, &header)? else { break };
            self.generation = header.generation;
            self.last = digest;
            self.end = self.end.saturating_add(header.extent());
            expected = Some((header.generation, Revision(header.last().0.saturating_add(1))));
            let above = (header.first.0..).map(Revision).zip(commits);
            replay.extend(above.filter(|(revision, _)| *revision > applied));
        }
        let reached = replay.last().map_or(applied, |(revision, _)| *revision);
        self.refuse_lost_frames(reached)?;
        Ok(replay)
    }

    /// Refuses the store if a whole frame above `reached` lies behind the chain: one before it must
    /// have been damaged.
    fn refuse_lost_frames(&mut self, reached: Revision) -> Result<(), Error> {
        let mut at = self.end;
        while at < self.capacity {
            if let Some(header) = self.header_at(at)? {
                let is_whole = header.last() > reached && self.open_at(at, &header)?.is_some();
                if is_whole {
                    return Err(self.damaged("a frame is damaged, and whole ones come after it"));
                }
                self.generation = self.generation.max(header.generation);
            }
            at = at.saturating_add(BLOCK);
        }
        Ok(())
    }

    fn header_at(&self, at: usize) -> Result<Option<Header>, Error> {
        let mut bytes = [0; HEADER];
        if at.saturating_add(BLOCK) > self.capacity {
            return Ok(None);
        }
        self.disk.read(at as u64, &mut bytes).map_err(told)?;
        Ok(Header::read(&bytes))
    }

    fn open_at(&self, at: usize, header: &Header) -> Result<Option<(Digest, Vec<Writes>)>, Error> {
        if at.saturating_add(header.extent()) > self.capacity {
            return Ok(None);
        }
        let mut frame = vec![0; HEADER.saturating_add(header.length)];
        self.disk.read(at as u64, &mut frame).map_err(told)?;
        Ok(header.open(&frame))
    }

    fn grow(&mut self, capacity: usize) -> io::Result<()> {
        let capacity = capacity.next_multiple_of(BLOCK);
        self.disk.reserve(capacity as u64)?;
        self.capacity = self.capacity.max(capacity);
        Ok(())
    }

    fn restart(&mut self, generation: u64) {
        self.generation = generation;
        self.end = 0;
        self.last = [0; 32];
    }

    /// After a failed write: makes sure that no frame lies where the next one goes.
    fn heal(&mut self) -> Result<(), Error> {
        if self.doubtful {
            let zeros = [0; BLOCK];
            let healed =
                self.disk.overwrite(self.end as u64, &zeros).and_then(|()| self.disk.sync());
            healed.map_err(|error| Error::Unavailable(Box::new(error)))?;
            self.doubtful = false;
        }
        Ok(())
    }

    fn damaged(&self, reason: &str) -> Error {
        Error::Corrupt { key: self.name.to_owned(), reason: reason.to_owned() }
    }
}

/// Whether `replay` of `segment` goes on where the store stands.
fn continues(reached: Revision, replay: &Replay, segment: &Segment) -> Result<(), Error> {
    match replay.first() {
        Some((first, _)) if first.0 != reached.0.saturating_add(1) => {
            Err(segment.damaged("commits before its first frame are missing"))
        }
        _ => Ok(()),
    }
}
