//! What the engine counts.

use crate::trouble::Trouble;
use secrets::rotation::Phase;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Attempts since the start, those under way, and what waits.
#[derive(Debug, Default)]
pub struct Tally {
    running: [AtomicU64; PHASES.len()],
    ended: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
    windows: Mutex<Windows>,
    waiting: AtomicUsize,
    shut: AtomicUsize,
}

/// How long passwords were changing: from the statement to the end, in which the old one may not log in.
#[derive(Clone, Debug, Default)]
pub struct Windows {
    /// How many took up to each of [`Windows::BOUNDS`], and how many longer.
    pub counts: [u64; Self::BOUNDS.len() + 1],
    /// All together.
    pub total: Duration,
}

impl Windows {
    /// In milliseconds.
    pub const BOUNDS: [u64; 10] = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000];

    fn note(&mut self, took: Duration) {
        let place = Self::BOUNDS.iter().position(|it| took <= Duration::from_millis(*it));
        if let Some(count) = self.counts.get_mut(place.unwrap_or(Self::BOUNDS.len())) {
            *count += 1;
        }
        self.total += took;
    }
}

/// Phases with their names.
const PHASES: [(Phase, &str); 3] =
    [(Phase::Allocated, "allocated"), (Phase::Created, "created"), (Phase::Setting, "setting")];

/// Counts as under way while it lives.
pub(crate) struct Counted<'a> {
    tally: &'a Tally,
    phase: AtomicUsize,
}

impl Tally {
    /// Attempts under way, by how far they have come.
    pub fn running(&self) -> [(&'static str, u64); PHASES.len()] {
        let mut running = self.running.iter().map(|it| it.load(Ordering::Relaxed));
        PHASES.map(|(_, name)| (name, running.next().unwrap_or_default()))
    }

    /// Attempts that ended, by engine and by how they did.
    pub fn ended(&self) -> BTreeMap<(&'static str, &'static str), u64> {
        lock(&self.ended).clone()
    }

    /// How long passwords were changing.
    pub fn windows(&self) -> Windows {
        lock(&self.windows).clone()
    }

    /// How many wait for their turn in memory.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// How many servers are left alone because they don't answer, once for each account that does.
    pub fn shut(&self) -> usize {
        self.shut.load(Ordering::Relaxed)
    }

    pub(crate) fn begin(&self, phase: Phase) -> Counted<'_> {
        let counted = Counted { tally: self, phase: AtomicUsize::new(place(phase)) };
        counted.change(|it| it.fetch_add(1, Ordering::Relaxed));
        counted
    }

    pub(crate) fn end(&self, engine: &'static str, done: &Result<(), Trouble>) {
        let outcome = match done {
            Ok(()) => "succeeded",
            Err(Trouble::Gone) => "abandoned",
            Err(_) => "failed",
        };
        *lock(&self.ended).entry((engine, outcome)).or_default() += 1;
    }

    pub(crate) fn note(&self, waiting: usize, shut: usize) {
        self.waiting.store(waiting, Ordering::Relaxed);
        self.shut.store(shut, Ordering::Relaxed);
    }

    pub(crate) fn changed(&self, took: Duration) {
        lock(&self.windows).note(took);
    }
}

impl Counted<'_> {
    /// It has come so far.
    pub(crate) fn reach(&self, phase: Phase) {
        self.change(|it| it.fetch_sub(1, Ordering::Relaxed));
        self.phase.store(place(phase), Ordering::Relaxed);
        self.change(|it| it.fetch_add(1, Ordering::Relaxed));
    }

    fn change(&self, how: impl FnOnce(&AtomicU64) -> u64) {
        self.tally.running.get(self.phase.load(Ordering::Relaxed)).map(how);
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.change(|it| it.fetch_sub(1, Ordering::Relaxed));
    }
}

fn place(phase: Phase) -> usize {
    PHASES.iter().position(|it| it.0 == phase).unwrap_or_default()
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
