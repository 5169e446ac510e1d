//! What is begun when, so that nothing holds up anything else. Pure: time is handed in.
//!
//! Source: rotation.md §5.8.

use base::{AccountId, Region, Timestamp};
use secrets::rotation::Due;
use secrets::secret::SecretId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// How much at a time.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// On this node.
    pub node: usize,
    /// At one server, or by one function.
    pub target: usize,
    /// For one account.
    pub account: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { node: 64, target: 2, account: 16 }
    }
}

/// Something that is due.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The row that said so.
    pub due: Due,
    /// The server that it will speak to, `host:port`, or the function.
    pub target: String,
}

/// How something that was begun has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The server has answered, whatever it said.
    Answered,
    /// The server couldn't be asked.
    Unreachable,
}

/// A secret, whatever is due for it.
type Whose = (AccountId, Region, SecretId);

fn whose(due: &Due) -> Whose {
    (due.account.clone(), due.region.clone(), due.secret.clone())
}

/// After so many in a row that couldn't be asked, a server is left alone.
const STRIKES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// What waits, by account and target, and what is under way.
///
/// Accounts take turns, and within one account its targets do: a thousand secrets of one server wait behind
/// each other and nobody else. A server that doesn't answer is left alone for a while, and holds no place.
#[derive(Debug, Default)]
pub struct Queue {
    bounds: Bounds,
    known: BTreeSet<Whose>,
    /// Accounts in the order of their turns.
    turns: VecDeque<AccountId>,
    waiting: BTreeMap<AccountId, Lines>,
    targets: BTreeMap<String, Target>,
    running: usize,
    running_of: BTreeMap<AccountId, usize>,
}

/// The lines of one account.
#[derive(Debug, Default)]
struct Lines {
    turns: VecDeque<String>,
    lines: BTreeMap<String, VecDeque<Entry>>,
}

#[derive(Debug, Default)]
struct Target {
    running: usize,
    strikes: u32,
    shut_until: Option<Timestamp>,
}

impl Queue {
    /// An empty queue.
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    /// Whether the secret of `due` waits or is under way: one thing at a time is done to each.
    pub fn knows(&self, due: &Due) -> bool {
        self.known.contains(&whose(due))
    }

    /// How many wait or are under way.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether nothing waits and nothing is under way.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// How many are under way.
    pub fn running(&self) -> usize {
        self.running
    }

    /// Lets `entry` wait for its turn. What is known already is not taken twice.
    pub fn offer(&mut self, entry: Entry) {
        if !self.known.insert(whose(&entry.due)) {
            return;
        }
        let account = entry.due.account.clone();
        if !self.waiting.contains_key(&account) {
            self.turns.push_back(account.clone());
        }
        let lines = self.waiting.entry(account).or_default();
        let line = lines.lines.entry(entry.target.clone()).or_insert_with(|| {
            lines.turns.push_back(entry.target.clone());
            VecDeque::new()
        });
        line.push_back(entry);
    }

    /// What begins now, if anything may.
    pub fn start(&mut self, now: Timestamp) -> Option<Entry> {
        if self.running >= self.bounds.node {
            return None;
        }
        for _ in 0..self.turns.len() {
            let account = self.turns.pop_front()?;
            let busy = self.running_of.get(&account).copied().unwrap_or_default();
            let entry = if busy < self.bounds.account { self.next_of(&account, now) } else { None };
            if self.waiting.get(&account).is_some_and(|it| !it.lines.is_empty()) {
                self.turns.push_back(account.clone());
            } else {
                self.waiting.remove(&account);
            }
            if let Some(entry) = entry {
                self.running += 1;
                *self.running_of.entry(account).or_default() += 1;
                self.targets.entry(entry.target.clone()).or_default().running += 1;
                return Some(entry);
            }
        }
        None
    }

    /// The first entry of the next line of `account` whose target may be spoken to.
    fn next_of(&mut self, account: &AccountId, now: Timestamp) -> Option<Entry> {
        let lines = self.waiting.get_mut(account)?;
        for _ in 0..lines.turns.len() {
            let target = lines.turns.pop_front()?;
            let state = self.targets.entry(target.clone()).or_default();
            let open = state.is_open(now) && state.running < state.places(self.bounds.target);
            let line = lines.lines.get_mut(&target)?;
            let entry = if open { line.pop_front() } else { None };
            if line.is_empty() {
                lines.lines.remove(&target);
            } else {
                lines.turns.push_back(target);
            }
            if entry.is_some() {
                return entry;
            }
        }
        None
    }

    /// Notes how `entry` has ended.
    pub fn end(&mut self, entry: &Entry, ended: Ended, now: Timestamp) {
        self.known.remove(&whose(&entry.due));
        self.running = self.running.saturating_sub(1);
        if let Some(busy) = self.running_of.get_mut(&entry.due.account) {
            *busy = busy.saturating_sub(1);
            if *busy == 0 {
                self.running_of.remove(&entry.due.account);
            }
        }
        let target = self.targets.entry(entry.target.clone()).or_default();
        target.running = target.running.saturating_sub(1);
        target.note(ended, now);
        if target.is_forgettable() {
            self.targets.remove(&entry.target);
        }
    }

    /// When a server that is left alone may be asked again, if anything waits for one.
    pub fn reopens(&self, now: Timestamp) -> Option<Timestamp> {
        let waiting = self.waiting.values().flat_map(|it| it.lines.keys());
        waiting.filter_map(|it| self.targets.get(it)?.shut_until).filter(|it| now < *it).min()
    }
}

impl Target {
    fn is_open(&self, now: Timestamp) -> bool {
        self.shut_until.is_none_or(|it| it <= now)
    }

    /// One that has just not answered is asked by one at a time.
    fn places(&self, bound: usize) -> usize {
        if self.strikes >= STRIKES { 1 } else { bound }
    }

    fn note(&mut self, ended: Ended, now: Timestamp) {
        match ended {
            Ended::Answered => (self.strikes, self.shut_until) = (0, None),
            // Begun before it was left alone: it says nothing new.
            Ended::Unreachable if !self.is_open(now) => (),
            Ended::Unreachable => {
                self.strikes = self.strikes.saturating_add(1);
                if let Some(further) = self.strikes.checked_sub(STRIKES) {
                    let pause = FIRST_PAUSE * 2_u32.saturating_pow(further.min(10));
                    self.shut_until = Some(now.plus(pause.min(LONGEST_PAUSE)));
                }
            }
        }
    }

    fn is_forgettable(&self) -> bool {
        self.running == 0 && self.strikes == 0
    }
}
