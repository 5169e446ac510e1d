//! Many servers in memory, each of which works, hangs or breaks what speaks to it.

use super::server::PLAIN;
use async_trait::async_trait;
use base::{Clock, Sensitive, Timestamp};
use rotators::{Credential, Dialect, Failure, Finding, Lease, Protection, Rotator, Session, Trust};
use secrets::rotation::work::Assignment;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use strongroom_rotation::{Functions, Ground, Hidden, Native, Registry, Strategy};
use testkit::Desk;
use tokio::time::Instant;

/// The clock of a paused runtime.
#[derive(Debug)]
pub(crate) struct Paced {
    start: Timestamp,
    begun: Instant,
}

impl Paced {
    pub(crate) fn new(start: Timestamp) -> Self {
        Self { start, begun: Instant::now() }
    }
}

impl Clock for Paced {
    fn now(&self) -> Timestamp {
        self.start.plus(self.begun.elapsed())
    }
}

/// The servers.
#[derive(Debug)]
pub(crate) struct Fleet {
    hang: BTreeSet<&'static str>,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    passwords: BTreeMap<String, Vec<u8>>,
    asked: BTreeMap<String, usize>,
    open: BTreeMap<String, BTreeMap<String, usize>>,
    most: usize,
    changed: usize,
    last: Instant,
    panics: Option<(&'static str, usize)>,
}

/// A server takes so long for each thing.
const WORK: Duration = Duration::from_millis(12);
/// A driver gives a silent one up after this.
const HANG: Duration = Duration::from_secs(5);

/// Lets the runtime's time pass.
async fn busy(time: Duration) {
    let _over = tokio::time::timeout(time, std::future::pending::<()>()).await;
}

impl Fleet {
    pub(crate) fn new<const N: usize>(hang: [&'static str; N]) -> Self {
        let seen = Seen {
            passwords: BTreeMap::new(),
            asked: BTreeMap::new(),
            open: BTreeMap::new(),
            most: 0,
            changed: 0,
            last: Instant::now(),
            panics: None,
        };
        Self { hang: hang.into(), seen: Mutex::new(seen) }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Whoever speaks to `host` panics, so many times.
    pub(crate) fn panic_at(&self, host: &'static str, times: usize) {
        self.seen().panics = Some((host, times));
    }

    /// Passwords that were changed.
    pub(crate) fn changed(&self) -> usize {
        self.seen().changed
    }

    pub(crate) fn last_change(&self) -> Instant {
        self.seen().last
    }

    /// The most users that were rotated at the same time at one server.
    pub(crate) fn most_at_once(&self) -> usize {
        self.seen().most
    }

    /// How often somebody has connected to `host`.
    pub(crate) fn asked(&self, host: &str) -> usize {
        self.seen().asked.get(host).copied().unwrap_or_default()
    }

    fn note(&self, login: &Credential) {
        let (host, user) = (login.host.clone(), login.username.clone());
        let mut seen = self.seen();
        *seen.asked.entry(host.clone()).or_default() += 1;
        let open = seen.open.entry(host.clone()).or_default();
        *open.entry(user).or_default() += 1;
        let users = open.len();
        seen.most = seen.most.max(users);
        if let Some((place, times)) = &mut seen.panics
            && *place == host
            && *times > 0
        {
            *times -= 1;
            drop(seen);
            unreachable!("told to break");
        }
    }

    fn leave(&self, host: &str, user: &str) {
        let mut seen = self.seen();
        let Some(open) = seen.open.get_mut(host) else { return };
        let left = open.get_mut(user).map(|it| {
            *it -= 1;
            *it
        });
        if left == Some(0) {
            open.remove(user);
        }
    }
}

#[derive(Debug)]
struct Entrance(Arc<Fleet>);

struct Open {
    fleet: Arc<Fleet>,
    host: String,
    user: String,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.fleet.leave(&self.host, &self.user);
    }
}

#[async_trait]
impl Rotator for Entrance {
    fn dialect(&self) -> &'static Dialect {
        &PLAIN
    }

    async fn connect(&self, login: &Credential, _: &Trust) -> Result<Box<dyn Session>, Failure> {
        self.0.note(login);
        let (fleet, host) = (Arc::clone(&self.0), login.host.clone());
        let open = Open { fleet, host, user: login.username.clone() };
        if self.0.hang.contains(&*login.host) {
            busy(HANG).await;
            return Err(Failure::Unreachable("the server says nothing".into()));
        }
        busy(WORK).await;
        let seen = self.0.seen();
        let has = seen.passwords.get(&login.username);
        if has.map_or(b"first".as_slice(), Vec::as_slice) != login.password.expose() {
            return Err(Failure::Denied("no".into()));
        }
        Ok(Box::new(open))
    }
}

#[async_trait]
impl Session for Open {
    fn protection(&self) -> Protection {
        Protection::Plain
    }

    async fn test(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    async fn change_own(&mut self, _: &Sensitive, to: &Sensitive) -> Result<(), Failure> {
        busy(WORK).await;
        let mut seen = self.fleet.seen();
        seen.passwords.insert(self.user.clone(), to.expose().to_vec());
        (seen.changed, seen.last) = (seen.changed + 1, Instant::now());
        Ok(())
    }

    async fn change(
        &mut self,
        _: &str,
        to: &Sensitive,
        _: Option<&Sensitive>,
    ) -> Result<(), Failure> {
        self.change_own(to, to).await
    }

    async fn mirror(&mut self, _: &str, _: &str, to: &Sensitive) -> Result<(), Failure> {
        self.change_own(to, to).await
    }

    async fn foresee(&mut self, _: Option<&str>, _: Option<&str>) -> Result<Vec<Finding>, Failure> {
        Ok(Vec::new())
    }

    async fn grant(&mut self, _: &Lease<'_>) -> Result<(), Failure> {
        Ok(())
    }

    async fn revoke(&mut self, _: &Lease<'_>) -> Result<(), Failure> {
        Ok(())
    }

    async fn disconnect(&mut self, _: &str) -> Result<(), Failure> {
        Ok(())
    }

    async fn close(self: Box<Self>) {}
}

struct Engines(Entrance);

impl Registry for Engines {
    fn of_engine(&self, name: &str) -> Option<&dyn Rotator> {
        PLAIN.engines.contains(&name).then_some(&self.0 as &dyn Rotator)
    }
}

struct Natives;

#[async_trait]
impl Functions for Natives {
    fn native(&self, arn: &str) -> Option<Native> {
        let single = arn.ends_with("SingleUser");
        single.then_some(Native { engine: Some("PostgreSQL"), strategy: Strategy::SingleUser })
    }

    async fn invoke(&self, _: &Assignment, _: Vec<u8>, _: &dyn Hidden) -> Result<(), String> {
        busy(Duration::from_mins(15)).await;
        Err("it was stopped".into())
    }
}

/// What an engine stands on that speaks to `fleet`, by `clock`.
pub(crate) fn ground(desk: &Desk, fleet: &Arc<Fleet>, clock: Arc<dyn Clock>) -> Ground {
    Ground {
        backend: Arc::clone(&desk.backend) as _,
        trail: Arc::clone(&desk.trail) as _,
        turns: Arc::clone(&desk.turns),
        keyring: Arc::clone(&desk.keyring),
        entropy: Arc::clone(&desk.entropy) as _,
        clock,
        rotators: Arc::new(Engines(Entrance(Arc::clone(fleet)))),
        functions: Arc::new(Natives),
        trust: Trust { platform: rotators::Roots::new([]), pinned: BTreeMap::default() },
        barrier: Arc::default(),
        tally: Arc::default(),
    }
}
