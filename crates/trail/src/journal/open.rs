//! Opening: the end of the chain is found again, and what is torn there is cut off.

use super::gather::Gather;
use super::heads::{Heads, Newest};
use super::settle::Settling;
use super::sync::{Flusher, Synced, Syncing};
use super::writer::{Spare, Tip, Writer, begin, told};
use super::{Inner, Journal};
use crate::files::{Folder, Handle, write_all};
use crate::hash::Hash;
use crate::key::{PublicKey, SigningKey};
use crate::line::{self, Kind};
use crate::segments::{self, HASTY, HEADS, Lines, Next, PUBLIC_KEY, SPARE};
use crate::walk::{Misfit, Walk};
use crate::{Durability, Error, Options, SyncTimes};
use base::{Clock, Timestamp};
use std::cmp::Ordering;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

pub(super) fn open(
    path: PathBuf,
    (folder, lock): (Arc<dyn Folder>, File),
    options: Options,
    (key, clock): (SigningKey, Arc<dyn Clock>),
) -> Result<Journal, Error> {
    let public = key.public();
    let segments = contiguous(&path)?;
    settle_key(&path, &*folder, &public)?;
    if !segments.is_empty() && !path.join(HEADS).exists() {
        return Err(Error::damaged(HEADS, 1, "the file is missing"));
    }
    let (heads, newest) = Heads::open(folder.clone(), &path, &public)?;
    let end = match segments.last() {
        Some(last) => Some(find_end(&path, *last, (&public, newest))?),
        None if newest.is_some() => {
            return Err(Error::damaged(&segments::name(1), 1, "the file is missing"));
        }
        None => None,
    };
    let (tip, file, length) = if let Some(end) = &end {
        (end.tip(), end.continued(&*folder, options.segment_bytes)?, end.length)
    } else {
        let spare = Spare::make(&*folder, SPARE, options.segment_bytes)?;
        begin(&*folder, spare, before_all(), clock.now())?
    };
    if path.join(HASTY).exists() {
        // Left by a kill while it was made; its space is better used otherwise.
        let _best_effort = folder.open(HASTY).and_then(|it| it.cut(0));
    }
    let mut writer = Writer::new(folder.clone(), key, options, (tip, file, length));
    writer.heads.extend(end.and_then(|it| it.unheard));
    match Spare::make(&*folder, SPARE, options.segment_bytes) {
        Ok(spare) => writer.spare = Some(spare),
        // The disk is full: the journal works as long as its segment lasts.
        Err(error) => writer.counts.last_error = Some(told(&error)),
    }
    let synced = Synced { bytes: 0, sequence: tip.sequence, stopped: None };
    let inner = Arc::new(Inner {
        path,
        folder,
        options,
        clock,
        public,
        writer: Mutex::new(writer),
        gather: Gather::default(),
        syncing: Mutex::new(Syncing { heads }),
        times: Mutex::new(SyncTimes::default()),
        settling: Mutex::new(Settling::default()),
        synced: watch::Sender::new(synced),
        _lock: lock,
    });
    let flusher = match options.durability {
        Durability::Written => None,
        Durability::Synced => Some(Flusher::start(inner.clone())),
    };
    let flusher = flusher.transpose().map_err(|error| Error::io("sync", "journal", error))?;
    Ok(Journal { inner, flusher: flusher.map(Arc::new) })
}

/// The numbers of the segments: 1, 2, 3, …
fn contiguous(path: &Path) -> Result<Vec<u64>, Error> {
    let found = segments::list(path)?;
    match found.iter().zip(1..).find(|(number, expected)| *number != expected) {
        None => Ok(found),
        Some((_, missing)) => {
            Err(Error::damaged(&segments::name(missing), 1, "the file is missing"))
        }
    }
}

/// Compares the key with the one the journal was begun with, or keeps it there.
fn settle_key(path: &Path, folder: &dyn Folder, public: &PublicKey) -> Result<(), Error> {
    const FRESH: &str = "public-key.new";
    match std::fs::read_to_string(path.join(PUBLIC_KEY)) {
        Ok(text) if text == format!("{public}\n") => return Ok(()),
        Ok(_) => return Err(Error::OtherKey),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (),
        Err(error) => return Err(Error::io("read", PUBLIC_KEY, error)),
    }
    let failed = |error| Error::io("write", PUBLIC_KEY, error);
    let file = folder.open(FRESH).map_err(failed)?;
    file.cut(0)
        .and_then(|()| write_all(&*file, format!("{public}\n").as_bytes(), 0))
        .and_then(|()| file.sync())
        .and_then(|()| folder.rename(FRESH, PUBLIC_KEY))
        .map_err(failed)
}

/// Where a journal stands before its first line.
fn before_all() -> Tip {
    let zero = Timestamp::default();
    let hash = Hash::GENESIS;
    Tip { segment: 0, before: 0, sequence: 0, hash, newest: zero, unsigned: 0, signed_at: zero }
}

/// The end of the last segment.
struct End {
    walk: Walk,
    /// The number of the last record before the segment.
    before: u64,
    /// Bytes of whole lines.
    length: u64,
    /// Whether more bytes follow that a killed process or a power cut left.
    torn: bool,
    signed_at: Timestamp,
    /// Whether the newest head was found where it belongs.
    met: bool,
    /// The last head, if the file `heads` doesn't know it.
    unheard: Option<String>,
}

/// Walks through segment `last` to its end, which must not lie before the newest head.
fn find_end(
    path: &Path,
    last: u64,
    (public, newest): (&PublicKey, Option<Newest>),
) -> Result<End, Error> {
    let file = segments::name(last);
    let missing = || Error::damaged(&file, 1, "the file is missing");
    let mut lines = Lines::open(path, file.clone(), 0)?.ok_or_else(missing)?;
    let mut end = opened(&mut lines, last, (public, newest))?;
    for number in 2.. {
        let text = match lines.next()? {
            Next::End => break,
            Next::Endless => return Err(Error::damaged(&file, number, NO_LINE)),
            Next::Line(text) => text,
            Next::Torn(_) => {
                end.torn = true;
                break;
            }
        };
        match end.accept(text, newest) {
            Ok(()) => end.length = lines.offset(),
            // No line holds a NUL: a power cut took a page that wasn't on disk yet, and with it the
            // chain from there on. What the newest head covers must still be there.
            Err(_) if text.contains(&0) => {
                end.torn = true;
                break;
            }
            Err(what) => return Err(Error::damaged(&file, number, what)),
        }
    }
    if end.met { Ok(end) } else { Err(Error::damaged(HEADS, 1, CUT)) }
}

const NO_LINE: &str = "not a line of a journal";
const CUT: &str = "its last head isn't in the segments: their end was cut off";

/// The end as it is after the first line.
fn opened(
    lines: &mut Lines,
    segment: u64,
    (public, newest): (&PublicKey, Option<Newest>),
) -> Result<End, Error> {
    let damaged = |what| Error::damaged(&segments::name(segment), 1, what);
    let no_opening = || damaged("not the first line of a segment");
    let Next::Line(text) = lines.next()? else { return Err(no_opening()) };
    let line = line::parse(text).map_err(|_| no_opening())?;
    let start = Walk::from_opening(*public, &line).ok_or_else(no_opening)?;
    let first = segment > 1 || start == Walk::from_start(*public);
    let mut walk = start;
    walk.step(&line).map_err(|it| damaged(it.reason()))?;
    if !first || walk.segment != segment {
        return Err(damaged("the first line of another segment"));
    }
    // A segment ends with a head.
    let met = newest.is_none_or(|it| match it.head.sequence.cmp(&walk.sequence) {
        Ordering::Less => true,
        Ordering::Equal => it.hash == start.hash,
        Ordering::Greater => false,
    });
    let (before, signed_at) = (walk.sequence, line.at);
    Ok(End { walk, before, length: lines.offset(), torn: false, signed_at, met, unheard: None })
}

impl End {
    fn accept(&mut self, text: &[u8], newest: Option<Newest>) -> Result<(), &'static str> {
        let line = line::parse(text).map_err(|_| NO_LINE)?;
        let segment = self.walk.segment;
        self.walk.step(&line).map_err(Misfit::reason)?;
        match line.kind {
            Kind::Record => (),
            Kind::Segment if self.walk.segment == segment => (),
            Kind::Segment => return Err("the first line of another segment"),
            Kind::Head => {
                self.signed_at = line.at;
                self.met |= newest.is_some_and(|it| it.hash == line.hash);
                let unheard = newest.is_none_or(|it| it.head.sequence < line.sequence);
                let line = || format!("{}\n", String::from_utf8_lossy(text));
                self.unheard = unheard.then(line);
            }
        }
        Ok(())
    }

    fn tip(&self) -> Tip {
        let Walk { segment, hash, sequence, newest, unsigned, .. } = self.walk;
        let Self { before, signed_at, .. } = *self;
        Tip { segment, before, sequence, hash, newest, unsigned, signed_at }
    }

    /// The file, ready to be written on.
    fn continued(&self, folder: &dyn Folder, bytes: u64) -> Result<Arc<dyn Handle>, Error> {
        let name = segments::name(self.walk.segment);
        let failed = |error| Error::io("open", &name, error);
        let file = folder.open(&name).map_err(failed)?;
        if self.torn {
            file.cut(self.length).map_err(failed)?;
        }
        file.sync().map_err(failed)?;
        // The disk may be full; the journal says so when it needs the space.
        let _best_effort = file.reserve(bytes);
        Ok(file)
    }
}
