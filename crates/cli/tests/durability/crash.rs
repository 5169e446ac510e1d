//! SIGKILL under concurrent writers: every answered write is there, and nothing by halves.

use crate::client::{Client, Keys, mark, token};
use crate::history::{Act, CURRENT, Done, Life, PREVIOUS, State, look_at, open_all};
use crate::journal;
use crate::process::{Chance, Server, tell};
use rustix::process::{Pid, Signal};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::thread;

const WRITERS: usize = 8;
const ROUNDS: u64 = 4;
const SHARED: [&str; 2] = ["shared/one", "shared/two"];
/// The writer that makes the shared secrets, before the others begin.
const MAKER: usize = 0xff;

/// What a round of writers shares.
struct Round<'a> {
    number: u64,
    keys: &'a Keys,
    /// A moment is a number that was drawn here.
    clock: &'a AtomicU64,
    answered: AtomicUsize,
    /// The server is killed when so many changes are answered.
    limit: usize,
    server: Pid,
}

/// One writer: the secrets only it changes, and its part of the shared ones.
struct Writer {
    number: usize,
    chance: Chance,
    /// How many tokens, names and tag values were used up.
    used: usize,
    /// By name; `None`: it was, and is no more.
    secrets: BTreeMap<String, Life>,
    done: Vec<Done>,
}

#[test]
fn what_was_answered_survives_sigkill() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let clock = AtomicU64::new(1);
    let mut chance = Chance(0x5eed);
    let mut writers: Vec<_> = (0..WRITERS).map(Writer::new).collect();
    let mut server = Server::dev(&data);
    let mut history = share(&server.keys(), &clock);

    for number in 0..ROUNDS {
        let keys = server.keys();
        let round = Round {
            number,
            keys: &keys,
            clock: &clock,
            answered: AtomicUsize::new(0),
            limit: 60 + chance.below(140),
            server: server.pid(),
        };
        thread::scope(|scope| {
            for writer in &mut writers {
                scope.spawn(|| writer.work(&round));
            }
        });
        server.kill();

        server = Server::dev(&data);
        let mut client = server.keys().connect().expect("connected");
        let seen = look_at_everything(&mut client, &writers);
        let unanswered = adopt(&mut writers, &seen, clock.fetch_add(1, SeqCst), &mut history);
        assert_in_order(&history, &seen);
        tell(&format!(
            "crash: round {number} killed after {} answers; of {} acts without an answer {} were done",
            round.answered.load(SeqCst),
            unanswered.len(),
            unanswered.iter().filter(|it| it.1).count(),
        ));
        assert_audited(&journal::records(&data), &history, &unanswered);
    }
    server.stop();
    journal::records(&data);
}

/// Makes the shared secrets.
fn share(keys: &Keys, clock: &AtomicU64) -> Vec<Done> {
    let mut client = keys.connect().expect("connected");
    let create = |(number, name): (usize, &&str)| {
        let (name, token) = ((*name).to_owned(), token(MAKER, number));
        let act = Act::Create { name, token };
        attempt(&mut client, act, clock)
    };
    SHARED.iter().enumerate().map(create).collect()
}

/// Tries `act`. What is answered must be a success.
fn attempt(client: &mut Client, act: Act, clock: &AtomicU64) -> Done {
    let begun = clock.fetch_add(1, SeqCst);
    let Ok(answer) = client.ask(act.operation(), &act.body()) else {
        return Done { act, begun, ended: None, request_id: None };
    };
    assert_eq!(answer.status, 200, "{act:?}: {}", answer.text());
    let (ended, request_id) = (Some(clock.fetch_add(1, SeqCst)), Some(answer.request_id()));
    Done { act, begun, ended, request_id }
}

impl Writer {
    fn new(number: usize) -> Self {
        let shared = SHARED.map(|it| (it.to_owned(), Some(State::default())));
        Self {
            number,
            chance: Chance(0x00c0_ffee + number as u64),
            used: 0,
            secrets: shared.into(),
            done: Vec::new(),
        }
    }

    /// Changes secrets until the server is gone.
    fn work(&mut self, round: &Round<'_>) {
        let Ok(mut client) = round.keys.connect() else { return };
        loop {
            let act = self.choose(round.number);
            let done = attempt(&mut client, act, round.clock);
            let answered = done.ended.is_some();
            if answered {
                let life = self.secrets.entry(done.act.name().to_owned()).or_default();
                *life = done.act.apply(life.take());
            }
            self.done.push(done);
            if !answered {
                return;
            }
            if round.answered.fetch_add(1, SeqCst) + 1 == round.limit {
                rustix::process::kill_process(round.server, Signal::KILL).expect("it is there");
            }
        }
    }

    fn choose(&mut self, round: u64) -> Act {
        self.used += 1;
        let token = token(self.number, self.used);
        let own: Vec<_> = self.own().cloned().collect();
        if own.is_empty() || self.chance.below(8) == 0 {
            let name = format!("writer-{}/{round}-{}", self.number, self.used);
            return Act::Create { name, token };
        }
        if self.chance.below(3) == 0 {
            return self.choose_shared(token);
        }
        let name = own[self.chance.below(own.len())].clone();
        let state = self.secrets[&name].clone().expect("it is there");
        if state.deleted {
            return Act::Restore { name };
        }
        let versions: Vec<_> = state.versions.iter().cloned().collect();
        let to = versions[self.chance.below(versions.len())].clone();
        let labels = ["mark", CURRENT];
        let label = labels[self.chance.below(2)].to_owned();
        match self.chance.below(12) {
            0..4 => Act::Put { name, token, label: None },
            4..6 => Act::Put { name, token, label: Some("mark".to_owned()) },
            6..8 => Act::Move { from: state.labels.get(&label).cloned(), name, label, to },
            8..10 => Act::Tag { name, key: "note".to_owned(), value: self.used.to_string() },
            10 => Act::Delete { name },
            _ if self.chance.below(3) == 0 => Act::Remove { name },
            _ => Act::Put { name, token, label: None },
        }
    }

    /// A change of a shared secret that no other writer undoes, or a new current version.
    fn choose_shared(&mut self, token: String) -> Act {
        let name = SHARED[self.chance.below(SHARED.len())].to_owned();
        let part = self.secrets[&name].clone().expect("it is there");
        let label = self.label();
        let own: Vec<_> = part.versions.iter().cloned().collect();
        match self.chance.below(8) {
            0..3 => Act::Put { name, token, label: None },
            3 => Act::Put { name, token, label: Some(label) },
            4..6 => Act::Tag { name, key: label, value: self.used.to_string() },
            _ if own.is_empty() => Act::Put { name, token, label: None },
            _ => {
                let to = own[self.chance.below(own.len())].clone();
                Act::Move { from: part.labels.get(&label).cloned(), name, label, to }
            }
        }
    }

    fn own(&self) -> impl Iterator<Item = &String> {
        let there = self.secrets.iter().filter(|it| it.1.is_some());
        there.map(|it| it.0).filter(|it| !is_shared(it))
    }

    /// The label, and the tag, of this writer on shared secrets.
    fn label(&self) -> String {
        format!("writer-{}", self.number)
    }

    /// What of `life` is this writer's.
    fn part(&self, name: &str, life: Life) -> Life {
        let (mark, label) = (mark(self.number), self.label());
        if is_shared(name) { life.map(|it| it.part_of(&mark, &label)) } else { life }
    }
}

fn is_shared(name: &str) -> bool {
    SHARED.contains(&name)
}

/// Every secret that there was or should have been, as it is now: what is listed in every order is the same as what
/// is described, and every value opens.
fn look_at_everything(client: &mut Client, writers: &[Writer]) -> BTreeMap<String, State> {
    let known = writers.iter().flat_map(|it| it.secrets.keys()).map(String::as_str);
    let tried = writers.iter().flat_map(|it| &it.done).map(|it| it.act.name());
    let tried: BTreeSet<_> = known.chain(tried).collect();
    let seen: BTreeMap<_, _> = tried
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), look_at(client, name)?)))
        .collect();

    for by in ["created-date", "last-accessed-date", "last-changed-date", "name"] {
        for order in ["asc", "desc"] {
            for with_deleted in [false, true] {
                let query = json!({
                    "SortBy": by, "SortOrder": order, "MaxResults": 9,
                    "IncludePlannedDeletion": with_deleted,
                });
                let listed = client.pages("ListSecrets", &query, "SecretList");
                let mut names: Vec<_> =
                    listed.iter().map(|it| it["Name"].as_str().expect("a name")).collect();
                if by == "name" {
                    let sorted = if order == "asc" {
                        names.is_sorted()
                    } else {
                        names.iter().rev().is_sorted()
                    };
                    assert!(sorted, "{order}: {names:?}");
                }
                names.sort_unstable();
                let expected = seen.iter().filter(|it| with_deleted || !it.1.deleted);
                let expected: Vec<_> = expected.map(|it| it.0.as_str()).collect();
                assert_eq!(names, expected, "by {by} {order}, deleted ones too: {with_deleted}");
            }
        }
    }
    for (name, state) in &seen {
        if state.deleted {
            client.must("RestoreSecret", &json!({ "SecretId": name }));
        }
        open_all(client, name, state);
    }
    seen
}

/// Compares what each writer expects with what is there, and goes on with that. Moves what was done
/// to `history`; gives the acts without an answer, and whether they were done.
fn adopt(
    writers: &mut [Writer],
    seen: &BTreeMap<String, State>,
    now: u64,
    history: &mut Vec<Done>,
) -> Vec<(Act, bool)> {
    let mut unanswered = Vec::new();
    for writer in writers {
        let last = writer.done.pop_if(|it| it.ended.is_none());
        for (name, life) in std::mem::take(&mut writer.secrets) {
            let there = writer.part(&name, seen.get(&name).cloned());
            let tried = last.as_ref().filter(|it| it.act.name() == name);
            let other = tried.map(|it| writer.part(&name, it.act.apply(life.clone())));
            let expected = writer.part(&name, life);
            assert!(
                there == expected || Some(&there) == other.as_ref(),
                "{name} of writer {}\nis        {there:?}\ninstead of {expected:?}\nor         {other:?}",
                writer.number
            );
            // The look at everything has brought it back.
            let kept = there.map(|it| State { deleted: false, ..it });
            writer.secrets.insert(name, kept);
        }
        if let Some(last) = last {
            let name = last.act.name();
            let life = seen.get(name).cloned();
            // A creation that had no answer is in no model yet.
            if matches!(last.act, Act::Create { .. }) {
                let made = life.is_none() || life == last.act.apply(None);
                assert!(made, "{name} was made by halves: {life:?}");
                writer.secrets.insert(name.to_owned(), life.clone());
            }
            let was_done = match &last.act {
                Act::Create { token, .. } | Act::Put { token, .. } => {
                    life.is_some_and(|it| it.versions.contains(token))
                }
                // Done or not looks the same where it changed nothing; it doesn't matter then.
                _ => false,
            };
            unanswered.push((last.act.clone(), was_done));
            if was_done {
                // It can't have happened after the kill.
                history.push(Done { ended: Some(now), ..last });
            }
        }
        history.append(&mut writer.done);
    }
    unanswered
}

/// Current and previous versions of shared secrets fit the order in which they were made: none was
/// followed by another before that other one was asked for.
fn assert_in_order(history: &[Done], seen: &BTreeMap<String, State>) {
    for name in SHARED {
        let promotions: BTreeMap<_, _> = history
            .iter()
            .filter(|it| it.act.name() == name)
            .filter(|it| matches!(it.act, Act::Create { .. } | Act::Put { label: None, .. }))
            .filter_map(|it| Some((it.act.token()?, (it.begun, it.ended?))))
            .collect();
        let state = &seen[name];
        let moments = |label| state.holder(label).map(|it| promotions[it]);
        let current = moments(CURRENT).expect("there is one");
        let later = promotions.values().find(|it| current.1 < it.0);
        assert_eq!(later, None, "{name}: a later version was made than the current one");
        let previous = moments(PREVIOUS);
        assert_eq!(previous.is_some(), promotions.len() > 1, "{name}");
        if let Some(previous) = previous {
            let between = |it: &&(u64, u64)| previous.1 < it.0 && it.1 < current.0;
            let between = promotions.values().find(between);
            assert_eq!(between, None, "{name}: a version came between previous and current");
        }
    }
}

/// Each answered change has its record once, as has each unanswered one that was done; and no record
/// tells of a version that isn't there.
fn assert_audited(records: &[Value], history: &[Done], unanswered: &[(Act, bool)]) {
    let counted = journal::count(records);
    for done in history {
        let Some(id) = &done.request_id else { continue };
        let found = counted.get(&(id.as_str(), done.act.operation()));
        assert_eq!(found, Some(&1), "{:?}", done.act);
    }
    let mut told = BTreeMap::<_, usize>::new();
    for record in records.iter().filter(|it| it["errorCode"].is_null()) {
        if let Some(token) = record["requestParameters"]["clientRequestToken"].as_str() {
            *told.entry((record["eventName"].as_str().unwrap_or_default(), token)).or_default() +=
                1;
        }
    }
    for (act, was_done) in unanswered {
        let Some(token) = act.token() else { continue };
        let found = told.get(&(act.operation(), token)).copied().unwrap_or_default();
        assert_eq!(found, usize::from(*was_done), "{act:?}");
    }
    let made = history.iter().filter(|it| it.act.token().is_some()).count();
    assert_eq!(told.values().sum::<usize>(), made, "records of versions");
}
