//! Which access keys and roles were used: remembered with a request, written down after it.
//!
//! A request costs one look at the key that it was signed with; of each key or role at most one use in a quarter
//! of an hour goes on to the worker that writes. What can't be written is missed: no request knows of it.

use crate::signing_keys::ScopedKey;
use base::Timestamp;
use identity::{LastUse, USE_PERIOD, principal_of, used_by};
use service::Caller;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// A use that is to be written down.
pub(crate) struct Mark {
    pub(crate) caller: Arc<Caller>,
    pub(crate) last: LastUse,
    /// Whether it is the first use of the key or role in its period, of whatever service.
    pub(crate) of_key: bool,
    /// Whether it is the user's or role's first use of the service in its period.
    pub(crate) of_service: bool,
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
    /// The period in which a key or role was last noted, by its id; and users and roles with services, by both.
    noted: BTreeMap<Box<str>, i64>,
    marks: Vec<Mark>,
}

impl State {
    /// Whether `what` is used in `period` for the first time; it is noted.
    fn is_first(&mut self, what: &str, period: i64) -> bool {
        if self.noted.get(what).is_some_and(|it| period <= *it) {
            return false;
        }
        if REMEMBERED <= self.noted.len() {
            self.noted.clear();
        }
        self.noted.insert(what.into(), period);
        true
    }
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
        let (caller, service) = (&key.caller, key.service());
        let with_service = principal_of(caller).map(|it| format!("{it} {service}"));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if REMEMBERED <= state.marks.len() {
            return;
        }
        let of_key = used_by(caller).is_some_and(|it| state.is_first(it, period));
        let of_service = with_service.is_some_and(|it| state.is_first(&it, period));
        if !of_key && !of_service {
            return;
        }
        let (service, region) = (service.to_owned(), key.region.to_string());
        let last = LastUse { at: now, service, region };
        state.marks.push(Mark { caller: Arc::clone(caller), last, of_key, of_service });
        self.fresh.notify_one();
    }

    /// What is to be written, once.
    pub(crate) fn take(&self) -> Vec<Mark> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.marks)
    }
}
