//! Checking a journal from its first line to its last.
//!
//! Believes nothing but the public key. What it can't see: a change behind the last head, made by
//! someone who may write the folder, as long as `heads` is cut to match; whoever needs more keeps
//! the head that a check has told.

mod diagnose;
#[cfg(test)]
mod tests;

use crate::head::Head;
use crate::journal::whole;
use crate::key::PublicKey;
use crate::line::{self, Kind};
use crate::segments::{self, HEADS, Lines, Next, PUBLIC_KEY};
use crate::walk::{Misfit, Walk};
use crate::{Error, Hash};
use base::Timestamp;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// What a check has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The chain doesn't hold. This is where it breaks first.
    Broken(Break),
    /// Every record is there, unchanged and in order, as far as heads tell.
    Whole(Summary),
}

/// A whole journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How many records it has.
    pub records: u64,
    /// How many segments.
    pub segments: u64,
    /// The instant of the first record.
    pub first: Option<Timestamp>,
    /// The instant of the last record.
    pub last: Option<Timestamp>,
    /// The last signed head: what stands before it can't change unseen any more.
    pub head: Option<Head>,
    /// Bytes at the end that are no whole line: being written, or left by a killed process.
    pub unfinished: u64,
}

/// Where a journal breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// The file, in the journal's folder.
    pub file: String,
    /// The line, counted from 1.
    pub line: u64,
    /// The number of the last record before it.
    pub after: u64,
    /// What happened, as far as it can be told.
    pub reason: Reason,
}

/// What happened to a journal, as far as it can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A head was signed with another key.
    BadSignature,
    /// A line isn't what was written.
    Changed,
    /// A line stands there that wasn't written there.
    Inserted,
    /// A segment's file isn't there.
    MissingSegment,
    /// Lines don't stand in the order they were written in.
    Reordered,
    /// Lines are missing.
    Removed,
    /// The end is missing: a signed head says that there was more.
    Truncated,
    /// Records follow each other without a signed head for longer than a journal lets them.
    Unsigned,
}

/// How far a check has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of segments that were checked.
    pub done: u64,
    /// Bytes of segments there were when it began.
    pub total: u64,
}

/// Checks the journal in `folder`, which may be written meanwhile, in bounded memory.
///
/// `public_key` is the key that must have signed the heads; without it the file `public-key` is
/// believed. `progress` is called now and then.
///
/// # Errors
///
/// - [`Error::Io`]: a file can't be read. A file that isn't there is a finding.
/// - [`Error::Key`]: no key was given, and there is no file `public-key`.
pub fn verify(
    folder: &Path,
    public_key: Option<PublicKey>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Finding, Error> {
    let key = match key(folder, public_key)? {
        Ok(key) => key,
        Err(found) => return Ok(Finding::Broken(found)),
    };
    // Before the segments: all heads in there are then in the segments, too.
    let heads = match heads(folder)? {
        Ok(heads) => heads,
        Err(found) => return Ok(Finding::Broken(found)),
    };
    let mut check = Check {
        folder,
        key,
        walk: Walk::from_start(key),
        heads,
        summary: Summary {
            records: 0,
            segments: 0,
            first: None,
            last: None,
            head: None,
            unfinished: 0,
        },
    };
    let found = check.run(progress)?;
    Ok(found.map_or_else(|| Finding::Whole(check.summary), Finding::Broken))
}

/// The key to check with; a finding if the file holds something else.
fn key(folder: &Path, given: Option<PublicKey>) -> Result<Result<PublicKey, Break>, Error> {
    let at_fault = |reason| Break { file: PUBLIC_KEY.to_owned(), line: 1, after: 0, reason };
    let text = match std::fs::read(folder.join(PUBLIC_KEY)) {
        Ok(bytes) => String::from_utf8(bytes).unwrap_or_default(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return given.map(Ok).ok_or(Error::Key);
        }
        Err(error) => return Err(Error::io("read", PUBLIC_KEY, error)),
    };
    let kept = text.strip_suffix('\n').and_then(|it| it.parse::<PublicKey>().ok());
    Ok(match (kept, given) {
        (None, _) => Err(at_fault(Reason::Changed)),
        (Some(kept), Some(given)) if kept != given => Err(at_fault(Reason::BadSignature)),
        (Some(kept), _) => Ok(kept),
    })
}

/// The heads that the file `heads` knows: by number, the hash of each line and what it says.
type Heads = BTreeMap<u64, (Hash, Head)>;

/// The heads in the file. Their signatures are checked where they are met in the segments.
fn heads(folder: &Path) -> Result<Result<Heads, Break>, Error> {
    let mut heads = Heads::new();
    let at_fault = |line, reason| Break { file: HEADS.to_owned(), line, after: 0, reason };
    let Some(mut lines) = Lines::open(folder, HEADS.to_owned(), 0)? else {
        return Ok(Err(at_fault(1, Reason::Removed)));
    };
    for number in 1.. {
        let text = match lines.next()? {
            Next::End | Next::Torn(_) => break,
            Next::Endless => return Ok(Err(at_fault(number, Reason::Changed))),
            Next::Line(text) => text,
        };
        let line = line::parse(text).ok();
        let Some((line, head)) = line.and_then(|it| whole(&it).map(|head| (it, head))) else {
            return Ok(Err(at_fault(number, Reason::Changed)));
        };
        let reason = match heads.last_key_value() {
            Some((last, _)) if *last == line.sequence => Some(Reason::Inserted),
            Some((last, _)) if *last > line.sequence => Some(Reason::Reordered),
            _ => None,
        };
        if let Some(reason) = reason {
            return Ok(Err(at_fault(number, reason)));
        }
        heads.insert(line.sequence, (line.hash, head));
    }
    Ok(Ok(heads))
}

struct Check<'a> {
    folder: &'a Path,
    key: PublicKey,
    walk: Walk,
    /// Heads that must still come.
    heads: Heads,
    summary: Summary,
}

/// Lines between two calls of the progress function.
const PACE: u64 = 4096;

impl Check<'_> {
    /// Walks along the whole chain, to the first place where it breaks.
    fn run(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<Option<Break>, Error> {
        let numbers = segments::list(self.folder)?;
        let size = |number: &u64| {
            std::fs::metadata(self.folder.join(segments::name(*number))).map_or(0, |it| it.len())
        };
        let mut pace = Progress { done: 0, total: numbers.iter().map(size).sum() };
        for (number, expected) in numbers.iter().zip(1..) {
            if *number != expected {
                return Ok(Some(self.at(expected, 1, Reason::MissingSegment)));
            }
            let last = numbers.last() == Some(number);
            let found = self.segment((*number, last), &mut pace, progress)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        progress(Progress { done: pace.total.max(pace.done), ..pace });
        self.summary.segments = numbers.len() as u64;
        Ok(self.unmet(numbers.len() as u64))
    }

    /// A head that was signed and isn't in the segments.
    fn unmet(&self, last: u64) -> Option<Break> {
        let (sequence, (_, head)) = self.heads.last_key_value()?;
        let reason = match () {
            () if !head.signed_by(&self.key) => Reason::BadSignature,
            () if *sequence >= self.walk.sequence => Reason::Truncated,
            () => Reason::Changed,
        };
        Some(self.at(last.max(1), 0, reason))
    }

    fn segment(
        &mut self,
        (number, last): (u64, bool),
        pace: &mut Progress,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Option<Break>, Error> {
        let Some(mut lines) = Lines::open(self.folder, segments::name(number), 0)? else {
            return Ok(Some(self.at(number, 1, Reason::MissingSegment)));
        };
        let before = pace.done;
        for place in 1.. {
            let offset = lines.offset();
            let misfit = match lines.next()? {
                // A segment has its first line before it has its name.
                Next::End | Next::Torn(_) if place == 1 => {
                    let reason = if last { Reason::Truncated } else { Reason::Removed };
                    return Ok(Some(self.at(number, 1, reason)));
                }
                Next::End => break,
                Next::Torn(rest) if last => {
                    self.summary.unfinished = rest.len() as u64;
                    break;
                }
                Next::Torn(_) | Next::Endless => Some(Misfit::Hash),
                Next::Line(text) => self.line(text).err(),
            };
            let reason = match misfit {
                Some(Misfit::Hash) => Some(self.diagnose(number, offset, place)?),
                Some(Misfit::Form) => Some(Reason::Changed),
                Some(Misfit::Signature) => Some(Reason::BadSignature),
                Some(Misfit::Unsigned) => Some(Reason::Unsigned),
                None if self.walk.segment != number => Some(Reason::Reordered),
                None => None,
            };
            if let Some(reason) = reason {
                return Ok(Some(self.at(number, place, reason)));
            }
            pace.done = before + lines.offset();
            if place % PACE == 0 {
                progress(*pace);
            }
        }
        progress(*pace);
        Ok(None)
    }

    /// Goes on by one line.
    fn line(&mut self, text: &[u8]) -> Result<(), Misfit> {
        let line = line::parse(text).map_err(|_| Misfit::Hash)?;
        self.walk.step(&line)?;
        match line.kind {
            Kind::Segment => (),
            Kind::Head => {
                self.summary.head = Head::of(&line);
                if self.heads.get(&line.sequence).is_some_and(|(hash, _)| *hash == line.hash) {
                    self.heads.remove(&line.sequence);
                }
            }
            Kind::Record => {
                self.summary.records += 1;
                self.summary.first.get_or_insert(line.at);
                self.summary.last = Some(line.at);
            }
        }
        Ok(())
    }

    fn at(&self, segment: u64, line: u64, reason: Reason) -> Break {
        Break { file: segments::name(segment), line, after: self.walk.sequence, reason }
    }
}

impl fmt::Display for Break {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, after, reason } = self;
        write!(out, "`{file}`, line {line}, after record {after}: {reason}")
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::BadSignature => "a head is signed with another key",
            Self::Changed => "the line was changed",
            Self::Inserted => "a line was inserted",
            Self::MissingSegment => "the segment is missing",
            Self::Reordered => "lines were reordered",
            Self::Removed => "lines were removed",
            Self::Truncated => "the end was cut off: a signed head tells of more",
            Self::Unsigned => "too many records without a signed head",
        })
    }
}
