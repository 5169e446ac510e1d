//! Rows in memory, with faults on demand: what tests run on.

mod faults;

use crate::conflicts::Recent;
use crate::{Backend, Commit, Error, KeyRange, Memo, Revision, Rows, Snapshot, table};
use async_trait::async_trait;
pub use faults::Fault;
use faults::Plan;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keeps everything in memory, and fails when it is told to.
///
/// A commit while snapshots are held copies the map (not the values): fine for tests, not meant for
/// a million rows.
pub struct Memory {
    state: Mutex<State>,
    memo: Memo,
    dead: Arc<AtomicBool>,
}

struct State {
    rows: Arc<Map>,
    revision: Revision,
    recent: Recent,
    plan: Plan,
}

type Map = BTreeMap<Arc<str>, Arc<[u8]>>;

/// Small, so that tests see rows come and go.
const MEMO_BYTES: u64 = 256 << 10;

/// Enough for any test; small enough that a test can outrun it.
const REMEMBERED_KEYS: usize = 10_000;

impl Memory {
    /// An empty store without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the `nth` commit from now on (1 is the next one) end in `fault`.
    ///
    /// Several faults may wait; each strikes once.
    pub fn fault(&self, fault: Fault, nth: u64) {
        self.state().plan.add(fault, nth);
    }

    /// How many commits have been asked for, including those that failed.
    pub fn commits(&self) -> u64 {
        self.state().plan.commits()
    }

    /// The revision of the last commit that was applied.
    pub fn revision(&self) -> Revision {
        self.state().revision
    }

    /// Whether a fault has killed the store: all calls fail until [`Memory::revive`].
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// What a new start after a death finds: everything applied, no faults waiting.
    pub fn revive(&self) {
        self.state().plan.clear();
        self.dead.store(false, Ordering::SeqCst);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing below leaves the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(&self, commit: Commit) -> Result<Revision, Error> {
        let mut state = self.state();
        let fault = state.plan.next();
        match fault {
            Some(Fault::Conflict) => {
                let key = commit.reads.into_iter().next().unwrap_or_default();
                return Err(Error::Conflict { key });
            }
            Some(Fault::Fail) => return Err(unavailable("told to fail")),
            Some(Fault::Full) => return Err(Error::Full),
            Some(Fault::DieBefore) => return Err(self.die()),
            Some(Fault::DieAfter) | None => (),
        }
        state.recent.check(&commit)?;
        let revision = state.apply(commit.writes, &self.memo);
        match fault {
            Some(_) => Err(self.die()),
            None => Ok(revision),
        }
    }

    fn die(&self) -> Error {
        self.dead.store(true, Ordering::SeqCst);
        unavailable("told to die")
    }
}

impl State {
    fn apply(&mut self, writes: Vec<(String, Option<Vec<u8>>)>, memo: &Memo) -> Revision {
        if writes.is_empty() {
            return self.revision;
        }
        self.revision = Revision(self.revision.0.saturating_add(1));
        self.recent.record(self.revision, writes.iter().map(|(key, _)| key.as_str()));
        memo.forget(writes.iter().map(|(key, _)| key.as_str()), self.revision);
        let rows = Arc::make_mut(&mut self.rows);
        for (key, row) in writes {
            match row {
                Some(row) => drop(rows.insert(key.into(), row.into())),
                None => drop(rows.remove(key.as_str())),
            }
        }
        self.revision
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            rows: Arc::default(),
            revision: Revision(0),
            recent: Recent::new(REMEMBERED_KEYS, Revision(0)),
            plan: Plan::default(),
        }
    }
}

#[async_trait]
impl Backend for Memory {
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error> {
        alive(&self.dead)?;
        let state = self.state();
        let (rows, dead) = (Arc::clone(&state.rows), Arc::clone(&self.dead));
        Ok(Box::new(View { rows, revision: state.revision, dead }))
    }

    async fn commit(&self, commit: Commit) -> Result<Revision, Error> {
        alive(&self.dead)?;
        self.apply(commit)
    }

    fn memo(&self) -> Option<&Memo> {
        Some(&self.memo)
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self { state: Mutex::default(), memo: Memo::new(MEMO_BYTES), dead: Arc::default() }
    }
}

struct View {
    rows: Arc<Map>,
    revision: Revision,
    dead: Arc<AtomicBool>,
}

#[async_trait]
impl Snapshot for View {
    fn revision(&self) -> Revision {
        self.revision
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        alive(&self.dead)?;
        Ok(self.rows.get(key).map(|row| row.to_vec()))
    }

    async fn scan_heads(
        &self,
        range: &KeyRange,
        limit: usize,
        reverse: bool,
        head: usize,
    ) -> Result<Rows, Error> {
        alive(&self.dead)?;
        if range.is_empty() {
            return Ok(Rows::new());
        }
        let rows = self.rows.range::<str, _>(range.bounds());
        let owned = |(key, row): (&Arc<str>, &Arc<[u8]>)| {
            (key.to_string(), table::head(row, head).to_vec())
        };
        Ok(if reverse {
            rows.rev().take(limit).map(owned).collect()
        } else {
            rows.take(limit).map(owned).collect()
        })
    }
}

fn alive(dead: &AtomicBool) -> Result<(), Error> {
    if dead.load(Ordering::SeqCst) { Err(unavailable("dead")) } else { Ok(()) }
}

fn unavailable(why: &str) -> Error {
    Error::Unavailable(why.into())
}

impl fmt::Debug for Memory {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        out.debug_struct("Memory")
            .field("rows", &state.rows.len())
            .field("revision", &state.revision)
            .field("dead", &self.is_dead())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: &str) -> Commit {
        Commit { writes: vec![(key.to_owned(), Some(vec![1]))], ..Commit::default() }
    }

    async fn holds(memory: &Memory, key: &str) -> bool {
        let snapshot = memory.snapshot().await.expect("alive");
        snapshot.get(key).await.expect("alive").is_some()
    }

    #[tokio::test]
    async fn passes_the_suite() {
        crate::suite::run(async || Arc::new(Memory::new()) as Arc<dyn Backend>).await;
    }

    #[tokio::test]
    async fn faults_strike_once_at_the_commit_they_are_for() {
        #[rustfmt::skip]
        let cases = [
            // fault           applied  dead
            (Fault::Conflict,  false,   false),
            (Fault::DieAfter,  true,    true),
            (Fault::DieBefore, false,   true),
            (Fault::Fail,      false,   false),
            (Fault::Full,      false,   false),
        ];
        for (fault, applied, dead) in cases {
            let memory = Memory::new();
            memory.commit(put("0")).await.expect("no fault yet");
            memory.fault(fault, 2);
            memory.commit(put("1")).await.expect("the fault is for the next one");
            let before = memory.snapshot().await.expect("alive");

            let error = memory.commit(put("2")).await.expect_err("the fault");
            let as_told = match fault {
                Fault::Conflict => matches!(error, Error::Conflict { .. }),
                Fault::Full => matches!(error, Error::Full),
                _ => matches!(error, Error::Unavailable(_)),
            };
            assert!(as_told, "{fault:?}: {error:?}");
            assert_eq!(memory.commits(), 3);

            assert_eq!(memory.is_dead(), dead, "{fault:?}");
            assert_eq!(memory.snapshot().await.is_err(), dead, "{fault:?}");
            assert_eq!(memory.commit(put("3")).await.is_err(), dead, "{fault:?}");
            assert_eq!(before.get("0").await.is_err(), dead, "{fault:?}");

            memory.revive();
            assert_eq!(holds(&memory, "2").await, applied, "{fault:?}");
            memory.commit(put("4")).await.expect("alive again");
            assert!(holds(&memory, "0").await && holds(&memory, "4").await);
        }
    }
}
