//! Which stored values log in: drift, told apart from servers that can't be asked.

use super::super::Admin;
use super::super::answer::{AdminBody, Replied, typed};
use super::super::stream::Stream;
use super::Which;
use super::repair::Repaired;
use rotation::Verdict;
use secrets::rotation::view::{self, View};
use serde_json::{Value, json};
use service::chain;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Logins at a time, and at one server.
const AT_ONCE: usize = 32;
const AT_SERVER: usize = 2;
/// After so many in a row that couldn't be asked, a server is left alone.
const STRIKES: u32 = 3;

/// What was found.
struct Found {
    view: View,
    server: Option<String>,
    state: State,
}

enum State {
    Changing,
    LogsIn,
    Other(&'static str, String),
}

/// The servers that are asked.
#[derive(Default)]
struct Servers(Mutex<BTreeMap<String, Arc<Server>>>);

struct Server {
    places: Semaphore,
    strikes: Mutex<u32>,
}

/// What there is to tell at the end.
#[derive(Default)]
struct Report {
    counts: BTreeMap<&'static str, u64>,
    told: Vec<Value>,
    done: u64,
}

impl Admin {
    /// Tries stored values: lines of JSON, of which the last has the answer.
    pub(in super::super) async fn verify_rotations(self: Arc<Self>, which: Which) -> Replied {
        let named = match &which.resource {
            Some(name) => {
                let mut txn = store::begin(&*self.front.backend);
                Some(which.one(&mut txn, name).await?)
            }
            None => None,
        };
        let stream = Stream::of(move |mut out| async move {
            let found = match named {
                Some(view) => Ok(self.verify_one(view, which.repair).await),
                None => self.verify_all(&which, &mut out).await,
            };
            let last = match found {
                Ok(report) => report.shown(),
                Err(error) => json!({ "Error": chain(&error) }),
            };
            out.write_all(format!("{last}\n").as_bytes()).await
        });
        Ok(typed(AdminBody::Stream(stream), "application/x-ndjson"))
    }

    async fn verify_one(self: Arc<Self>, view: View, repair: bool) -> Report {
        let mut report = Report::default();
        let found = self.verify_view(view, repair, Arc::default()).await;
        report.told.push(found.shown());
        report.count(&found);
        report
    }

    async fn verify_all(
        self: Arc<Self>,
        which: &Which,
        out: &mut DuplexStream,
    ) -> Result<Report, store::Error> {
        let total = self.count_due(which).await?;
        let (mut report, mut running) = (Report::default(), JoinSet::new());
        let servers: Arc<Servers> = Arc::default();
        let mut after = None;
        loop {
            let (page, next) = self.rotations_due(which, after.as_ref()).await?;
            for due in &page {
                let mut txn = store::begin(&*self.front.backend);
                let Some(view) = view::at(&mut txn, due).await? else { continue };
                let (admin, servers) = (Arc::clone(&self), Arc::clone(&servers));
                running.spawn(admin.verify_view(view, which.repair, servers));
                if AT_ONCE <= running.len() {
                    report.take(&mut running, (total, out)).await;
                }
            }
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        while !running.is_empty() {
            report.take(&mut running, (total, out)).await;
        }
        Ok(report)
    }

    async fn count_due(&self, which: &Which) -> Result<u64, store::Error> {
        let (mut count, mut after) = (0, None);
        loop {
            let (page, next) = self.rotations_due(which, after.as_ref()).await?;
            count += page.len() as u64;
            match next {
                Some(next) => after = Some(next),
                None => return Ok(count),
            }
        }
    }

    /// Tries one value, and has the server take it if that is wanted.
    async fn verify_view(
        self: Arc<Self>,
        view: View,
        repair: bool,
        servers: Arc<Servers>,
    ) -> Found {
        let ground = self.grounds.whole().await;
        let login = match ground.login(&view.inspection()).await {
            Ok(login) => login,
            Err(told) => {
                return Found { view, server: None, state: State::Other("unknown", told) };
            }
        };
        let address = login.server();
        let verdict = servers.at(&address).ask(ground.verify(&login)).await;
        drop(login);
        let state = match verdict {
            Verdict::LogsIn => State::LogsIn,
            Verdict::Unknown(told) => State::Other("unknown", told),
            Verdict::Unreachable(told) => State::Other("unreachable", told),
            Verdict::Drift(_) if self.has_moved(&view).await => State::Changing,
            Verdict::Drift(_) if repair => match self.repair(&view).await {
                Repaired::Done => State::Other("repaired", String::new()),
                Repaired::Not(told) => State::Other("drift", told),
            },
            Verdict::Drift(told) => State::Other("drift", told),
        };
        Found { view, server: Some(address), state }
    }

    /// Whether the secret is changing, or has changed since it was looked at: what was said then means nothing.
    async fn has_moved(&self, view: &View) -> bool {
        let mut txn = store::begin(&*self.front.backend);
        let found = view::named(&mut txn, &view.place, &view.arn).await;
        let Ok(Some(now)) = found else { return true };
        let job = now.rotation.as_ref().and_then(|it| it.job.as_ref());
        now.versions != view.versions || job.is_some_and(|it| it.proof.is_some())
    }
}

impl Servers {
    fn at(&self, address: &str) -> Arc<Server> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Server { places: Semaphore::new(AT_SERVER), strikes: Mutex::default() };
        Arc::clone(all.entry(address.to_owned()).or_insert_with(|| Arc::new(new())))
    }
}

impl Server {
    /// Asks it by `login`, if it is worth it and when there is room.
    async fn ask(&self, login: impl Future<Output = Verdict>) -> Verdict {
        let _place = self.places.acquire().await;
        if STRIKES <= *self.strikes() {
            let told = format!("the server was not asked again after {STRIKES} attempts");
            return Verdict::Unreachable(told);
        }
        let verdict = login.await;
        let mut strikes = self.strikes();
        *strikes = if matches!(verdict, Verdict::Unreachable(_)) { *strikes + 1 } else { 0 };
        verdict
    }

    fn strikes(&self) -> std::sync::MutexGuard<'_, u32> {
        self.strikes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Found {
    fn shown(&self) -> Value {
        let (state, problem) = match &self.state {
            State::Changing => ("changing", None),
            State::LogsIn => ("logs in", None),
            State::Other(state, told) => (*state, Some(told).filter(|it| !it.is_empty())),
        };
        let View { name, arn, place, .. } = &self.view;
        json!({
            "Name": name,
            "Arn": arn,
            "AccountId": place.account,
            "Region": place.region,
            "Server": self.server,
            "State": state,
            "Problem": problem,
        })
    }
}

impl Report {
    fn count(&mut self, found: &Found) {
        let name = match &found.state {
            State::Changing => "changing",
            State::LogsIn => "logs in",
            State::Other(name, _) => name,
        };
        *self.counts.entry(name).or_default() += 1;
        self.done += 1;
    }

    /// Waits for one of `running`, and tells how far it is.
    async fn take(&mut self, running: &mut JoinSet<Found>, (total, out): (u64, &mut DuplexStream)) {
        let Some(Ok(found)) = running.join_next().await else { return };
        self.count(&found);
        if matches!(found.state, State::Other(..)) {
            self.told.push(found.shown());
        }
        let line = json!({ "Done": self.done, "Total": total.max(self.done) });
        // Nobody listens any more: the body is dropped, and this with it.
        let _gone: io::Result<()> = out.write_all(format!("{line}\n").as_bytes()).await;
    }

    fn shown(&self) -> Value {
        let count = |name: &str| self.counts.get(name).copied().unwrap_or_default();
        json!({
            "Verified": self.done,
            "LogIn": count("logs in") + count("repaired"),
            "Changing": count("changing"),
            "Drift": count("drift"),
            "Unreachable": count("unreachable"),
            "Unknown": count("unknown"),
            "Repaired": count("repaired"),
            "Secrets": self.told,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn a_server_that_doesnt_answer_is_left_alone() {
        let servers = Servers::default();
        let asked = AtomicUsize::new(0);
        let silence = || async {
            asked.fetch_add(1, Ordering::Relaxed);
            Verdict::Unreachable("silence".to_owned())
        };
        for _ in 0..5 {
            let verdict = servers.at("one:1").ask(silence()).await;
            assert!(matches!(verdict, Verdict::Unreachable(_)));
        }
        assert_eq!(asked.load(Ordering::Relaxed), STRIKES as usize);
        let other = servers.at("two:1").ask(async { Verdict::LogsIn }).await;
        assert_eq!(other, Verdict::LogsIn);
    }

    #[tokio::test]
    async fn so_many_at_a_time_at_a_server() {
        let server = Servers::default().at("one:1");
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let login = || async {
            most.fetch_max(running.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            running.fetch_sub(1, Ordering::Relaxed);
            Verdict::LogsIn
        };
        tokio::join!(
            server.ask(login()),
            server.ask(login()),
            server.ask(login()),
            server.ask(login())
        );
        assert_eq!(most.load(Ordering::Relaxed), AT_SERVER);
    }
}
