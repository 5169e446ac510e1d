//! Readers wait while a password changes. Source: rotation.md §5.4.

use async_trait::async_trait;
use service::Gate;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How long a reader waits at most.
pub(crate) const LONGEST: Duration = Duration::from_millis(250);

/// The secrets whose passwords are just changing.
///
/// An application that the database has refused, and that asks again, gets a value that works: the answer
/// waits until it is known which one that is.
#[derive(Debug, Default)]
pub struct Barrier {
    shut: Mutex<BTreeMap<String, watch::Receiver<()>>>,
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
}

impl Drop for Shut {
    fn drop(&mut self) {
        let mut shut = self.barrier.shut.lock().unwrap_or_else(PoisonError::into_inner);
        shut.remove(&self.arn);
    }
}

#[async_trait]
impl Gate for Barrier {
    async fn pass(&self, arn: &str) -> bool {
        let waiting = {
            let shut = self.shut.lock().unwrap_or_else(PoisonError::into_inner);
            shut.get(arn).cloned()
        };
        let Some(mut waiting) = waiting else { return false };
        // It never says anything: it ends with the one who holds the other side.
        let _ = tokio::time::timeout(LONGEST, waiting.changed()).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn readers_wait_for_the_end_but_not_for_ever() {
        let barrier = Arc::new(Barrier::default());
        assert!(!barrier.pass("a").await, "nothing to wait for");
        let shut = barrier.shut("a");
        let begun = tokio::time::Instant::now();
        assert!(!barrier.pass("b").await, "another secret");
        assert!(barrier.pass("a").await);
        assert_eq!(begun.elapsed(), LONGEST);

        let waiting = tokio::spawn({
            let barrier = Arc::clone(&barrier);
            async move { barrier.pass("a").await }
        });
        tokio::task::yield_now().await;
        let begun = tokio::time::Instant::now();
        drop(shut);
        assert!(waiting.await.expect("no panic"));
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert!(!barrier.pass("a").await);
    }
}
