//! A waiting line for what accounts share: room, places.
//!
//! Nobody may have more than half, so that there is always some for another; only who has nothing may have one
//! larger part. Accounts take turns, and within an account the order is that of arrival. Who waits for more than
//! there is keeps out nobody but its own account.

use std::collections::{BTreeMap, VecDeque};

/// What there is, who has how much of it, and who waits. `W` is how one that waits is told.
#[derive(Debug)]
pub struct Line<W> {
    most: u32,
    free: u32,
    next: u64,
    /// Only those that have something or wait.
    accounts: BTreeMap<String, Of<W>>,
    /// Those that wait: whose turn it is comes first.
    turns: VecDeque<String>,
}

/// What one account has and waits for, by tickets.
#[derive(Debug)]
struct Of<W> {
    has: BTreeMap<u64, u32>,
    waits: VecDeque<(u64, u32, W)>,
}

/// Finds again what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    account: String,
    number: u64,
}

impl<W> Line<W> {
    /// A line for `most` parts.
    pub const fn new(most: u32) -> Self {
        Self { most, free: most, next: 0, accounts: BTreeMap::new(), turns: VecDeque::new() }
    }

    /// Waits for `wanted` parts. Those that are told have theirs now, the new one maybe among them.
    pub fn ask(&mut self, account: &str, wanted: u32, told: W) -> (Ticket, Vec<W>) {
        let number = self.next;
        self.next += 1;
        let fresh = || Of { has: BTreeMap::new(), waits: VecDeque::new() };
        let of = self.accounts.entry(account.to_owned()).or_insert_with(fresh);
        if of.waits.is_empty() {
            self.turns.push_back(account.to_owned());
        }
        of.waits.push_back((number, wanted, told));
        (Ticket { account: account.to_owned(), number }, self.serve())
    }

    /// Gives back what the ticket has, or waits no more. Those that are told have theirs now.
    pub fn leave(&mut self, ticket: &Ticket) -> Vec<W> {
        let Some(of) = self.accounts.get_mut(&ticket.account) else { return Vec::new() };
        self.free += of.has.remove(&ticket.number).unwrap_or(0);
        of.waits.retain(|it| it.0 != ticket.number);
        if of.waits.is_empty() {
            self.turns.retain(|it| *it != ticket.account);
            if of.has.is_empty() {
                self.accounts.remove(&ticket.account);
            }
        }
        self.serve()
    }

    /// Whether somebody waits for what `account` has.
    pub fn is_wanted_of(&self, account: &str) -> bool {
        self.turns.iter().any(|it| it == account || !self.has_its_share(it))
    }

    /// Whether `account` waits for what only itself can give back.
    pub fn has_its_share(&self, account: &str) -> bool {
        let of = self.accounts.get(account);
        of.is_some_and(|it| it.waits.front().is_some_and(|next| !it.may_have(next.1, self.most)))
    }

    fn serve(&mut self) -> Vec<W> {
        let mut told = Vec::new();
        while let Some(served) = self.serve_one() {
            told.push(served);
        }
        told
    }

    /// Serves the first account in turn whose first one fits; then the others come first.
    fn serve_one(&mut self) -> Option<W> {
        let (free, most) = (self.free, self.most);
        let fits = |account: &String| {
            let of = self.accounts.get(account)?;
            let wanted = of.waits.front()?.1;
            (wanted <= free && of.may_have(wanted, most)).then_some(())
        };
        let place = self.turns.iter().position(|it| fits(it).is_some())?;
        let account = self.turns.remove(place)?;
        let of = self.accounts.get_mut(&account)?;
        let (number, wanted, told) = of.waits.pop_front()?;
        of.has.insert(number, wanted);
        self.free -= wanted;
        if !of.waits.is_empty() {
            self.turns.push_back(account);
        }
        Some(told)
    }
}

impl<W> Of<W> {
    fn may_have(&self, wanted: u32, most: u32) -> bool {
        let has: u32 = self.has.values().sum();
        self.has.is_empty() || has.saturating_add(wanted) <= most / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a3` asks for three parts for account `a`, `-0` takes back what was asked for first; and who has what
    /// when all is done, in the order of being served.
    const CASES: [(&str, u32, &str, &str); 12] = [
        ("nobody has more than half", 8, "a2 a2 a1", "a2 a2"),
        ("half is for the others", 8, "a2 a2 a1 b2 b2", "a2 a2 b2 b2"),
        ("who has nothing may have all", 8, "a8", "a8"),
        ("but nothing besides", 8, "a5 a1", "a5"),
        ("nor after something", 8, "a1 a5", "a1"),
        ("nor more than there is", 8, "a9 b1", "b1"),
        ("one part is somebody's", 1, "a1 a1 a1 b1 -0 -1", "a1 a1 b1"),
        ("accounts take turns", 2, "a1 b1 c1 c1 c1 d1 -0 -1 -2", "a1 b1 c1 d1 c1"),
        ("who doesn't fit lets others pass", 8, "a3 b4 c4 d1", "a3 b4 d1"),
        ("but not those of its own account", 8, "a3 b4 c4 c1", "a3 b4"),
        ("who gives up lets its own pass", 8, "a3 b4 c4 c1 -2", "a3 b4 c1"),
        ("what is given back is had again", 8, "a8 b4 c4 -0", "a8 b4 c4"),
    ];

    #[test]
    fn who_is_served_when() {
        for (name, most, asked, expected) in CASES {
            let mut line = Line::new(most);
            let (mut tickets, mut served) = (Vec::new(), Vec::new());
            for word in asked.split(' ') {
                let (account, number) = word.split_at(1);
                let number: u32 = number.parse().expect("a number");
                if account == "-" {
                    served.extend(line.leave(&tickets[number as usize]));
                    continue;
                }
                let (ticket, told) = line.ask(account, number, word);
                tickets.push(ticket);
                served.extend(told);
            }
            assert_eq!(served.join(" "), expected, "{name}");
            for ticket in &tickets {
                line.leave(ticket);
            }
            assert!(line.turns.is_empty() && line.accounts.is_empty(), "{name}: something is left");
            assert_eq!(line.free, most, "{name}");
        }
    }

    #[test]
    fn who_waits_for_its_own() {
        for (asked, own) in
            [("a4 a1", true), ("a2 b4 a4", true), ("b3 c4 a2", false), ("a4", false)]
        {
            let mut line = Line::new(8);
            for word in asked.split(' ') {
                let (account, number) = word.split_at(1);
                line.ask(account, number.parse().expect("a number"), ());
            }
            assert_eq!(line.has_its_share("a"), own, "{asked}");
            let (of_itself, of_others) = (line.is_wanted_of("a"), line.is_wanted_of("d"));
            assert_eq!((of_itself, of_others), (asked != "a4", !own && asked != "a4"), "{asked}");
        }
    }
}
