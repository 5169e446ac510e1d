//! Reading the records of a journal, whole or while it is written.

use crate::line::{self, Kind, Line, Malformed};
use crate::segments::{self, Lines, Next};
use crate::{Error, Hash};
use base::Timestamp;
use std::collections::VecDeque;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A record as it stands in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number, counted from 1.
    pub sequence: u64,
    /// Its instant, exact to the millisecond.
    pub at: Timestamp,
    /// Its hash in the chain.
    pub hash: Hash,
    /// The record, one line of JSON.
    pub json: String,
}

/// Reads the records of all segments in order, one at a time.
///
/// Believes what it reads: [`verify`](crate::verify()) is what checks the chain. Where the journal
/// ends for now it gives `None`, and after the next record was written it goes on: following is
/// asking again.
#[derive(Debug)]
pub struct Reader {
    folder: PathBuf,
    position: Position,
    lines: Option<Lines>,
}

/// A place between two records, to go on from later. Printed as `segment:byte`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The segment's number.
    pub segment: u64,
    /// The byte in it where a line begins.
    pub offset: u64,
}

impl Reader {
    /// Reads from the first record on.
    pub fn new(folder: &Path) -> Self {
        Self::resume(folder, Position { segment: 1, offset: 0 })
    }

    /// Reads from a segment on that no record from `not_before` on stands in front of.
    ///
    /// # Errors
    ///
    /// [`Error`]: the journal can't be read.
    pub fn since(folder: &Path, not_before: Timestamp) -> Result<Self, Error> {
        let segment = crate::find::first_since(folder, not_before)?;
        Ok(Self::resume(folder, Position { segment, offset: 0 }))
    }

    /// Goes on where [`Reader::position`] was.
    pub fn resume(folder: &Path, position: Position) -> Self {
        Self { folder: folder.to_owned(), position, lines: None }
    }

    /// Reads the last `count` records, at least one, and what follows. Costs as much as reading the
    /// segments that they are in.
    pub fn last(folder: &Path, count: usize) -> Result<Self, Error> {
        let count = count.max(1);
        let mut found: VecDeque<Position> = VecDeque::new();
        let numbers = segments::list(folder)?;
        for segment in numbers.iter().rev() {
            let here = last_of(folder, *segment, count - found.len())?;
            here.into_iter().rev().for_each(|it| found.push_front(it));
            if found.len() >= count {
                break;
            }
        }
        let position = found.front().copied().unwrap_or(Position { segment: 1, offset: 0 });
        Ok(Self::resume(folder, position))
    }

    /// Behind the last record that was given.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The next record, if it is there already.
    pub fn read(&mut self) -> Result<Option<Entry>, Error> {
        loop {
            if let Some(entry) = self.in_segment()? {
                return Ok(Some(entry));
            }
            // A segment grows until the next one is there; only then what was read was all.
            let next = self.position.segment.saturating_add(1);
            if next == self.position.segment || !self.folder.join(segments::name(next)).exists() {
                return Ok(None);
            }
            if let Some(entry) = self.in_segment()? {
                return Ok(Some(entry));
            }
            self.position = Position { segment: next, offset: 0 };
            self.lines = None;
        }
    }

    /// The next record of the current segment.
    fn in_segment(&mut self) -> Result<Option<Entry>, Error> {
        if self.lines.is_none() {
            let file = segments::name(self.position.segment);
            self.lines = Lines::open(&self.folder, file, self.position.offset)?;
        }
        let Some(lines) = &mut self.lines else { return Ok(None) };
        loop {
            let entry = match lines.next()? {
                Next::End | Next::Torn(_) => return Ok(None),
                Next::Endless => Err(Malformed),
                Next::Line(text) => record(text),
            };
            let entry = entry.map_err(|_| unreadable(&self.position))?;
            self.position.offset = lines.offset();
            if entry.is_some() {
                return Ok(entry);
            }
        }
    }
}

impl Iterator for Reader {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// The record in a line, if it holds one.
fn record(text: &[u8]) -> Result<Option<Entry>, Malformed> {
    let Line { kind, sequence, at, hash, body } = line::parse(text)?;
    let entry = || Entry { sequence, at, hash, json: body.to_owned() };
    Ok((kind == Kind::Record).then(entry))
}

fn unreadable(Position { segment, offset }: &Position) -> Error {
    Error::Unreadable { file: segments::name(*segment), offset: *offset }
}

/// Where the last `count` records of `segment` begin, ascending.
fn last_of(folder: &Path, segment: u64, count: usize) -> Result<VecDeque<Position>, Error> {
    let mut found = VecDeque::new();
    let Some(mut lines) = Lines::open(folder, segments::name(segment), 0)? else {
        return Ok(found);
    };
    loop {
        let position = Position { segment, offset: lines.offset() };
        match lines.next()? {
            Next::End | Next::Torn(_) => return Ok(found),
            Next::Endless => return Err(unreadable(&position)),
            Next::Line(text) if text.starts_with(b"R ") => found.push_back(position),
            Next::Line(_) => (),
        }
        if found.len() > count {
            found.pop_front();
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.segment, self.offset)
    }
}

impl FromStr for Position {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (segment, offset) = text.split_once(':').ok_or(Malformed)?;
        Ok(Self { segment: line::number(segment)?, offset: line::number(offset)? })
    }
}
