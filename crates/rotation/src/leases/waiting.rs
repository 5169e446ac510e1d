//! Requests wait for the users that they have asked for.

use async_trait::async_trait;
use service::Expected;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

/// How long a request waits at most: a server that is asleep, or has a queue of logins, takes some seconds.
pub(crate) const LONGEST: Duration = Duration::from_secs(10);

/// Who waits for which lease.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<BTreeMap<String, watch::Sender<()>>>,
    wanted: Notify,
}

struct Ticket {
    shared: Arc<Shared>,
    lease: String,
    end: watch::Receiver<()>,
}

impl Waiting {
    /// Listens from now on for the end of what is done for `lease`.
    pub(crate) fn listen(&self, lease: &str) -> Box<dyn Expected> {
        let shared = Arc::clone(&self.0);
        let end = {
            let mut waiting = shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.entry(lease.to_owned()).or_default().subscribe()
        };
        Box::new(Ticket { shared, lease: lease.to_owned(), end })
    }

    /// Tells those who wait for `lease` that something was done, well or badly.
    pub(crate) fn done(&self, lease: &str) {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(lease);
    }

    /// Ends when somebody begins to wait, or [`Waiting::wake`] was called.
    pub(crate) async fn wanted(&self) {
        self.0.wanted.notified().await;
    }

    /// Ends [`Waiting::wanted`].
    pub(crate) fn wake(&self) {
        self.0.wanted.notify_one();
    }
}

#[async_trait]
impl Expected for Ticket {
    async fn done(mut self: Box<Self>) -> bool {
        self.shared.wanted.notify_one();
        // It never says anything: it ends with the one who holds the other side.
        timeout(LONGEST, self.end.changed()).await.is_ok()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut waiting = self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // The other side is dropped when it leaves the table: another may stand there by now.
        let stands = self.end.has_changed().is_ok();
        // The last one, whose own receiver still counts.
        if stands && waiting.get(&self.lease).is_some_and(|it| it.receiver_count() <= 1) {
            waiting.remove(&self.lease);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_done_before_the_wait_is_heard() {
        let waiting = Waiting::default();
        let (one, other) = (waiting.listen("a"), waiting.listen("a"));
        waiting.done("a");
        assert!(one.done().await && other.done().await);
        assert!(!waiting.listen("a").done().await, "nobody has done anything since");
        waiting.wanted().await;
        drop(waiting.listen("b"));
        assert!(waiting.0.waiting.lock().expect("sound").is_empty(), "nothing is left behind");
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_waited_takes_no_place_of_others() {
        let waiting = Waiting::default();
        let old = waiting.listen("a");
        waiting.done("a");
        let new = waiting.listen("a");
        drop(old);
        assert!(!new.done().await, "nobody has done anything since");
    }
}
