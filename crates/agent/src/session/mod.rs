//! Sessions in memory: one task for each, which alone fetches it.
//!
//! Requests ask and, if nothing is held, wait for the outcome of the fetch. A request that goes away
//! stops nothing: the fetch is the task's.

use crate::keys::{IssueError, Issuer, Keys, Wanted};
use crate::refresh::{Refresh, Step};
use base::{Clock, Entropy, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};

/// What sessions are fetched with.
#[derive(Clone)]
pub(crate) struct Means {
    pub(crate) issuer: Arc<dyn Issuer>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

/// One session, held or not.
#[derive(Debug)]
pub(crate) struct Session {
    wanted: Wanted,
    state: Mutex<State>,
    /// Somebody has asked.
    asked: Notify,
    /// Counts the outcomes of fetches.
    outcomes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    refresh: Refresh,
    keys: Option<Arc<Keys>>,
    failure: Option<IssueError>,
    /// Its task has ended.
    ended: bool,
}

/// Why a request gets no session.
#[derive(Debug)]
pub(crate) enum Unavailable {
    /// Its task has ended: make another.
    Ended,
    /// The last fetch has failed.
    Failed(IssueError),
}

impl Session {
    pub(crate) fn new(wanted: Wanted) -> Arc<Self> {
        let (asked, outcomes) = (Notify::new(), watch::Sender::new(0));
        Arc::new(Self { wanted, state: Mutex::default(), asked, outcomes })
    }

    pub(crate) fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// The keys of a session that has not ended; fetched if none is held.
    pub(crate) async fn keys(&self, clock: &dyn Clock) -> Result<Arc<Keys>, Unavailable> {
        let mut outcomes = self.outcomes.subscribe();
        {
            let now = clock.now();
            let mut state = self.state();
            if state.ended {
                return Err(Unavailable::Ended);
            }
            state.refresh.ask(now);
            if let Some(outcome) = state.outcome(now) {
                self.asked.notify_one();
                return outcome;
            }
        }
        self.asked.notify_one();
        let known = outcomes.changed().await;
        let state = self.state();
        match state.outcome(clock.now()) {
            Some(outcome) if known.is_ok() => outcome,
            // The clock was moved on meanwhile, further than a session or a pause lasts.
            _ => Err(Unavailable::Failed(IssueError::Unusable("it has ended already"))),
        }
    }

    /// Somebody will ask at once: its task must not end before.
    pub(crate) fn ask(&self, now: Timestamp) {
        self.state().refresh.ask(now);
    }

    /// Whether its task has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.state().ended
    }

    /// Fetches the session whenever it should be. With `is_passing`, ends when nobody asks any more;
    /// otherwise never.
    pub(crate) async fn tend(self: Arc<Self>, means: Means, is_passing: bool) {
        loop {
            let now = means.clock.now();
            match self.step(now, is_passing) {
                Step::Fetch => {
                    let issued = means.issuer.issue(&self.wanted, now).await;
                    self.note(now, issued, &means);
                }
                Step::Forget => (),
                Step::Wait(until) => {
                    let wait = tokio::time::sleep(until.since(now));
                    tokio::select! {
                        () = wait => (),
                        () = self.asked.notified() => (),
                    }
                }
                Step::Rest if is_passing => return,
                Step::Rest => self.asked.notified().await,
            }
        }
    }

    fn step(&self, now: Timestamp, is_passing: bool) -> Step {
        let mut state = self.state();
        let step = state.refresh.step(now);
        match step {
            Step::Forget => state.keys = None,
            Step::Rest => state.ended = is_passing,
            Step::Fetch | Step::Wait(_) => (),
        }
        step
    }

    fn note(&self, begun: Timestamp, issued: Result<Keys, IssueError>, means: &Means) {
        let role = self.wanted.role_arn.as_str();
        let name = self.wanted.session_name.as_str();
        let mut state = self.state();
        match issued {
            Ok(keys) => {
                let (key, expires) = (&keys.access_key_id, keys.expires);
                tracing::info!(role, name, key, %expires, "session fetched");
                state.refresh.fetched(begun, expires, &*means.entropy);
                state.keys = Some(Arc::new(keys));
                state.failure = None;
            }
            Err(error) => {
                let pause = state.refresh.failed(means.clock.now(), &*means.entropy);
                let serves_until = state.keys.as_ref().map(|it| it.expires.to_string());
                tracing::warn!(role, name, %error, ?pause, serves_until, "no session fetched");
                state.failure = Some(error);
            }
        }
        drop(state);
        self.outcomes.send_modify(|it| *it += 1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What a request gets without waiting.
    fn outcome(&self, now: Timestamp) -> Option<Result<Arc<Keys>, Unavailable>> {
        if let Some(keys) = self.keys.as_ref().filter(|it| now < it.expires) {
            return Some(Ok(Arc::clone(keys)));
        }
        let failure = self.failure.as_ref().filter(|_| self.refresh.is_pausing(now))?;
        Some(Err(Unavailable::Failed(failure.clone())))
    }
}

#[cfg(test)]
mod tests;
