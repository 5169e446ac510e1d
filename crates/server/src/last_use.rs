//! Which access keys and roles were used: remembered with a request, written down after it.
//!
//! A request costs one look at the key that it was signed with; of each key or role at most one use in a quarter
//! of an hour goes on to the worker that writes. What can't be written is missed: no request knows of it.

use crate::signing_keys::ScopedKey;
use base::Timestamp;
use identity::{LastUse, USE_PERIOD, used_by};
use service::Caller;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// A use that is to be written down.
pub(crate) struct Mark {
    pub(crate) caller: Arc<Caller>,
    pub(crate) last: LastUse,
}

/// Uses since somebody last asked for them.
#[derive(Default)]
pub(crate) struct Uses {
    state: Mutex<State>,
    /// Held by whoever writes: who comes second knows that all is written.
    pub(crate) writing: tokio::sync::Mutex<()>,
    /// Woken when there is something to write.
    pub(crate) fresh: Notify,
}

#[derive(Default)]
struct State {
    /// The period in which a key or role was last noted, by its id.
    noted: BTreeMap<Box<str>, i64>,
    marks: Vec<Mark>,
}

/// More keys and roles than this are forgotten, and noted again.
const REMEMBERED: usize = 10_000;

impl Uses {
    /// Notes that `key` has signed a request that arrived at `now`.
    pub(crate) fn note(&self, key: &ScopedKey, now: Timestamp) {
        let period = now.secs().div_euclid(USE_PERIOD.as_secs().cast_signed());
        if !key.is_first_in(period) {
            return;
        }
        let Some(id) = used_by(&key.caller) else { return };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { noted, marks } = &mut *state;
        if noted.get(id).is_some_and(|it| period <= *it) || REMEMBERED <= marks.len() {
            return;
        }
        if REMEMBERED <= noted.len() {
            noted.clear();
        }
        noted.insert(id.into(), period);
        let (service, region) = (key.service().to_owned(), key.region.to_string());
        let last = LastUse { at: now, service, region };
        marks.push(Mark { caller: Arc::clone(&key.caller), last });
        self.fresh.notify_one();
    }

    /// What is to be written, once.
    pub(crate) fn take(&self) -> Vec<Mark> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.marks)
    }
}
