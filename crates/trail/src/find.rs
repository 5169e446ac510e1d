//! Looking for a record by the id of its request, from the newest segment back.

use crate::line::{self, Kind, Line};
use crate::segments::{self, Lines, Next};
use crate::{Entry, Error};
use base::Timestamp;
use std::path::{Path, PathBuf};

/// Looks for records by request id: one segment at a time, the newest first.
///
/// Ids of requests are random, so nothing but the instant says where a record is.
#[derive(Debug)]
pub struct Search {
    folder: PathBuf,
    /// Segments not looked through yet, ascending.
    left: Vec<u64>,
    total: usize,
    not_before: Timestamp,
}

impl Search {
    /// Looks through all segments that may have records from `not_before` on.
    ///
    /// # Errors
    ///
    /// [`Error`]: the folder can't be read.
    pub fn new(folder: &Path, not_before: Timestamp) -> Result<Self, Error> {
        let left = segments::list(folder)?;
        Ok(Self { folder: folder.to_owned(), total: left.len(), left, not_before })
    }

    /// How many segments were looked through, and how many there are.
    pub fn progress(&self) -> (usize, usize) {
        (self.total - self.left.len(), self.total)
    }

    /// Looks through one more segment. The records of one request stand in one segment, so the first that
    /// has some has all. `None` if there is no segment left.
    ///
    /// # Errors
    ///
    /// [`Error`]: the segment can't be read.
    pub fn step(&mut self, request_id: &str) -> Result<Option<Vec<Entry>>, Error> {
        let Some(segment) = self.left.pop() else { return Ok(None) };
        let Some(mut lines) = Lines::open(&self.folder, segments::name(segment), 0)? else {
            return Ok(Some(Vec::new()));
        };
        let wanted = format!("\"requestID\":\"{request_id}\"");
        let mut found = Vec::new();
        while let Next::Line(text) = lines.next()? {
            let Ok(line) = line::parse(text) else { continue };
            // No record before a segment is younger than the segment.
            if line.kind == Kind::Segment && line.at < self.not_before {
                self.total -= self.left.len();
                self.left.clear();
            }
            if line.kind == Kind::Record && line.body.contains(&wanted) {
                found.push(entry(&line));
            }
        }
        Ok(Some(found))
    }
}

/// The number of the first segment that may have records from `not_before` on.
///
/// # Errors
///
/// [`Error`]: the folder or a segment can't be read.
pub(crate) fn first_since(folder: &Path, not_before: Timestamp) -> Result<u64, Error> {
    let numbers = segments::list(folder)?;
    for segment in numbers.iter().rev() {
        let Some(mut lines) = Lines::open(folder, segments::name(*segment), 0)? else { continue };
        let Next::Line(text) = lines.next()? else { continue };
        if line::parse(text).is_ok_and(|it| it.at < not_before) {
            return Ok(*segment);
        }
    }
    Ok(numbers.first().copied().unwrap_or(1))
}

fn entry(line: &Line<'_>) -> Entry {
    Entry { sequence: line.sequence, at: line.at, hash: line.hash, json: line.body.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Hash;
    use std::fmt::Write;

    /// A journal of three segments with two records each; chains are not looked at.
    fn journal() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let hash = String::from_utf8(Hash::GENESIS.digits().to_vec()).expect("digits");
        for segment in 1..=3_u64 {
            let at = segment * 1000;
            let mut text = format!("S 0 {at} {hash} 1 {segment} {hash}\n");
            for n in 0..2 {
                let (sequence, id) = (segment * 2 + n, format!("r{segment}"));
                let body = format!("{{\"requestID\":\"{id}\",\"n\":{n}}}");
                writeln!(text, "R {sequence} {} {hash} {body}", at + n + 1).expect("written");
            }
            std::fs::write(folder.path().join(segments::name(segment)), text).expect("written");
        }
        folder
    }

    #[test]
    fn all_records_of_a_request_come_from_the_newest_segment_that_has_it() {
        let folder = journal();
        for (id, since, steps, records) in [
            ("r3", 0, 1, 2),
            ("r1", 0, 3, 2),
            ("r1", 2500, 2, 0), // the second segment begins before that instant: none is older
            ("r2", 2500, 2, 2),
            ("r", 0, 3, 0),
        ] {
            let since = Timestamp::from_millis(since);
            let mut search = Search::new(folder.path(), since).expect("read");
            let mut found = Vec::new();
            while found.is_empty()
                && let Some(more) = search.step(id).expect("read")
            {
                found = more;
            }
            assert_eq!((search.progress().0, found.len()), (steps, records), "{id} {since}");
        }
    }

    #[test]
    fn reading_begins_where_an_instant_may_be() {
        let folder = journal();
        for (since, expected) in [(0, 1), (1000, 1), (1001, 1), (2001, 2), (3000, 2), (9999, 3)] {
            let since = Timestamp::from_millis(since);
            assert_eq!(first_since(folder.path(), since).expect("read"), expected, "{since}");
        }
    }
}
