//! One process's side of the Runtime API: what it was given, what it answered, what it may do next.

use base::Timestamp;
use bytes::Bytes;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, oneshot};

/// An invocation, as a process is given it.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Unguessable: who answers must have been asked.
    pub(crate) id: String,
    pub(crate) payload: Bytes,
    pub(crate) deadline: Timestamp,
    pub(crate) trace: String,
}

/// What a process said of an invocation, or of its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Answer(Bytes),
    Failure(Bytes),
    /// The answer was larger than [`LARGEST`].
    TooLarge,
}

/// Why a request of the process is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It answers what it wasn't asked.
    Id,
    /// It asks or answers out of turn.
    Turn,
}

/// Where a process is in its life.
#[derive(Debug, Default)]
enum Phase {
    /// It hasn't asked for work yet.
    #[default]
    Starting,
    /// It waits for work.
    Waiting,
    /// It works.
    Busy { id: String, answer: oneshot::Sender<Said> },
    /// It has answered, and may ask again.
    Answered { id: String },
}

/// Shared between a process's owner and its door.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    state: Mutex<State>,
    work: Notify,
    started: Notify,
}

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    given: Option<(Event, oneshot::Sender<Said>)>,
    failed: Option<Said>,
}

impl Desk {
    /// Waits until the process asks for work; what it said if it failed to start.
    pub(crate) async fn started(&self) -> Result<(), Said> {
        loop {
            let told = self.started.notified();
            {
                let mut state = self.state();
                if let Some(said) = state.failed.take() {
                    return Err(said);
                }
                if !matches!(state.phase, Phase::Starting) {
                    return Ok(());
                }
            }
            told.await;
        }
    }

    /// Gives the process work. What it says comes through what is returned.
    pub(crate) fn give(&self, event: Event) -> oneshot::Receiver<Said> {
        let (answer, said) = oneshot::channel();
        self.state().given = Some((event, answer));
        self.work.notify_one();
        said
    }

    /// The process asks for work, and waits for it.
    pub(crate) async fn next(&self) -> Result<Event, Wrong> {
        self.ask()?;
        loop {
            let given = self.work.notified();
            if let Some(event) = self.take() {
                return Ok(event);
            }
            given.await;
        }
    }

    /// Whether the process may answer the invocation `id` now.
    pub(crate) fn may_answer(&self, id: &str) -> Result<(), Wrong> {
        match &self.state().phase {
            Phase::Busy { id: asked, .. } if asked == id => Ok(()),
            Phase::Answered { id: answered } if answered == id => Err(Wrong::Turn),
            _ => Err(Wrong::Id),
        }
    }

    /// The process answers the invocation `id`.
    pub(crate) fn answer(&self, id: &str, said: Said) -> Result<(), Wrong> {
        self.may_answer(id)?;
        let answered = Phase::Answered { id: id.to_owned() };
        let before = std::mem::replace(&mut self.state().phase, answered);
        if let Phase::Busy { answer, .. } = before {
            // Who asked may have given up.
            let _ = answer.send(said);
        }
        Ok(())
    }

    /// The process says that it can't start.
    pub(crate) fn fail(&self, said: Said) -> Result<(), Wrong> {
        {
            let mut state = self.state();
            if !matches!(state.phase, Phase::Starting) {
                return Err(Wrong::Turn);
            }
            state.failed = Some(said);
        }
        self.started.notify_one();
        Ok(())
    }

    fn ask(&self) -> Result<(), Wrong> {
        {
            let mut state = self.state();
            match state.phase {
                Phase::Busy { .. } => return Err(Wrong::Turn),
                Phase::Starting | Phase::Waiting | Phase::Answered { .. } => {
                    state.phase = Phase::Waiting;
                }
            }
        }
        self.started.notify_one();
        Ok(())
    }

    fn take(&self) -> Option<Event> {
        let mut state = self.state();
        let (event, answer) = state.given.take()?;
        state.phase = Phase::Busy { id: event.id.clone(), answer };
        Some(event)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes of the largest answer. Source: Lambda quotas, "6 MB"; the runtime interface emulator adds
/// 100 for what it wraps it in.
pub(crate) const LARGEST: usize = 6 * 1024 * 1024 + 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str) -> Event {
        let deadline = Timestamp::from_millis(0);
        Event { id: id.to_owned(), payload: Bytes::new(), deadline, trace: String::new() }
    }

    #[tokio::test]
    async fn a_process_asks_works_and_answers_in_turn() {
        let desk = Desk::default();
        assert_eq!(desk.may_answer("one"), Err(Wrong::Id));
        let said = desk.give(event("one"));
        assert_eq!(desk.next().await.unwrap().id, "one");
        assert_eq!(desk.next().await.err(), Some(Wrong::Turn));
        assert_eq!(desk.fail(Said::TooLarge), Err(Wrong::Turn));
        assert_eq!(desk.answer("two", Said::TooLarge), Err(Wrong::Id));
        let answer = Said::Answer(Bytes::from_static(b"1"));
        assert_eq!(desk.answer("one", answer.clone()), Ok(()));
        assert_eq!(desk.answer("one", Said::TooLarge), Err(Wrong::Turn));
        assert_eq!(said.await.unwrap(), answer);
        let _said = desk.give(event("two"));
        assert_eq!(desk.next().await.unwrap().id, "two");
    }

    #[tokio::test]
    async fn a_start_ends_with_the_first_question_or_a_failure() {
        let desk = Desk::default();
        desk.fail(Said::Failure(Bytes::new())).unwrap();
        assert_eq!(desk.started().await, Err(Said::Failure(Bytes::new())));

        let desk = Desk::default();
        let _said = desk.give(event("one"));
        desk.next().await.unwrap();
        assert_eq!(desk.started().await, Ok(()));
    }
}
