//! The one place where slow arithmetic leaves the threads that serve requests.
//!
//! Accounts take turns, and none has both places: who makes many hashes keeps waiting only itself.

use base::{AccountId, Line, Ticket};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// So many pieces at a time: making RSA keys must not take every core from those who only read.
const AT_ONCE: u32 = 2;
/// Requests of one account that have slow work, done or waiting.
const MOST: usize = 16;

static BENCH: LazyLock<Arc<Bench>> = LazyLock::new(Arc::default);

/// Where the work is done, and who waits for it.
struct Bench(Mutex<State>);

struct State {
    line: Line<oneshot::Sender<()>>,
    requests: BTreeMap<AccountId, usize>,
}

/// One request's slow work: as many pieces as it has, one after the other.
pub struct Slow {
    bench: Arc<Bench>,
    account: AccountId,
}

impl Slow {
    /// Slow work for a caller of `account`; `None` if too many of its requests have some.
    pub fn of(account: &AccountId) -> Option<Self> {
        Self::at(&BENCH, account)
    }

    fn at(bench: &Arc<Bench>, account: &AccountId) -> Option<Self> {
        let mut state = bench.state();
        let requests = state.requests.entry(account.clone()).or_default();
        if *requests >= MOST {
            return None;
        }
        *requests += 1;
        Some(Self { bench: Arc::clone(bench), account: account.clone() })
    }

    /// What `work` gives, done where nobody else waits for it: making an RSA key, say. A piece is short: between
    /// two others have their turns.
    ///
    /// `work` computes and has no effect, so dropping the future is harmless; what has begun is finished for
    /// nothing. `None` if the process ends meanwhile, or `work` panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let place = self.place().await?;
        let done = tokio::task::spawn_blocking(move || {
            let _until_done = place;
            work()
        });
        done.await.ok()
    }

    async fn place(&self) -> Option<Place> {
        let (tell, told) = oneshot::channel();
        let (ticket, served) = self.bench.state().line.ask(self.account.as_str(), 1, tell);
        tell_all(served);
        let place = Place { bench: Arc::clone(&self.bench), ticket };
        told.await.ok()?;
        Some(place)
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        let mut state = self.bench.state();
        let left = state.requests.get(&self.account).map_or(0, |it| it.saturating_sub(1));
        match left {
            0 => drop(state.requests.remove(&self.account)),
            _ => drop(state.requests.insert(self.account.clone(), left)),
        }
    }
}

/// Held while a piece is done. Who drops it before its turn has come waits no more.
struct Place {
    bench: Arc<Bench>,
    ticket: Ticket,
}

impl Drop for Place {
    fn drop(&mut self) {
        let served = self.bench.state().line.leave(&self.ticket);
        tell_all(served);
    }
}

/// Who has given up meanwhile gives its place back itself.
fn tell_all(served: Vec<oneshot::Sender<()>>) {
    for it in served {
        let _gave_up = it.send(());
    }
}

impl Bench {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Bench {
    fn default() -> Self {
        Self(Mutex::new(State { line: Line::new(AT_ONCE), requests: BTreeMap::new() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    fn slow(bench: &Arc<Bench>, account: &str) -> Option<Slow> {
        Slow::at(bench, &account.parse().expect("an account"))
    }

    const OURS: &str = "111122223333";
    const THEIRS: &str = "444455556666";

    #[tokio::test]
    async fn work_is_done_elsewhere_and_comes_back() {
        let here = std::thread::current().id();
        let slow = slow(&Arc::default(), OURS).expect("room");
        let there = slow.run(|| std::thread::current().id()).await.expect("done");
        assert_ne!(here, there);
    }

    #[tokio::test]
    async fn one_account_has_so_many_requests_and_others_theirs() {
        let bench = Arc::default();
        let all: Vec<Slow> = (0..MOST).filter_map(|_| slow(&bench, OURS)).collect();
        assert_eq!((all.len(), slow(&bench, OURS).is_none()), (MOST, true));
        assert!(slow(&bench, THEIRS).is_some());
        drop(all);
        assert!(slow(&bench, OURS).is_some() && bench.state().requests.is_empty());
    }

    /// Ours wait for theirs, which comes later: with ours in both places theirs would never be done.
    #[tokio::test]
    async fn another_account_waits_for_none_of_ours() {
        let bench = Arc::default();
        let [one, two] = [(); 2].map(|()| slow(&bench, OURS).expect("room"));
        let theirs = slow(&bench, THEIRS).expect("room");
        let ((tell, told), (also_tell, also_told)) = (mpsc::channel(), mpsc::channel());
        let done = tokio::join!(
            one.run(move || told.recv_timeout(LIMIT).is_ok()),
            two.run(move || also_told.recv_timeout(LIMIT).is_ok()),
            theirs.run(move || tell.send(()).is_ok() && also_tell.send(()).is_ok()),
        );
        assert_eq!(done, (Some(true), Some(true), Some(true)));
        drop((one, two, theirs));
        assert!(bench.state().requests.is_empty());
    }

    const LIMIT: Duration = Duration::from_secs(5);
}
