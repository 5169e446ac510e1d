//! What waits of one account: a line for each server, function or new secret.

use super::{Entry, Line};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The lines of one account, in the order of their turns.
#[derive(Debug, Default)]
pub(super) struct Lines {
    turns: VecDeque<Line>,
    entries: BTreeMap<Line, VecDeque<Entry>>,
    /// The lines by length, so that the longest is found at once.
    lengths: BTreeSet<(usize, Line)>,
    waiting: usize,
}

impl Lines {
    /// How many wait in all of them.
    pub(super) fn len(&self) -> usize {
        self.waiting
    }

    /// How many wait in `line`.
    pub(super) fn len_of(&self, line: &Line) -> usize {
        self.entries.get(line).map_or(0, VecDeque::len)
    }

    /// How many wait in the longest.
    pub(super) fn longest(&self) -> usize {
        self.lengths.last().map_or(0, |it| it.0)
    }

    pub(super) fn push(&mut self, entry: Entry) {
        let line = entry.line.clone();
        let entries = self.entries.entry(line.clone()).or_insert_with(|| {
            self.turns.push_back(line.clone());
            VecDeque::new()
        });
        self.lengths.remove(&(entries.len(), line.clone()));
        entries.push_back(entry);
        self.lengths.insert((entries.len(), line));
        self.waiting += 1;
    }

    /// The first entry of the next line that is `open`.
    pub(super) fn next(&mut self, open: impl Fn(&Line) -> bool) -> Option<Entry> {
        for _ in 0..self.turns.len() {
            let line = self.turns.pop_front()?;
            let entry = if open(&line) { self.take(&line, VecDeque::pop_front) } else { None };
            if self.entries.contains_key(&line) {
                self.turns.push_back(line);
            }
            if entry.is_some() {
                return entry;
            }
        }
        None
    }

    /// Takes out who came last in the longest line.
    pub(super) fn send_back(&mut self) -> Option<Entry> {
        let line = self.lengths.last()?.1.clone();
        let entry = self.take(&line, VecDeque::pop_back);
        if !self.entries.contains_key(&line) {
            self.turns.retain(|it| *it != line);
        }
        entry
    }

    fn take(
        &mut self,
        line: &Line,
        pop: impl FnOnce(&mut VecDeque<Entry>) -> Option<Entry>,
    ) -> Option<Entry> {
        let entries = self.entries.get_mut(line)?;
        self.lengths.remove(&(entries.len(), line.clone()));
        let entry = pop(entries);
        if entries.is_empty() {
            self.entries.remove(line);
        } else {
            self.lengths.insert((entries.len(), line.clone()));
        }
        self.waiting = self.waiting.saturating_sub(usize::from(entry.is_some()));
        entry
    }
}
