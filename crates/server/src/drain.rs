//! The stop: once asked for, everybody hears of it.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// Says whether the server is stopping. Clones say the same.
///
/// Asking costs one load, so that a connection can ask whenever it is woken.
#[derive(Clone, Default)]
pub(crate) struct Drain(Arc<State>);

#[derive(Default)]
struct State {
    begun: AtomicBool,
    next: AtomicU64,
    waiting: Mutex<BTreeMap<u64, Waker>>,
}

/// Resolves when the server is stopping.
pub(crate) struct Begun {
    state: Arc<State>,
    place: u64,
    known: Option<Waker>,
}

impl Drain {
    /// Tells everybody to finish.
    pub(crate) fn begin(&self) {
        self.0.begun.store(true, Ordering::SeqCst);
        let waiting = std::mem::take(&mut *self.0.waiting());
        waiting.into_values().for_each(Waker::wake);
    }

    /// Whether the server is stopping.
    pub(crate) fn has_begun(&self) -> bool {
        self.0.begun.load(Ordering::Relaxed)
    }

    /// Resolves when the server is stopping.
    pub(crate) fn begun(&self) -> Begun {
        let place = self.0.next.fetch_add(1, Ordering::Relaxed);
        Begun { state: Arc::clone(&self.0), place, known: None }
    }
}

impl State {
    fn waiting(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Future for Begun {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.state.begun.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        if !self.known.as_ref().is_some_and(|it| it.will_wake(context.waker())) {
            let waker = context.waker().clone();
            self.state.waiting().insert(self.place, waker.clone());
            self.known = Some(waker);
            // Begun in between: `begin` may have missed the entry.
            if self.state.begun.load(Ordering::SeqCst) {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if self.known.is_some() {
            self.state.waiting().remove(&self.place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_hear_of_it_and_leave_nothing() {
        let drain = Drain::default();
        let waiting = [drain.begun(), drain.begun()].map(tokio::spawn);
        drop(tokio::spawn(drain.begun()));
        tokio::task::yield_now().await;
        assert!(!drain.has_begun());
        drain.begin();
        for task in waiting {
            task.await.expect("ended");
        }
        drain.begun().await;
        assert!(drain.0.waiting().is_empty());
    }
}
