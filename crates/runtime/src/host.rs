//! Keeps processes of functions, and gives them work.

use crate::desk::{Event, Said};
use crate::digits;
use crate::failure;
use crate::log::Log;
use crate::mask::Mask;
use crate::process::{Fallen, Process};
use crate::program::{CredentialSource, Error, Hidden, LogSink, Outcome, Program};
use crate::room::{Idle, Room, account_of};
use crate::sandbox::{Ground, Level, Trial, are_more_below};
use crate::settings::Settings;
use crate::starter::Starter;
use base::{Clock, Entropy, Sensitive};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// What the host is handed: time, chance, credentials, where logs go.
#[derive(Clone)]
pub struct World {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes request ids.
    pub entropy: Arc<dyn Entropy>,
    /// Gives processes the credentials of their roles.
    pub credentials: Arc<dyn CredentialSource>,
    /// Takes what functions print.
    pub logs: Arc<dyn LogSink>,
}

/// Runs functions on this host.
pub struct Host {
    inner: Arc<Inner>,
    /// Ends idle processes when their time has come.
    _sweeper: JoinSet<()>,
}

struct Inner {
    settings: Arc<Settings>,
    world: World,
    starter: Starter,
    pools: Mutex<BTreeMap<String, Arc<Pool>>>,
    room: Room,
    drained: AtomicBool,
}

/// The processes of one function.
struct Pool {
    room: Semaphore,
    idle: Mutex<Vec<(Instant, Process)>>,
}

/// One invocation on its way.
struct Task<'a> {
    program: &'a Program,
    payload: Bytes,
    mask: &'a [Sensitive],
    /// What it may make, and must not print either.
    made: Option<&'a dyn Hidden>,
    id: String,
}

impl Host {
    /// A host that finds out by itself what walls it can build. To be called inside a runtime.
    pub fn new(settings: Settings, world: World) -> Self {
        let ground = Arc::new(Trial::new(&settings));
        Self::on(ground, settings, world)
    }

    /// A host whose walls stand on `ground`.
    pub fn on(ground: Arc<dyn Ground>, settings: Settings, world: World) -> Self {
        let settings = Arc::new(settings);
        let starter = Starter::new(Arc::clone(&settings), world.clone(), ground);
        let (pools, room, drained) =
            (Mutex::default(), Room::new(&settings), AtomicBool::new(false));
        let inner = Arc::new(Inner { settings, world, starter, pools, room, drained });
        let mut sweeper = JoinSet::new();
        sweeper.spawn(sweep(Arc::downgrade(&inner), inner.settings.warm));
        Self { inner, _sweeper: sweeper }
    }

    /// Runs `program` once with `payload`, in a process that is idle or in a fresh one. `mask` is hidden in
    /// what it prints and in what it says of failures.
    ///
    /// # Errors
    ///
    /// If it could not be run at all. A function that fails is an [`Outcome`].
    pub async fn invoke(
        &self,
        program: &Program,
        payload: Bytes,
        mask: &[Sensitive],
    ) -> Result<Outcome, Error> {
        self.take(program, payload, (mask, None)).await
    }

    /// The same, hiding what is `hidden` before and after. What it prints is told when it has ended.
    ///
    /// # Errors
    ///
    /// If it could not be run at all.
    pub async fn invoke_hiding(
        &self,
        program: &Program,
        payload: Bytes,
        hidden: Option<&dyn Hidden>,
    ) -> Result<Outcome, Error> {
        let before = match hidden {
            Some(hidden) => hidden.texts().await.unwrap_or_default(),
            None => Vec::new(),
        };
        self.take(program, payload, (&before, hidden)).await
    }

    async fn take(
        &self,
        program: &Program,
        payload: Bytes,
        (mask, made): (&[Sensitive], Option<&dyn Hidden>),
    ) -> Result<Outcome, Error> {
        let pool = self.inner.pool(&program.arn);
        let of_function = self.inner.room.turn_of(&pool.room).await?;
        let of_all = self.inner.room.turn(program).await?;
        if self.inner.drained.load(SeqCst) {
            let reason = "the server stops".to_owned();
            return Err(Error::Start { function: program.name.clone(), reason });
        }
        let id = base::Uuid::random(&*self.inner.world.entropy).to_string();
        let outcome = self.inner.run(&pool, Task { program, payload, mask, made, id }).await;
        drop((of_function, of_all));
        outcome
    }

    /// How strong the walls around functions are here.
    pub async fn walls(&self) -> Result<Level, Error> {
        self.inner.starter.walls().await
    }

    /// Ends the idle processes of a function that was deleted or changed. Without it they end with their time.
    pub async fn forget(&self, arn: &str) {
        self.inner.pool(arn).end_idle().await;
    }

    /// Starts nothing any more, waits for what runs, and ends all processes.
    pub async fn drain(&self) {
        self.inner.drained.store(true, SeqCst);
        let pools: Vec<_> = self.inner.pools().values().map(Arc::clone).collect();
        for pool in pools {
            let all = u32::try_from(self.inner.concurrency()).unwrap_or(u32::MAX);
            let _all = pool.room.acquire_many(all).await;
            pool.end_idle().await;
        }
    }
}

impl Inner {
    async fn run(&self, pool: &Pool, task: Task<'_>) -> Result<Outcome, Error> {
        let begun = Instant::now();
        let (mut process, cold) = match self.take_idle(pool, task.program).await {
            Some(process) => (process, false),
            None => match self.start(&task).await? {
                Ok(process) => (process, true),
                Err((fallen, mut process)) => {
                    process.end().await;
                    let payload = self.payload(fallen, &task, &process.log);
                    let log_tail = process.log.tail();
                    let duration = begun.elapsed();
                    let function_error = Some(UNHANDLED);
                    return Ok(Outcome { payload, function_error, log_tail, duration, cold: true });
                }
            },
        };
        process.log.begin(Mask::of(task.mask));
        if task.made.is_some() {
            process.log.hold();
        }
        process.log.say(&format!("START RequestId: {} Version: $LATEST", task.id));
        let limit = task.program.timeout;
        let said = process.work(self.event(&task), limit).await;
        match &said {
            Ok(_) => process.log.flush().await,
            Err(_) => process.end().await,
        }
        let known = match task.made {
            Some(made) => process.log.release(made.texts().await.map(|it| Mask::of(&it))),
            None => true,
        };
        let took = begun.elapsed();
        process.log.own_up();
        say_end(&process.log, &task, took);
        let log_tail = process.log.tail();
        let (payload, function_error) = match said {
            Ok(Said::Answer(payload)) => (payload, None),
            _ if !known => (Bytes::from_static(UNTOLD), Some(UNHANDLED)),
            Ok(said) => (self.payload(Fallen::Said(said), &task, &process.log), Some(UNHANDLED)),
            Err(fallen) => (self.payload(fallen, &task, &process.log), Some(UNHANDLED)),
        };
        match process.id() {
            // Idle ones would keep the other functions of their user from forking.
            Some(id) if is_crowded(id).await => process.end().await,
            Some(_) => pool.idle().push((Instant::now(), process)),
            None => (),
        }
        // Looked at only now: who began to wait before has seen no idle process.
        if self.room.is_wanted_of(task.program) {
            pool.end_idle().await;
        }
        Ok(Outcome { payload, function_error, log_tail, duration: took, cold })
    }

    /// A process that asks for work, or how it fell: at first within the limit for starts, then within the
    /// function's own.
    async fn start(&self, task: &Task<'_>) -> Result<Result<Process, (Fallen, Process)>, Error> {
        let limits = [self.settings.init_limit, task.program.timeout];
        let mut last = None;
        for limit in limits {
            // What it had is had again.
            drop(last.take());
            let place = self.room.place(task.program, |of| self.end_idle(of)).await?;
            let mut process = self.starter.start(task.program, task.mask, place).await?;
            match process.started(limit).await {
                Ok(()) => return Ok(Ok(process)),
                Err(Fallen::NotStarted) => {
                    process.end().await;
                    let said = process.log.tail();
                    let reason = String::from_utf8_lossy(&said).trim_end().to_owned();
                    return Err(Error::Start { function: task.program.name.clone(), reason });
                }
                Err(fallen) => {
                    process.end().await;
                    last = Some((fallen, process));
                }
            }
        }
        last.map(Err).ok_or_else(|| Error::Start {
            function: task.program.name.clone(),
            reason: "it was never tried".to_owned(),
        })
    }

    /// The process that was used last, if it may be used for another whole invocation.
    async fn take_idle(&self, pool: &Pool, program: &Program) -> Option<Process> {
        let until = self.world.clock.now().plus(program.timeout + SPARE);
        loop {
            let (_, mut process) = pool.idle().pop()?;
            if process.is_fit(&program.revision, until) {
                return Some(process);
            }
            process.end().await;
        }
    }

    fn event(&self, task: &Task<'_>) -> Event {
        let now = self.world.clock.now();
        let bytes: [u8; 20] = self.world.entropy.bytes();
        let hex = digits(&bytes);
        let seconds = now.millis() / 1000;
        let (root, parent) = hex.split_at(24);
        Event {
            id: task.id.clone(),
            payload: task.payload.clone(),
            deadline: now.plus(task.program.timeout),
            trace: format!("Root=1-{seconds:08x}-{root};Parent={parent};Sampled=0"),
        }
    }

    fn payload(&self, fallen: Fallen, task: &Task<'_>, log: &Log) -> Bytes {
        let now = self.world.clock.now();
        log.mask(&failure::payload(fallen, &task.id, now, task.program.timeout)).into()
    }

    /// Ends what nobody uses, of whatever function.
    async fn end_idle(&self, of: Idle) {
        let is_meant = |arn: &str| match &of {
            Idle::Of(account) => account_of(arn) == account,
            Idle::All => true,
        };
        let meant = |it: (&String, &Arc<Pool>)| is_meant(it.0).then(|| Arc::clone(it.1));
        let pools: Vec<_> = self.pools().iter().filter_map(meant).collect();
        for pool in pools {
            pool.end_idle().await;
        }
    }

    fn pool(&self, arn: &str) -> Arc<Pool> {
        let room = Semaphore::new(self.concurrency());
        let fresh = || Arc::new(Pool { room, idle: Mutex::default() });
        Arc::clone(self.pools().entry(arn.to_owned()).or_insert_with(fresh))
    }

    fn concurrency(&self) -> usize {
        self.settings.concurrency.clamp(1, 1000)
    }

    fn pools(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Pool>>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    fn idle(&self) -> MutexGuard<'_, Vec<(Instant, Process)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn end_idle(&self) {
        for mut process in self.stale(Duration::ZERO) {
            process.end().await;
        }
    }

    /// Takes out what has been idle for `warm`.
    fn stale(&self, warm: Duration) -> Vec<Process> {
        let mut idle = self.idle();
        let (stale, kept) =
            std::mem::take(&mut *idle).into_iter().partition(|it| it.0.elapsed() >= warm);
        *idle = kept;
        let stale: Vec<(Instant, Process)> = stale;
        stale.into_iter().map(|it| it.1).collect()
    }
}

/// Whether an invocation has left more processes than are kept for the next one.
async fn is_crowded(id: u32) -> bool {
    let looked = tokio::task::spawn_blocking(move || are_more_below(id, MOST_KEPT)).await;
    looked.unwrap_or(true)
}

fn say_end(log: &Log, task: &Task<'_>, took: Duration) {
    let millis = took.as_secs_f64() * 1000.0;
    log.say(&format!("END RequestId: {}", task.id));
    log.say(&format!(
        "REPORT RequestId: {}\tDuration: {millis:.2} ms\tBilled Duration: {:.0} ms\tMemory Size: {} MB",
        task.id,
        millis.ceil(),
        task.program.memory_mb
    ));
}

/// Ends what nobody has used for a while.
async fn sweep(inner: Weak<Inner>, warm: Duration) {
    let pause = (warm / 4).clamp(Duration::from_millis(50), Duration::from_secs(30));
    loop {
        tokio::time::sleep(pause).await;
        let Some(inner) = inner.upgrade() else { return };
        let pools: Vec<_> = inner.pools().values().map(Arc::clone).collect();
        let used = |it: &Arc<Pool>| Arc::strong_count(it) > 1 || !it.idle().is_empty();
        for mut process in pools.iter().flat_map(|it| it.stale(warm)).collect::<Vec<_>>() {
            process.end().await;
        }
        drop(pools);
        inner.pools().retain(|_, it| used(it));
    }
}

/// Processes below the outermost one: the inner one, the function's own, and what it has started.
const MOST_KEPT: usize = 32;
const UNHANDLED: &str = "Unhandled";
/// Instead of a failure in which it isn't known what to hide.
const UNTOLD: &[u8] = br#"{"errorMessage":"it failed, and what it says is not told"}"#;
/// Credentials must last for this much longer than an invocation may.
const SPARE: Duration = Duration::from_secs(30);
