//! What is begun when, so that nothing holds up anything else. Pure: time is handed in.
//!
//! Source: rotation.md §5.8.

mod lines;
mod silence;

use base::{AccountId, Region, Timestamp};
use lines::Lines;
use secrets::rotation::Due;
use secrets::secret::SecretId;
use silence::Silence;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// How much at a time.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// On this node.
    pub node: usize,
    /// At one server.
    pub server: usize,
    /// By one function.
    pub function: usize,
    /// For one account.
    pub account: usize,
    /// How many may wait in memory; what is due besides waits in the store.
    pub waiting: usize,
    /// For how long a server that doesn't answer is left alone at first, and at most.
    pub pauses: (Duration, Duration),
}

impl Default for Bounds {
    fn default() -> Self {
        let pauses = (Duration::from_secs(30), silence::LONGEST_PAUSE);
        Self { node: 64, server: 2, function: 4, account: 16, waiting: 8192, pauses }
    }
}

/// Something that is due.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The row that said so.
    pub due: Due,
    /// Whom it waits for.
    pub line: Line,
    /// When it is to be told that it is overdue, if it still waits then.
    pub overdue: Option<Timestamp>,
}

/// Whom something that is due waits for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Line {
    /// A function that isn't ours, by its ARN.
    Function(String),
    /// Nobody: which server it will speak to has to be read first.
    New,
    /// A server, `host:port`.
    Server(String),
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

/// What waits, by account and line, and what is under way.
///
/// Accounts take turns, and within one account its lines do: a thousand secrets of one server wait behind
/// each other and nobody else. A server that doesn't answer is left alone for a while, and holds no place; only
/// by those whom it didn't answer, since what one account saw is no word about another's way there.
///
/// Where all places to wait are taken, who has most of them gives one up to whoever has fewer: accounts among
/// each other, then the lines of one account. What was sent back still has its row in the store.
#[derive(Debug, Default)]
pub struct Queue {
    bounds: Bounds,
    known: BTreeSet<Whose>,
    /// Accounts in the order of their turns.
    turns: VecDeque<AccountId>,
    waiting: BTreeMap<AccountId, Lines>,
    /// Accounts by how many wait.
    crowds: BTreeSet<(usize, AccountId)>,
    running: usize,
    running_of: BTreeMap<AccountId, usize>,
    running_at: BTreeMap<Line, usize>,
    silences: BTreeMap<(AccountId, Line), Silence>,
    /// When what waits is told to be overdue.
    tells: BTreeMap<(Timestamp, Whose), Due>,
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

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.known.len().saturating_sub(self.running)
    }

    /// Whether so few wait that more should be read.
    pub fn is_low(&self) -> bool {
        self.waiting() <= self.bounds.waiting / 2
    }

    /// Servers that are left alone, once for each account that does.
    pub fn shut(&self, now: Timestamp) -> usize {
        self.silences.values().filter(|it| it.shut(now).is_some()).count()
    }

    /// Lets `entry` wait for its turn; `false` if somebody has no place now: it, or who was sent back for it. What
    /// is known already is not taken twice.
    pub fn offer(&mut self, entry: Entry) -> bool {
        let (whose, account) = (whose(&entry.due), entry.due.account.clone());
        if self.known.contains(&whose) {
            return true;
        }
        let full = self.waiting() >= self.bounds.waiting;
        if full && !self.make_room(&account, &entry.line) {
            return false;
        }
        if let Some(at) = entry.overdue {
            self.tells.insert((at, whose.clone()), entry.due.clone());
        }
        self.known.insert(whose);
        if !self.waiting.contains_key(&account) {
            self.turns.push_back(account.clone());
        }
        self.change(&account, |lines| lines.push(entry));
        !full
    }

    /// Sends somebody back who has more places than the line `line` of `account`.
    fn make_room(&mut self, account: &AccountId, line: &Line) -> bool {
        let Some((most, crowd)) = self.crowds.last().cloned() else { return false };
        let own = self.waiting.get(account);
        let (held, length, longest) =
            own.map_or((0, 0, 0), |it| (it.len(), it.len_of(line), it.longest()));
        let victim = match () {
            () if held + 1 < most => crowd,
            () if length + 1 < longest => account.clone(),
            () => return false,
        };
        let sent = self.change(&victim, Lines::send_back);
        let Some(sent) = sent else { return false };
        self.forget(&sent);
        self.known.remove(&whose(&sent.due))
    }

    /// What doesn't wait here any more is told by whoever begins it.
    fn forget(&mut self, entry: &Entry) {
        if let Some(at) = entry.overdue {
            self.tells.remove(&(at, whose(&entry.due)));
        }
    }

    /// Takes out what has become overdue while it waits: each is given once.
    pub fn overdue(&mut self, now: Timestamp) -> Vec<Due> {
        let mut found = Vec::new();
        while let Some(first) = self.tells.first_entry().filter(|it| it.key().0 <= now) {
            found.push(first.remove());
        }
        found
    }

    /// When the next of them is.
    pub fn tells(&self) -> Option<Timestamp> {
        self.tells.first_key_value().map(|it| it.0.0)
    }

    /// Changes what waits of `account`, and keeps the order of crowds.
    fn change<T>(&mut self, account: &AccountId, how: impl FnOnce(&mut Lines) -> T) -> T {
        let lines = self.waiting.entry(account.clone()).or_default();
        self.crowds.remove(&(lines.len(), account.clone()));
        let done = how(lines);
        match lines.len() {
            0 => drop(self.waiting.remove(account)),
            more => drop(self.crowds.insert((more, account.clone()))),
        }
        done
    }

    /// What begins now, if anything may.
    pub fn start(&mut self, now: Timestamp) -> Option<Entry> {
        if self.running >= self.bounds.node {
            return None;
        }
        for _ in 0..self.turns.len() {
            let account = self.turns.pop_front()?;
            let entry = self.next_of(&account, now);
            if self.waiting.contains_key(&account) {
                self.turns.push_back(account.clone());
            }
            if let Some(entry) = entry {
                self.forget(&entry);
                self.running += 1;
                *self.running_of.entry(account).or_default() += 1;
                *self.running_at.entry(entry.line.clone()).or_default() += 1;
                return Some(entry);
            }
        }
        None
    }

    /// The first entry of the next line of `account` that may be served.
    fn next_of(&mut self, account: &AccountId, now: Timestamp) -> Option<Entry> {
        let busy = self.running_of.get(account).copied().unwrap_or_default();
        if busy >= self.bounds.account {
            return None;
        }
        let (silences, running, bounds) = (&self.silences, &self.running_at, self.bounds);
        let open = |line: &Line| {
            let busy = running.get(line).copied().unwrap_or_default();
            let bound = bounds.at(line);
            match silences.get(&(account.clone(), line.clone())) {
                Some(silence) => silence.shut(now).is_none() && busy < silence.places(bound),
                None => busy < bound,
            }
        };
        let lines = self.waiting.get_mut(account)?;
        self.crowds.remove(&(lines.len(), account.clone()));
        let entry = lines.next(open);
        match lines.len() {
            0 => drop(self.waiting.remove(account)),
            more => drop(self.crowds.insert((more, account.clone()))),
        }
        entry
    }

    /// Notes how `entry` has ended.
    pub fn end(&mut self, entry: &Entry, ended: Ended, now: Timestamp) {
        self.known.remove(&whose(&entry.due));
        self.running = self.running.saturating_sub(1);
        less(&mut self.running_of, &entry.due.account);
        less(&mut self.running_at, &entry.line);
        let key = (entry.due.account.clone(), entry.line.clone());
        let silence = self.silences.entry(key.clone()).or_default();
        silence.note(ended, now, self.bounds.pauses);
        if silence.is_over() {
            self.silences.remove(&key);
        }
    }

    /// When a server that is left alone may be asked again, if anything waits for one.
    pub fn reopens(&self, now: Timestamp) -> Option<Timestamp> {
        let waits = |(account, line): &(AccountId, Line)| {
            self.waiting.get(account).is_some_and(|it| it.len_of(line) > 0)
        };
        let shut = self.silences.iter().filter(|it| waits(it.0));
        shut.filter_map(|it| it.1.shut(now)).min()
    }
}

impl Bounds {
    fn at(&self, line: &Line) -> usize {
        match line {
            Line::Function(_) => self.function,
            Line::New => self.account,
            Line::Server(_) => self.server,
        }
    }
}

fn less<K: Ord>(counts: &mut BTreeMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}
