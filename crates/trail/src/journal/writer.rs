//! What stands behind the journal's lock: the end of the chain, and the file it is written to.

use crate::files::{Folder, Handle, write_all};
use crate::hash::Hash;
use crate::head::{Head, MAX_UNSIGNED, Opening};
use crate::key::SigningKey;
use crate::line::{self, Kind, OVERHEAD, after};
use crate::segments::{self, HASTY};
use crate::{Error, Options};
use base::{Clock, Timestamp};
use service::audit::Encoded;
use std::sync::Arc;

/// Bytes kept free at a segment's end, for its last head.
const HEAD_ROOM: u64 = 320;

pub(super) struct Writer {
    pub(super) folder: Arc<dyn Folder>,
    pub(super) key: SigningKey,
    pub(super) options: Options,
    pub(super) tip: Tip,
    pub(super) file: Arc<dyn Handle>,
    /// Bytes of whole lines in the current segment.
    pub(super) length: u64,
    /// Whether the file may hold bytes beyond `length`, of a write that failed.
    pub(super) ragged: bool,
    pub(super) spare: Option<Spare>,
    /// Heads that are not in the file `heads` yet.
    pub(super) heads: Vec<String>,
    pub(super) counts: Counts,
    pub(super) state: State,
    buffer: Vec<u8>,
}

/// The end of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) segment: u64,
    /// The number of the last record before the current segment.
    pub(super) before: u64,
    pub(super) sequence: u64,
    pub(super) hash: Hash,
    /// The latest instant of a record or an opening.
    pub(super) newest: Timestamp,
    pub(super) unsigned: u64,
    pub(super) signed_at: Timestamp,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) records: u64,
    /// Bytes written since the journal was opened: how far syncs have come is told in these.
    pub(super) bytes: u64,
    pub(super) failures: u64,
    pub(super) failing: bool,
    pub(super) last_error: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    Closed,
    Open,
    Stopped(String),
}

impl Writer {
    /// At `tip`, after `length` bytes of `file`.
    pub(super) fn new(
        folder: Arc<dyn Folder>,
        key: SigningKey,
        options: Options,
        (tip, file, length): (Tip, Arc<dyn Handle>, u64),
    ) -> Self {
        let head_records = options.head_records.clamp(1, MAX_UNSIGNED);
        Self {
            folder,
            key,
            options: Options { head_records, ..options },
            tip,
            file,
            length,
            ragged: false,
            spare: None,
            heads: Vec::new(),
            counts: Counts::default(),
            state: State::Open,
            buffer: Vec::with_capacity(4096),
        }
    }

    /// Writes `records`, all or none, and says how many bytes must be synced for them.
    pub(super) fn append(&mut self, records: &[Encoded], clock: &dyn Clock) -> Result<u64, Error> {
        let written = self.try_append(records, clock);
        self.counts.failing = written.is_err();
        match &written {
            Ok(()) => self.counts.records += records.len() as u64,
            Err(error) => {
                self.counts.failures += 1;
                self.counts.last_error = Some(told(error));
            }
        }
        written.map(|()| self.counts.bytes)
    }

    fn try_append(&mut self, records: &[Encoded], clock: &dyn Clock) -> Result<(), Error> {
        self.usable()?;
        let heads = records.len() as u64 / self.options.head_records + 1;
        let lines: usize = records.iter().map(|it| it.json.len() + OVERHEAD).sum();
        let room = lines as u64 + (heads + 1) * HEAD_ROOM;
        if self.length + room > self.options.segment_bytes && self.tip.sequence > self.tip.before {
            self.rotate(clock.now())?;
        }
        self.change(|it| records.iter().for_each(|record| it.push_record(record, clock)))
    }

    /// Writes a head, if a record came after the last one.
    pub(super) fn sign(&mut self, now: Timestamp) -> Result<(), Error> {
        self.usable()?;
        if self.tip.unsigned == 0 { Ok(()) } else { self.change(|it| it.push_head(now)) }
    }

    /// Whether records wait for a head since the configured time, or the clock was set back.
    pub(super) fn sign_due(&self, now: Timestamp) -> bool {
        let Tip { unsigned, signed_at, .. } = self.tip;
        unsigned > 0 && (now < signed_at || now.since(signed_at) >= self.options.head_interval)
    }

    pub(super) fn usable(&self) -> Result<(), Error> {
        match &self.state {
            State::Open => Ok(()),
            State::Closed => Err(Error::Closed),
            State::Stopped(why) => Err(Error::Stopped(why.clone())),
        }
    }

    /// No sync can be trusted after one has failed: the kernel may have dropped what it held.
    pub(super) fn stop(&mut self, error: &std::io::Error) -> Error {
        let why = error.to_string();
        self.counts.last_error = Some(format!("a sync failed: {why}"));
        self.state = State::Stopped(why.clone());
        Error::Stopped(why)
    }

    /// Writes the lines that `build` puts into the buffer, all or none.
    fn change(&mut self, build: impl FnOnce(&mut Self)) -> Result<(), Error> {
        let (tip, heads) = (self.tip, self.heads.len());
        self.buffer.clear();
        build(self);
        let written = self.write();
        if written.is_err() {
            self.tip = tip;
            self.heads.truncate(heads);
        }
        written
    }

    fn write(&mut self) -> Result<(), Error> {
        let failed = |error| Error::io("write", &segments::name(self.tip.segment), error);
        if self.ragged {
            self.file.cut(self.length).map_err(failed)?;
            self.ragged = false;
            // Cutting gave the reserved space back.
            let _best_effort = self.file.reserve(self.options.segment_bytes);
        }
        if let Err(error) = write_all(&*self.file, &self.buffer, self.length) {
            self.ragged = true;
            if self.file.cut(self.length).is_ok() {
                self.ragged = false;
                let _best_effort = self.file.reserve(self.options.segment_bytes);
            }
            return Err(failed(error));
        }
        self.length += self.buffer.len() as u64;
        self.counts.bytes += self.buffer.len() as u64;
        Ok(())
    }

    fn push_record(&mut self, record: &Encoded, clock: &dyn Clock) {
        self.tip.sequence += 1;
        self.tip.unsigned += 1;
        self.tip.newest = self.tip.newest.max(record.at);
        self.push(Kind::Record, record.at, &record.json);
        if self.tip.unsigned >= self.options.head_records {
            self.push_head(clock.now());
        }
    }

    fn push_head(&mut self, now: Timestamp) {
        let head = Head::sign(&self.key, (self.tip.sequence, now), self.tip.hash);
        let start = self.buffer.len();
        self.push(Kind::Head, now, &head.body());
        let line = self.buffer.get(start..).unwrap_or_default();
        self.heads.push(String::from_utf8_lossy(line).into_owned());
        self.tip.unsigned = 0;
        self.tip.signed_at = now;
    }

    fn push(&mut self, kind: Kind, at: Timestamp, body: &str) {
        let line = after(&self.tip.hash, kind, (self.tip.sequence, at), body);
        line.push(&mut self.buffer);
        self.tip.hash = line.hash;
    }

    /// Ends the current segment with a head, on disk, and begins the next.
    fn rotate(&mut self, now: Timestamp) -> Result<(), Error> {
        self.sign(now)?;
        // Were the next segment on disk before the end of this one, a power cut would leave a gap.
        if let Err(error) = self.file.sync() {
            return Err(self.stop(&error));
        }
        let spare = match self.spare.take() {
            Some(spare) => spare,
            None => Spare::make(&*self.folder, HASTY, self.options.segment_bytes)?,
        };
        let (tip, file, length) = begin(&*self.folder, spare, self.tip, now)?;
        (self.tip, self.file, self.length) = (tip, file, length);
        self.counts.bytes += length;
        Ok(())
    }
}

/// Whether a line can hold each of `records`.
pub(super) fn fits(records: &[Encoded]) -> Result<(), Error> {
    let misfit = records.iter().find(|it| !line::fits(&it.json));
    misfit.map_or(Ok(()), |it| Err(Error::Unfit { length: it.json.len() }))
}

/// An empty file with the space for a segment set aside.
pub(super) struct Spare {
    name: &'static str,
    file: Arc<dyn Handle>,
}

impl Spare {
    pub(super) fn make(folder: &dyn Folder, name: &'static str, bytes: u64) -> Result<Self, Error> {
        let failed = |error| Error::io("create", name, error);
        let file = folder.open(name).map_err(failed)?;
        file.cut(0).and_then(|()| file.reserve(bytes)).map_err(failed)?;
        Ok(Self { name, file })
    }
}

/// Makes `spare` the segment after `tip`. Its first line is on disk before it gets its name, so that
/// every segment has one.
pub(super) fn begin(
    folder: &dyn Folder,
    spare: Spare,
    tip: Tip,
    now: Timestamp,
) -> Result<(Tip, Arc<dyn Handle>, u64), Error> {
    let segment = tip.segment + 1;
    let name = segments::name(segment);
    let failed = |error| Error::io("begin", &name, error);
    let created = now.max(tip.newest);
    let body = Opening { segment, previous: tip.hash }.body();
    let line = after(&tip.hash, Kind::Segment, (tip.sequence, created), &body);
    let mut text = Vec::new();
    line.push(&mut text);
    write_all(&*spare.file, &text, 0)
        .and_then(|()| spare.file.sync())
        .and_then(|()| folder.rename(spare.name, &name))
        .map_err(failed)?;
    // Either a head has just ended the last segment, or there was nothing to sign before.
    let tip = Tip {
        segment,
        before: tip.sequence,
        hash: line.hash,
        newest: created,
        signed_at: now,
        ..tip
    };
    Ok((tip, spare.file, text.len() as u64))
}

/// An error with its causes, on one line.
pub(super) fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
