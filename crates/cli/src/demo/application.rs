//! The application: workers that log in all the time, each with the value that it has last read.

use super::login::{Login, Trouble};
use crate::import::caller::{Caller, Connection};
use bytes::Bytes;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How a worker gets at the secret.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) caller: Arc<Caller>,
    /// The GetSecretValue.
    pub(super) body: Bytes,
    /// A value that was read so long ago is read again.
    pub(super) keeps: Duration,
}

/// What has happened so far.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Logins that the database has granted.
    pub(super) logins: AtomicU64,
    /// Those that came to nothing, also with the secret read again.
    pub(super) failures: AtomicU64,
    /// Those that the database has granted after the secret was read again.
    pub(super) retried: AtomicU64,
    first_failure: Mutex<Option<String>>,
}

/// Workers that log in.
pub(super) struct Application {
    counts: Arc<Counts>,
    stops: Arc<AtomicBool>,
    workers: JoinSet<()>,
}

/// One of them. What it keeps is its own, as if it were a process.
struct Worker {
    reader: Reader,
    connection: Connection,
    kept: Option<(Login, Instant)>,
}

/// What an application does with a connection; without, two processors do nothing but logins.
const WORK: Duration = Duration::from_millis(20);

impl Application {
    /// Starts `workers` that use `reader`.
    pub(super) fn start(reader: &Reader, workers: usize) -> Self {
        let (counts, stops) = (Arc::<Counts>::default(), Arc::<AtomicBool>::default());
        let mut running = JoinSet::new();
        for _ in 0..workers {
            let (reader, connection) = (reader.clone(), Connection::default());
            let worker = Worker { reader, connection, kept: None };
            running.spawn(worker.run(Arc::clone(&counts), Arc::clone(&stops)));
        }
        Self { counts, stops, workers: running }
    }

    pub(super) fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }

    /// Lets each worker end the login that it is in.
    pub(super) async fn stop(self) -> Arc<Counts> {
        self.stops.store(true, Ordering::Relaxed);
        self.workers.join_all().await;
        self.counts
    }
}

impl Worker {
    async fn run(mut self, counts: Arc<Counts>, stops: Arc<AtomicBool>) {
        while !stops.load(Ordering::Relaxed) {
            match self.log_in().await {
                Ok(Entry::AtOnce) => counts.grant(),
                Ok(Entry::AtSecond) => {
                    counts.grant();
                    counts.retried.fetch_add(1, Ordering::Relaxed);
                }
                Err(trouble) => counts.fail(&trouble),
            }
            tokio::time::sleep(WORK).await;
        }
    }

    /// Logs in with the kept value; if the database refuses that, once more with one read anew.
    async fn log_in(&mut self) -> Result<Entry, Trouble> {
        let keeps = self.reader.keeps;
        let kept = self.kept.take().filter(|(_, read)| read.elapsed() < keeps);
        let (login, read) = match kept {
            Some(kept) => kept,
            None => self.read().await?,
        };
        let (entry, kept) = match login.visit().await {
            Ok(()) => (Entry::AtOnce, (login, read)),
            Err(Trouble::Refused(_)) => {
                let (login, read) = self.read().await?;
                login.visit().await?;
                (Entry::AtSecond, (login, read))
            }
            Err(trouble) => return Err(trouble),
        };
        self.kept = Some(kept);
        Ok(entry)
    }

    /// What the secret says now.
    async fn read(&mut self) -> Result<(Login, Instant), Trouble> {
        let read = Instant::now();
        let Reader { caller, body, .. } = &self.reader;
        let answer = self.connection.ask(caller, "GetSecretValue", body).await;
        let answer = answer.map_err(|error| Trouble::Other(format!("GetSecretValue: {error}")))?;
        let unlike = |_| Trouble::Other("the secret's value is not a login".to_owned());
        Ok((Login::parse(&answer).map_err(unlike)?, read))
    }
}

/// How a login was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    AtOnce,
    AtSecond,
}

impl Counts {
    fn grant(&self) {
        self.logins.fetch_add(1, Ordering::Relaxed);
    }

    fn fail(&self, trouble: &Trouble) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        let mut first = self.first_failure.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| trouble.to_string());
    }

    /// Why the first that came to nothing did.
    pub(super) fn first_failure(&self) -> Option<String> {
        self.first_failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
