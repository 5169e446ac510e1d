//! Looking records up by one attribute and time, newest first, however many there are.
//!
//! Every full segment has a file beside it that says where the records with an attribute are; the segment
//! that grows has the same in memory. A lookup asks one segment after the other, from the newest back, and reads
//! the records it gives from the journal itself: the files decide what is found fast, never what is shown.

mod event;
mod postings;

pub use event::{Attribute, Event};

use crate::Error;
use crate::line::{self, Kind, Line, MAX_LINE};
use crate::reader::{Entry, Position};
use crate::segments::{self, Lines, Next};
use aws_lc_rs::digest;
use base::{AccountId, Region, Timestamp};
use postings::{Growing, Kept, Mark, Span};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What to look up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Whose records.
    pub account: AccountId,
    /// Of which Region.
    pub region: Region,
    /// What they have, if it matters.
    pub having: Option<(Attribute, String)>,
    /// When they were, in whole seconds since 1970, both ends included.
    pub seconds: RangeInclusive<i64>,
}

/// Some of the records, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// They, and where each begins.
    pub entries: Vec<Entry>,
    /// Where to go on, if there may be more.
    pub next: Option<Position>,
}

/// Looks records up. One for a journal; it blocks, so call it where that is fine.
#[derive(Debug)]
pub struct Finder {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The segment that grows, and how far it was read; 0 before the first look.
    segment: u64,
    offset: u64,
    growing: Growing,
    /// The full segments looked into so far.
    spans: BTreeMap<u64, Span>,
}

/// Segments that one page makes files for at most, should they be missing.
const MENDED: usize = 16;
/// Records read at a time while nobody asks, and whoever does waits.
const AT_A_TIME: u64 = 256;
/// Records that one page reads at most: of an instant outside, most of them.
const READ: usize = 8192;

impl Finder {
    /// Looks into the journal in `folder`.
    pub fn new(folder: &Path) -> Self {
        let state =
            State { segment: 0, offset: 0, growing: Growing::new(), spans: BTreeMap::new() };
        Self { folder: folder.to_owned(), state: Mutex::new(state) }
    }

    /// Reads some of what was written since, so that the next lookup needn't; tells whether there is more.
    ///
    /// # Errors
    ///
    /// [`Error`]: the journal can't be read, or a file not be written.
    pub fn catch_up(&self) -> Result<bool, Error> {
        self.lock().catch_up(&self.folder, AT_A_TIME)
    }

    /// Looks at `count` full segments not looked at so far, the newest first, and makes the files that are
    /// missing; tells whether there may be more.
    ///
    /// # Errors
    ///
    /// As of [`Finder::catch_up`].
    pub fn mend(&self, count: usize) -> Result<bool, Error> {
        let unknown: Vec<_> = {
            let full = segments::list(&self.folder)?;
            let state = self.lock();
            let unknown = |it: &u64| *it < state.segment && !state.spans.contains_key(it);
            full.into_iter().rev().filter(unknown).take(count).collect()
        };
        for segment in &unknown {
            let kept = kept(&self.folder, *segment)?.map(|it| it.0);
            self.lock().spans.insert(*segment, kept.map_or(Span::EMPTY, |it| it.span));
        }
        Ok(unknown.len() == count)
    }

    /// At most `limit` records of `query`, those in front of `before`.
    ///
    /// A page may hold fewer although there are more: it does a bounded amount of work.
    ///
    /// # Errors
    ///
    /// As of [`Finder::catch_up`].
    pub fn page(
        &self,
        query: &Query,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Page, Error> {
        let mut search = Search::new(&self.folder, query, limit);
        let (newest, span, list) = {
            let mut state = self.lock();
            state.catch_up(&self.folder, u64::MAX)?;
            let lists = search.marks.iter().map(|it| state.growing.find(*it));
            (state.segment, state.growing.span, merged(lists))
        };
        // Others may look meanwhile.
        if before.is_none_or(|it| it.segment >= newest) && !search.misses(span) {
            search.list(newest, before, list)?;
        }
        let top = before.map_or(newest, |it| newest.min(it.segment.saturating_add(1)));
        let full = segments::list(&self.folder)?;
        for segment in full.into_iter().rev().filter(|it| *it < top) {
            if search.is_over() {
                break;
            }
            self.look_into(segment, before, &mut search)?;
        }
        Ok(search.page())
    }

    fn look_into(
        &self,
        segment: u64,
        before: Option<Position>,
        search: &mut Search<'_>,
    ) -> Result<(), Error> {
        search.reached = Position { segment, offset: u64::MAX };
        let known = self.lock().spans.get(&segment).copied();
        if known.is_some_and(|it| search.misses(it)) {
            return Ok(());
        }
        let Some((kept, made)) = kept(&self.folder, segment)? else { return Ok(()) };
        search.mended += usize::from(made);
        self.lock().spans.insert(segment, kept.span);
        if search.misses(kept.span) {
            return Ok(());
        }
        let failed = |source| Error::io("read", &name(&self.folder, segment), source);
        let mut lists = Vec::with_capacity(search.marks.len());
        for mark in &search.marks {
            let Some(list) = kept.find(*mark).map_err(failed)? else {
                search.mended += 1;
                let made = make(&self.folder, segment)?;
                lists = search.marks.iter().map(|it| made.find(*it)).collect();
                break;
            };
            lists.push(list);
        }
        search.list(segment, before, merged(lists))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Reads at most `records` more, and no more than one segment to its end.
    fn catch_up(&mut self, folder: &Path, records: u64) -> Result<bool, Error> {
        let there = |it: u64| folder.join(segments::name(it)).exists();
        let (next, after) = (self.segment.saturating_add(1), self.segment.saturating_add(2));
        if self.segment == 0 || there(after) {
            // Too much was written since. What lies between is a matter of `mend`, and of who asks for it.
            let Some(newest) = segments::list(folder)?.last().copied() else { return Ok(false) };
            (self.segment, self.offset, self.growing) = (newest, 0, Growing::new());
            return self.catch_up(folder, records);
        }
        // Looked for first: a segment is whole when the next one is there.
        let is_full = there(next);
        let from = (self.segment, self.offset);
        let (offset, more) = gather(folder, from, records, &mut self.growing)?;
        self.offset = offset;
        if more || !is_full {
            return Ok(more);
        }
        keep(&self.growing, folder, self.segment)?;
        self.spans.insert(self.segment, self.growing.span);
        (self.segment, self.offset, self.growing) = (next, 0, Growing::new());
        self.catch_up(folder, records)
    }
}

/// All of some ascending lists, once each.
fn merged(lists: impl IntoIterator<Item = Vec<u32>>) -> Vec<u32> {
    let mut all: Vec<_> = lists.into_iter().flatten().collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The postings of a full segment, and whether they had to be made; `None` if there is no such segment.
fn kept(folder: &Path, segment: u64) -> Result<Option<(Kept, bool)>, Error> {
    let failed = |source| Error::io("read", &name(folder, segment), source);
    if let Some(kept) = Kept::open(folder, segment).map_err(failed)? {
        return Ok(Some((kept, false)));
    }
    make(folder, segment)?;
    Ok(Kept::open(folder, segment).map_err(failed)?.map(|it| (it, true)))
}

/// Makes the postings of a full segment from the segment.
fn make(folder: &Path, segment: u64) -> Result<Growing, Error> {
    let mut growing = Growing::new();
    gather(folder, (segment, 0), u64::MAX, &mut growing)?;
    keep(&growing, folder, segment)?;
    Ok(growing)
}

fn keep(growing: &Growing, folder: &Path, segment: u64) -> Result<(), Error> {
    let failed = |source| Error::io("write", &name(folder, segment), source);
    growing.keep(folder, segment).map_err(failed)
}

fn name(folder: &Path, segment: u64) -> String {
    postings::path(folder, segment).file_name().unwrap_or_default().display().to_string()
}

/// Notes at most `records` records of a segment from a byte on; gives the byte to go on from, and whether there
/// may be more.
fn gather(
    folder: &Path,
    (segment, offset): (u64, u64),
    records: u64,
    growing: &mut Growing,
) -> Result<(u64, bool), Error> {
    let file = segments::name(segment);
    let Some(mut lines) = Lines::open(folder, file.clone(), offset)? else {
        return Ok((offset, false));
    };
    for _ in 0..records {
        let offset = lines.offset();
        let unreadable = || Error::Unreadable { file: file.clone(), offset };
        let line = match lines.next()? {
            Next::End | Next::Torn(_) => return Ok((offset, false)),
            Next::Endless => return Err(unreadable()),
            Next::Line(text) => line::parse(text).map_err(|_| unreadable())?,
        };
        let Some(event) = event_of(&line) else { continue };
        // A segment is far smaller; the records of one that isn't are found by no attribute.
        let Ok(offset) = u32::try_from(offset) else { continue };
        let whose = (&*event.recipient_account_id, &*event.aws_region);
        growing.add(mark(whose, None), offset, line.at.millis());
        for it in event.attributes() {
            growing.add(mark(whose, Some(it)), offset, line.at.millis());
        }
        for name in event.secrets() {
            growing.add(mark_of_secret(whose, name), offset, line.at.millis());
        }
    }
    Ok((lines.offset(), true))
}

fn event_of<'a>(line: &Line<'a>) -> Option<Event<'a>> {
    (line.kind == Kind::Record).then(|| Event::parse(line.body)).flatten()
}

/// The line that begins at `offset`, without its line feed.
fn line_at(file: &File, offset: u64) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let limit = MAX_LINE as u64;
    BufReader::with_capacity(4096, At(file, offset)).take(limit).read_until(b'\n', &mut text)?;
    text.pop_if(|it| *it == b'\n');
    Ok(text)
}

/// A file from some byte on.
struct At<'a>(&'a File, u64);

impl Read for At<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read_at(out, self.1)?;
        self.1 += read as u64;
        Ok(read)
    }
}

/// Stands for an attribute of an account's records in a Region; without attribute, for all of them.
fn mark(whose: (&str, &str), having: Option<(Attribute, &str)>) -> Mark {
    let (attribute, value) = having.map_or((u8::MAX, ""), |it| (it.0 as u8, it.1));
    marked(whose, attribute, value)
}

fn marked((account, region): (&str, &str), attribute: u8, value: &str) -> Mark {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&[attribute]);
    for part in [account, region, value] {
        context.update(part.as_bytes());
        context.update(b"\0");
    }
    let first = context.finish().as_ref().first_chunk().copied();
    u64::from_be_bytes(first.unwrap_or_default())
}

/// Stands for the secrets called `name`, however records name them.
fn mark_of_secret(whose: (&str, &str), name: &str) -> Mark {
    marked(whose, u8::MAX - 1, name)
}

/// A lookup under way.
struct Search<'a> {
    folder: &'a Path,
    query: &'a Query,
    /// What is asked for has one of these.
    marks: Vec<Mark>,
    limit: usize,
    entries: Vec<(Position, Entry)>,
    read: usize,
    mended: usize,
    /// What is in front of it hasn't been looked at.
    reached: Position,
}

impl<'a> Search<'a> {
    fn new(folder: &'a Path, query: &'a Query, limit: usize) -> Self {
        let having = query.having.as_ref().map(|(attribute, value)| (*attribute, &**value));
        let whose = (query.account.as_str(), query.region.as_str());
        let mut marks = vec![mark(whose, having)];
        if let Some((Attribute::ResourceName, value)) = having {
            marks.extend(event::names_of_secret(value).map(|it| mark_of_secret(whose, it)));
        }
        let reached = Position { segment: u64::MAX, offset: u64::MAX };
        Self { folder, query, marks, limit, entries: Vec::new(), read: 0, mended: 0, reached }
    }

    fn is_over(&self) -> bool {
        self.entries.len() > self.limit || self.read >= READ || self.mended >= MENDED
    }

    /// Whether nothing between the instants of `span` is asked for.
    fn misses(&self, span: Span) -> bool {
        let seconds = |it: i64| Timestamp::from_millis(it).secs();
        seconds(span.latest) < *self.query.seconds.start()
            || seconds(span.earliest) > *self.query.seconds.end()
    }

    /// Reads records of `segment`, the last first, as long as there is room.
    fn list(
        &mut self,
        segment: u64,
        before: Option<Position>,
        offsets: Vec<u32>,
    ) -> Result<(), Error> {
        if offsets.is_empty() {
            return Ok(());
        }
        let file = segments::name(segment);
        let failed = |source| Error::io("read", &file, source);
        let records = File::open(self.folder.join(&file)).map_err(failed)?;
        for offset in offsets.into_iter().rev() {
            let position = Position { segment, offset: u64::from(offset) };
            if before.is_some_and(|it| position >= it) {
                continue;
            }
            if self.is_over() {
                return Ok(());
            }
            let text = line_at(&records, position.offset).map_err(failed)?;
            if let Ok(line) = line::parse(&text)
                && self.wants(&line)
            {
                let (at, hash, json) = (line.at, line.hash, line.body.to_owned());
                let entry = Entry { sequence: line.sequence, at, hash, json };
                self.entries.push((position, entry));
            }
            (self.read, self.reached) = (self.read + 1, position);
        }
        Ok(())
    }

    /// Whether the record in `line` is what was asked for, whatever led to it.
    fn wants(&self, line: &Line<'_>) -> bool {
        let Query { account, region, having, seconds } = self.query;
        // The instant first, which costs nothing.
        seconds.contains(&line.at.secs())
            && event_of(line).is_some_and(|it| {
                it.recipient_account_id == account.as_str()
                    && it.aws_region == region.as_str()
                    && having.as_ref().is_none_or(|(attribute, value)| it.has(*attribute, value))
            })
    }

    fn page(mut self) -> Page {
        let next = if self.entries.len() > self.limit {
            self.entries.truncate(self.limit);
            self.entries.last().map(|it| it.0)
        } else {
            self.is_over().then_some(self.reached)
        };
        Page { entries: self.entries.into_iter().map(|it| it.1).collect(), next }
    }
}

#[cfg(test)]
mod tests;
