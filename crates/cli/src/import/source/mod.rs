//! Reads secrets one by one: JSON Lines, one JSON array, or lines of `NAME=value`.
//!
//! No more than one line or element is in memory. A bad one is told and the next one read, but for
//! an array that stops being JSON: nobody can say where its next element begins.

use super::assignment;
use super::entry::{Entry, Fault};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use sigv4::body_hash;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::collections::btree_map;
use std::fmt;
use std::io::{self, BufRead, Read};
use std::ops::ControlFlow;
use zeroize::Zeroizing;

/// Bytes of a line or an array's element.
pub(crate) const LONGEST: usize = 256 * 1024;

/// How secrets are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// One JSON object a line, or one JSON array of them
    Json,
    /// `NAME=value` lines
    Env,
}

/// A line or an element, read.
#[derive(Debug)]
pub(crate) struct Item {
    /// Where it begins, from 1.
    pub(crate) line: u64,
    /// Bytes of the input up to its end.
    pub(crate) read: u64,
    pub(crate) entry: Result<Entry, Bad>,
}

/// A line or an element that makes no secret.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bad {
    pub(crate) name: Option<String>,
    pub(crate) fact: String,
}

/// Takes an item; a break ends the reading.
pub(crate) type Taker<'a> = &'a mut dyn FnMut(Item) -> ControlFlow<()>;

/// Reads all of `input`, and puts `prefix` before each name.
pub(crate) fn read(input: impl BufRead, format: Format, prefix: &str, taker: Taker<'_>) {
    let (line, read) = (Cell::new(1), Cell::new(0));
    let mut input = Counted { input, line: &line, read: &read, room: &Cell::new(LONGEST) };
    let mut reading = Reading { prefix, names: BTreeMap::new(), taker, over: false };
    let done = match (format, input.first_byte()) {
        (Format::Json, Ok(Some(b'['))) => reading.array(input),
        (_, Ok(_)) => reading.lines(&mut input, format),
        (_, Err(error)) => Err(error),
    };
    if let Err(error) = done {
        let bad = Bad { name: None, fact: format!("can't read on: {error}") };
        let _it_is_the_last =
            (reading.taker)(Item { line: line.get(), read: read.get(), entry: Err(bad) });
    }
}

struct Reading<'a> {
    prefix: &'a str,
    /// The lines that the names seen stand in, by their digests.
    names: BTreeMap<[u8; 16], u64>,
    taker: Taker<'a>,
    /// Whether nobody takes any more.
    over: bool,
}

type Found = Result<Entry, (Option<String>, Fault)>;

impl Reading<'_> {
    fn lines(&mut self, input: &mut Counted<'_, impl BufRead>, format: Format) -> io::Result<()> {
        // Has room for the longest, so that it never moves.
        let mut buffer = Zeroizing::new(Vec::with_capacity(LONGEST + 2));
        loop {
            let line = input.line.get();
            buffer.clear();
            let most = LONGEST as u64 + 1;
            if input.by_ref().take(most).read_until(b'\n', &mut buffer)? == 0 {
                return Ok(());
            }
            let whole = buffer.last() == Some(&b'\n') || buffer.len() <= LONGEST;
            if !whole {
                input.skip_line()?;
            }
            let found = match str::from_utf8(&buffer) {
                _ if !whole => Some(Err((None, Fault::TooLong))),
                Err(_) => Some(Err((None, Fault::NotText))),
                Ok(text) if format == Format::Env => self.assignment(text),
                Ok(text) if text.trim().is_empty() => None,
                Ok(text) => Some(Entry::from_json(text.trim().as_bytes(), self.prefix)),
            };
            let Some(found) = found else { continue };
            self.hand_over(line, input.read.get(), found);
            if self.over {
                return Ok(());
            }
        }
    }

    fn assignment(&self, text: &str) -> Option<Found> {
        match assignment::read(text) {
            Ok(None) => None,
            Ok(Some((name, value))) => {
                Some(Entry::of_text(format!("{}{name}", self.prefix), value))
            }
            Err(fault) => Some(Err((None, fault))),
        }
    }

    fn array(&mut self, input: Counted<'_, impl BufRead>) -> io::Result<()> {
        let (line, read, room) = (input.line, input.read, input.room);
        let mut deserializer = serde_json::Deserializer::from_reader(input);
        let elements = Elements { reading: self, line, read, room };
        let done = deserializer.deserialize_seq(elements).and_then(|()| deserializer.end());
        let error = match done {
            Err(error) if !self.over => error,
            _ => return Ok(()),
        };
        let fault = match error.io_error_kind() {
            None => Fault::NotJson(error.column()),
            Some(_) if room.get() == 0 => Fault::TooLong,
            Some(kind) => return Err(kind.into()),
        };
        let fact = format!("{fault}; the array can't be read any further");
        let bad = Bad { name: None, fact };
        let _it_is_the_last =
            (self.taker)(Item { line: line.get(), read: read.get(), entry: Err(bad) });
        Ok(())
    }

    fn hand_over(&mut self, line: u64, read: u64, found: Found) {
        let entry = found.and_then(|entry| match self.names.entry(key(&entry.name)) {
            btree_map::Entry::Occupied(first) => {
                Err((Some(entry.name), Fault::Duplicate(*first.get())))
            }
            btree_map::Entry::Vacant(room) => {
                room.insert(line);
                Ok(entry)
            }
        });
        let entry = entry.map_err(|(name, fault)| Bad { name, fact: fault.to_string() });
        self.over = (self.taker)(Item { line, read, entry }).is_break();
    }
}

/// The first half of the name's SHA-256: names may be long, and there may be many.
fn key(name: &str) -> [u8; 16] {
    let mut key = [0; 16];
    key.iter_mut().zip(body_hash(name.as_bytes())).for_each(|(to, from)| *to = from);
    key
}

/// Hands an array's elements over one by one.
struct Elements<'a, 'b> {
    reading: &'a mut Reading<'b>,
    line: &'a Cell<u64>,
    read: &'a Cell<u64>,
    room: &'a Cell<usize>,
}

impl<'de> Visitor<'de> for Elements<'_, '_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(element) = seq.next_element::<Element>()? {
            self.room.set(LONGEST);
            let json = element.0.as_bytes();
            let line = self.line.get().saturating_sub(breaks(json));
            let found = Entry::from_json(json, self.reading.prefix);
            self.reading.hand_over(line, self.read.get(), found);
            if self.reading.over {
                break;
            }
        }
        Ok(())
    }
}

/// An element as it stands there.
struct Element(Zeroizing<String>);

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(from)?;
        Ok(Self(Zeroizing::new(Box::<str>::from(raw).into_string())))
    }
}

/// Counts what is read, and stops what gets too long.
struct Counted<'a, R> {
    input: R,
    line: &'a Cell<u64>,
    read: &'a Cell<u64>,
    /// Bytes that an array's element may still take.
    room: &'a Cell<usize>,
}

impl<R: BufRead> Counted<'_, R> {
    /// The first byte that is no space, which is left to be read; nothing at the end.
    fn first_byte(&mut self) -> io::Result<Option<u8>> {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        if self.fill_buf()?.starts_with(MARK) {
            self.consume(MARK.len());
        }
        loop {
            match self.fill_buf()?.first() {
                Some(space) if space.is_ascii_whitespace() => self.consume(1),
                first => return Ok(first.copied()),
            }
        }
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.fill_buf()?;
            let end = buffer.iter().position(|it| *it == b'\n');
            let length = end.map_or(buffer.len(), |it| it + 1);
            self.consume(length);
            if end.is_some() || length == 0 {
                return Ok(());
            }
        }
    }
}

/// Line breaks in `bytes`.
fn breaks(bytes: &[u8]) -> u64 {
    bytes.split(|it| *it == b'\n').skip(1).count() as u64
}

/// Byte by byte, as JSON is read.
impl<R: BufRead> Read for Counted<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(out)?;
        let bytes = out.get(..length).unwrap_or_default();
        self.line.set(self.line.get() + breaks(bytes));
        self.read.set(self.read.get() + length as u64);
        self.room.set(self.room.get().saturating_sub(length));
        if self.room.get() == 0 { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(length) }
    }
}

/// Line by line.
impl<R: BufRead> BufRead for Counted<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, length: usize) {
        if let Ok(buffer) = self.input.fill_buf() {
            self.line.set(self.line.get() + breaks(buffer.get(..length).unwrap_or(buffer)));
            self.read.set(self.read.get() + length as u64);
        }
        self.input.consume(length);
    }
}

#[cfg(test)]
mod tests;
