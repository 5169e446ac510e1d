//! Readers wait while a password changes. Source: rotation.md §5.4.

use crate::leases::Waiting;
use async_trait::async_trait;
use service::{Expected, Gate};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// How long a reader waits at most. On an idle machine a password changes within a tenth of this; on one that does
/// nothing but logins the proof of the new one queues behind them, and a reader that is let go before it gets a
/// value that doesn't log in.
pub(crate) const LONGEST: Duration = Duration::from_secs(2);

/// The secrets whose passwords are just changing.
///
/// An application that the database has refused, and that asks again, gets a value that works: the answer
/// waits until it is known which one that is.
#[derive(Debug, Default)]
pub struct Barrier {
    shut: Mutex<BTreeMap<String, watch::Receiver<()>>>,
    /// Those who wait for a user of their own.
    pub(crate) leases: Waiting,
}

/// Holds readers up until it is dropped.
#[derive(Debug)]
pub(crate) struct Shut {
    barrier: Arc<Barrier>,
    arn: String,
    _until: watch::Sender<()>,
}

impl Barrier {
    /// Holds up the readers of `arn`.
    pub(crate) fn shut(self: &Arc<Self>, arn: &str) -> Shut {
        let (until, receiver) = watch::channel(());
        self.shut.lock().unwrap_or_else(PoisonError::into_inner).insert(arn.to_owned(), receiver);
        Shut { barrier: Arc::clone(self), arn: arn.to_owned(), _until: until }
    }

    /// Ends when somebody waits for a user, or [`Barrier::wake`] was called.
    pub async fn wanted(&self) {
        self.leases.wanted().await;
    }

    /// Has the worker of leases look at what is due.
    pub fn wake(&self) {
        self.leases.wake();
    }
}

impl Drop for Shut {
    fn drop(&mut self) {
        let mut shut = self.barrier.shut.lock().unwrap_or_else(PoisonError::into_inner);
        shut.remove(&self.arn);
    }
}

#[async_trait]
impl Gate for Barrier {
    async fn pass(&self, arn: &str, before: Duration) -> Option<Duration> {
        let left = LONGEST.checked_sub(before).filter(|it| !it.is_zero())?;
        let waiting = {
            let shut = self.shut.lock().unwrap_or_else(PoisonError::into_inner);
            shut.get(arn).cloned()
        };
        let (mut waiting, begun) = (waiting?, Instant::now());
        // It never says anything: it ends with the one who holds the other side.
        let _ = timeout(left, waiting.changed()).await;
        Some(begun.elapsed())
    }

    fn expect(&self, what: &str) -> Option<Box<dyn Expected>> {
        Some(self.leases.listen(what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Duration = Duration::ZERO;

    #[tokio::test(start_paused = true)]
    async fn readers_wait_for_the_end_but_not_for_ever() {
        let barrier = Arc::new(Barrier::default());
        assert_eq!(barrier.pass("a", NOTHING).await, None, "nothing to wait for");
        let shut = barrier.shut("a");
        assert_eq!(barrier.pass("b", NOTHING).await, None, "another secret");
        assert_eq!(barrier.pass("a", NOTHING).await, Some(LONGEST));
        assert_eq!(barrier.pass("a", LONGEST).await, None, "has waited long enough");

        let waiting = tokio::spawn({
            let barrier = Arc::clone(&barrier);
            async move { barrier.pass("a", NOTHING).await }
        });
        // A server that has many logins takes so long to prove one.
        let slow = Duration::from_millis(1900);
        tokio::task::yield_now().await;
        tokio::time::advance(slow).await;
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "let go before it was known");
        drop(shut);
        assert_eq!(waiting.await.expect("no panic"), Some(slow));
        assert_eq!(barrier.pass("a", slow).await, None);
    }

    /// A read that has lost to others begins again, and may meet the next rotation.
    #[tokio::test(start_paused = true)]
    async fn readers_wait_again_for_what_is_left() {
        let barrier = Arc::new(Barrier::default());
        let _shut = barrier.shut("a");
        let before = LONGEST * 3 / 4;
        assert_eq!(barrier.pass("a", before).await, Some(LONGEST / 4));
    }
}
