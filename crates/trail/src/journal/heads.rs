//! The file `heads`: a second copy of the signed heads, so that cutting a segment shows.

use crate::Error;
use crate::files::{Folder, Handle, write_all};
use crate::head::Head;
use crate::key::PublicKey;
use crate::line::{self, Line};
use crate::segments::{HEADS, Lines, Next};
use std::path::Path;
use std::sync::Arc;

/// The size beyond which the file begins anew with its last line.
const MAX_BYTES: u64 = 256 * 1024;

const FRESH: &str = "heads.new";

/// The open file. It only ever holds heads that are on disk in their segments.
pub(super) struct Heads {
    folder: Arc<dyn Folder>,
    file: Arc<dyn Handle>,
    length: u64,
    /// A head that couldn't be written; later ones replace it.
    waiting: Option<String>,
}

impl Heads {
    /// Opens the file and cuts off a torn last line. The newest head comes with it.
    pub(super) fn open(
        folder: Arc<dyn Folder>,
        path: &Path,
        key: &PublicKey,
    ) -> Result<(Self, Option<Newest>), Error> {
        let failed = |error| Error::io("open", HEADS, error);
        let (newest, length) = match Lines::open(path, HEADS.to_owned(), 0)? {
            Some(lines) => newest(lines, key)?,
            None => (None, 0),
        };
        let file = folder.open(HEADS).map_err(failed)?;
        file.cut(length).map_err(failed)?;
        // Full or not: the file is useful as it is.
        let _best_effort = file.reserve(MAX_BYTES);
        Ok((Self { folder, file, length, waiting: None }, newest))
    }

    /// Whether a head is still to be written.
    pub(super) fn waits(&self) -> bool {
        self.waiting.is_some()
    }

    /// Appends `lines`, on disk when it returns. What fails is tried again with the next call, the
    /// newest line only.
    pub(super) fn append(&mut self, lines: Vec<String>) -> Result<(), Error> {
        let newest = lines.last().or(self.waiting.as_ref()).cloned();
        let text: String = self.waiting.take().into_iter().chain(lines).collect();
        let written = match &newest {
            Some(newest) if self.length + text.len() as u64 > MAX_BYTES => self.begin_anew(newest),
            _ => self.write(&text),
        };
        if written.is_err() {
            self.waiting = newest;
        }
        written
    }

    fn write(&mut self, text: &str) -> Result<(), Error> {
        let failed = |error| Error::io("write", HEADS, error);
        // A line that failed half-way the last time may still stand there.
        let written = write_all(&*self.file, text.as_bytes(), self.length);
        if written.is_err() {
            let _next_time = self.file.cut(self.length);
        }
        written.and_then(|()| self.file.sync()).map_err(failed)?;
        self.length += text.len() as u64;
        Ok(())
    }

    fn begin_anew(&mut self, newest: &str) -> Result<(), Error> {
        let failed = |error| Error::io("write", FRESH, error);
        let fresh = self.folder.open(FRESH).map_err(failed)?;
        fresh
            .cut(0)
            .and_then(|()| fresh.reserve(MAX_BYTES))
            .and_then(|()| write_all(&*fresh, newest.as_bytes(), 0))
            .and_then(|()| fresh.sync())
            .and_then(|()| self.folder.rename(FRESH, HEADS))
            .map_err(failed)?;
        (self.file, self.length) = (fresh, newest.len() as u64);
        Ok(())
    }
}

/// The newest head of the file `heads`: its line's hash, and what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Newest {
    pub(super) hash: crate::Hash,
    pub(super) head: Head,
}

/// The newest head, and how many bytes of whole lines there are.
fn newest(mut lines: Lines, key: &PublicKey) -> Result<(Option<Newest>, u64), Error> {
    let mut newest: Option<Newest> = None;
    for number in 1.. {
        let next = lines.next()?;
        let Next::Line(text) = next else {
            if next == Next::Endless {
                return Err(Error::damaged(HEADS, number, "not a line of a journal"));
            }
            break;
        };
        let damaged = |what| Error::damaged(HEADS, number, what);
        let line = line::parse(text).map_err(|_| damaged("not a line of a journal"))?;
        let head = whole(&line).ok_or_else(|| damaged("not a head as it was written"))?;
        if newest.is_some_and(|it| it.head.sequence >= head.sequence) {
            return Err(damaged("not in order"));
        }
        newest = Some(Newest { hash: line.hash, head });
    }
    if newest.is_some_and(|it| !it.head.signed_by(key)) {
        return Err(Error::damaged(HEADS, 1, "the last head is signed with another key"));
    }
    Ok((newest, lines.offset()))
}

/// The head in `line`, if the line is unchanged: it carries all that its hash was made of.
pub(crate) fn whole(line: &Line<'_>) -> Option<Head> {
    Head::of(line).filter(|it| line.follows(&it.previous))
}
