//! What the tests of this crate share: a clock moved by hand, a key, records, a disk that fails.

use crate::files::{Folder, Handle, RealFolder};
use crate::{Entry, Journal, Options, Reader, SigningKey};
use base::{Clock, Entropy, Timestamp};
use service::audit::Encoded;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, SendError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// A clock that stands until it is moved.
#[derive(Debug, Default)]
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    pub(crate) fn at(millis: i64) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(millis)))
    }

    pub(crate) fn set(&self, millis: i64) {
        self.0.store(millis, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

struct Fixed(u8);

impl Entropy for Fixed {
    fn fill(&self, out: &mut [u8]) {
        out.fill(self.0);
    }
}

/// Key `number`, always the same.
pub(crate) fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&SigningKey::generate(&Fixed(number))).expect("a key")
}

/// Record `number`, at as many milliseconds.
pub(crate) fn record(number: u64) -> Encoded {
    let at = Timestamp::from_millis(i64::try_from(number).expect("small"));
    let json = format!(r#"{{"eventName":"GetSecretValue","eventID":"id-{number}"}}"#);
    Encoded { id: format!("id-{number}"), at, json }
}

/// Records `range`.
pub(crate) fn records(range: std::ops::Range<u64>) -> Vec<Encoded> {
    range.map(record).collect()
}

/// Segments of a dozen records, a head after every fifth.
pub(crate) fn small() -> Options {
    Options { segment_bytes: 4096, head_records: 5, ..Options::default() }
}

/// Appends records `range`, one at a time.
pub(crate) fn fill(journal: &Journal, range: std::ops::Range<u64>) {
    for number in range {
        journal.take_over(&[record(number)]).expect("space");
    }
}

/// The journal in `folder`, opened with key 1 at instant 0.
pub(crate) fn open(folder: &Path, options: Options) -> Result<Journal, crate::Error> {
    Journal::open(folder, options, key(1), HandClock::at(0))
}

/// The ids of the records in `folder`.
pub(crate) fn ids(folder: &Path) -> Vec<String> {
    let id = |it: Entry| crate::Record::parse(&it.json).expect("a record").event_id;
    Reader::new(folder).map(|it| id(it.expect("readable"))).collect()
}

/// The ids of records `range`.
pub(crate) fn ids_of(range: std::ops::Range<u64>) -> Vec<String> {
    range.map(|it| format!("id-{it}")).collect()
}

/// A disk of some size, on a real one.
pub(crate) struct Disk {
    real: RealFolder,
    state: Arc<DiskState>,
}

#[derive(Default)]
pub(crate) struct DiskState {
    free: Mutex<u64>,
    fails_to_sync: Mutex<bool>,
    gate: Mutex<bool>,
    opened: Condvar,
    pause: Mutex<Option<(Sender<()>, Receiver<()>)>>,
    count: Mutex<u64>,
    deeds: Mutex<Vec<Deed>>,
}

/// What was done to which file; files are numbered in the order they were opened in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Open(u64),
    Rename,
    Sync(u64),
    Write(u64),
}

impl Disk {
    /// A disk with `free` bytes, for files in `folder`.
    pub(crate) fn create(folder: &Path, free: u64) -> (Arc<Self>, Arc<DiskState>) {
        let real = RealFolder::create(folder).expect("a folder");
        let state = Arc::new(DiskState { free: Mutex::new(free), ..DiskState::default() });
        (Arc::new(Self { real, state: state.clone() }), state)
    }
}

impl DiskState {
    /// Lets `bytes` more fit.
    pub(crate) fn give(&self, bytes: u64) {
        *held(&self.free) += bytes;
    }

    /// Fills the disk but for `bytes`.
    pub(crate) fn take_all_but(&self, bytes: u64) {
        *held(&self.free) = bytes;
    }

    /// What was done since the last call.
    pub(crate) fn deeds(&self) -> Vec<Deed> {
        std::mem::take(&mut held(&self.deeds))
    }

    fn note(&self, deed: Deed) {
        held(&self.deeds).push(deed);
    }

    /// From now on syncs fail.
    pub(crate) fn break_syncs(&self) {
        *held(&self.fails_to_sync) = true;
    }

    /// Until [`DiskState::open_gate`], syncs don't return.
    pub(crate) fn close_gate(&self) {
        *held(&self.gate) = true;
    }

    pub(crate) fn open_gate(&self) {
        *held(&self.gate) = false;
        self.opened.notify_all();
    }

    /// Makes the next reservation wait: it says so on the one end and goes on after the other.
    pub(crate) fn pause_reservation(&self) -> (Receiver<()>, Sender<()>) {
        let ((here, seen), (go_on, told)) = (channel(), channel());
        *held(&self.pause) = Some((here, told));
        (seen, go_on)
    }

    /// Takes as many of `bytes` as there are.
    fn take(&self, bytes: u64) -> u64 {
        let mut free = held(&self.free);
        let taken = bytes.min(*free);
        *free -= taken;
        taken
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no panic")
}

impl Folder for Disk {
    fn open(&self, name: &str) -> io::Result<Arc<dyn Handle>> {
        let (real, disk) = (self.real.open(name)?, self.state.clone());
        let number = {
            let mut opened = held(&disk.count);
            *opened += 1;
            *opened
        };
        disk.note(Deed::Open(number));
        Ok(Arc::new(DiskFile { real, disk, number, owned: Mutex::new(0) }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.state.note(Deed::Rename);
        self.real.rename(from, to)
    }
}

/// A file that owns the bytes up to some length; beyond it, it takes from the disk.
struct DiskFile {
    real: Arc<dyn Handle>,
    disk: Arc<DiskState>,
    number: u64,
    owned: Mutex<u64>,
}

impl Handle for DiskFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.disk.note(Deed::Write(self.number));
        let mut owned = held(&self.owned);
        let missing = (offset + bytes.len() as u64).saturating_sub(*owned);
        let taken = self.disk.take(missing);
        *owned += taken;
        let fitting = bytes.len() - usize::try_from(missing - taken).expect("small");
        if fitting == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.real.write_at(&bytes[..fitting], offset)
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        let mut owned = held(&self.owned);
        self.disk.give(owned.saturating_sub(length));
        *owned = length.min(*owned);
        self.real.cut(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.note(Deed::Sync(self.number));
        let gate = held(&self.disk.gate);
        let waited = self.disk.opened.wait_timeout_while(gate, Duration::from_mins(1), |it| *it);
        assert!(!waited.expect("no panic").1.timed_out(), "the gate stayed closed");
        if *held(&self.disk.fails_to_sync) {
            return Err(io::Error::other("the disk is gone"));
        }
        self.real.sync()
    }

    fn reserve(&self, length: u64) -> io::Result<()> {
        let paused = held(&self.disk.pause).take();
        if let Some((here, told)) = paused {
            here.send(()).and_then(|()| told.recv().map_err(|_| SendError(()))).expect("a test");
        }
        let mut owned = held(&self.owned);
        let missing = length.saturating_sub(*owned);
        let taken = self.disk.take(missing);
        if taken < missing {
            self.disk.give(taken);
            return Err(io::ErrorKind::StorageFull.into());
        }
        *owned += missing;
        Ok(())
    }
}
