//! From a configuration to a running server, and back.

use crate::admin::{Admin, Reach, Status};
use crate::authenticate::Authenticator;
use crate::chance::DrawnAhead;
use crate::config::{Config, ConfigError, Mode, OrganizationConfig, Sandbox};
use crate::drain::Drain;
use crate::folder::{self, FolderError};
use crate::front::{Door, Front};
use crate::functions::Logged;
use crate::functions::{
    Engines, FunctionHost, Named, RemoteError, Remotes, RoleCredentials, State,
};
use crate::hush::Hush;
use crate::issuers::{Fetcher, FetcherError, Issuers};
use crate::journal;
use crate::last_use::Uses;
use crate::listen::{ListenError, Shared, accept};
use crate::metrics::Metrics;
use crate::packages::Packages;
use crate::peer::Peer;
use crate::places::Places;
use crate::records::Looking;
use crate::respond::Dates;
use crate::root_key::{RootKey, RootKeyError};
use crate::route::Routes;
use crate::signing_keys::SigningKeys;
use crate::sockets::{Reserved, Sockets};
use crate::throttle::Throttle;
use crate::tls::TlsError;
use crate::web_identity;
use crate::workers::{Grounds, Index, LastUses, Leases, Maintenance, Outbox, Rotations, Sweep};
use ::functions::{CodeStore, Elsewhere};
use base::{AccountId, Clock, Entropy, Region, SystemClock, SystemEntropy};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use store::Backend;
use store::backends::embedded::{Embedded, Options};
use tokio::sync::{Mutex, Notify, Semaphore};
use tokio::task::JoinHandle;
use trail::Journal;
use trail::lookup::Finder;

/// A server that is not running yet.
pub struct Server {
    /// What it is told.
    pub config: Config,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where chance comes from.
    pub entropy: Arc<dyn Entropy>,
    /// Where state is; `None`: on disk, in the data folder.
    pub backend: Option<Arc<dyn Backend>>,
}

/// Why a server didn't start. One sentence, perhaps with a hint on a line of its own.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The authorities that may vouch for issuers of tokens can't be read.
    #[error(transparent)]
    Authorities(#[from] FetcherError),
    /// The configuration is no good.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The local certificate authority couldn't be made.
    #[error("can't make the certificate of this server: {0}")]
    DevCertificate(#[source] io::Error),
    /// The data folder is no good.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The first account couldn't be made.
    #[error(transparent)]
    Identity(#[from] identity::Error),
    /// The audit journal can't be written.
    #[error(transparent)]
    Journal(#[from] trail::Error),
    /// A key can't be used.
    #[error(transparent)]
    Kms(#[from] kms::Error),
    /// A place can't be listened at.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The organization of the configuration can't be that of the data folder.
    #[error(transparent)]
    Organization(#[from] identity::organization::Error),
    /// What an earlier server has unpacked can't be removed.
    #[error("can't use `functions` in the data folder: {0}")]
    Packages(#[source] io::Error),
    /// The authorities that databases are believed by can't be read.
    #[error("can't read the certificates in {0}: {1}")]
    Trust(String, #[source] io::Error),
    /// A function of this server could never be reached.
    #[error(
        "`{0}` is a function of this server, and `functions.remote` says that it is somewhere else\n\
         hint: delete it first, or choose another `arn_prefix`"
    )]
    Hidden(String),
    /// An endpoint of functions can't be used.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The root key can't be had, or opens nothing.
    #[error(transparent)]
    RootKey(#[from] RootKeyError),
    /// The store can't be opened.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// There is no certificate to show.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Where a running server can be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// Plain HTTP, on loopback.
    pub plain: Vec<SocketAddr>,
    /// HTTPS.
    pub tls: Vec<SocketAddr>,
    /// HTTP over unix sockets.
    pub unix: Vec<PathBuf>,
    /// The certificate that signed the server's, in `dev`.
    pub authority: Option<PathBuf>,
    /// The unix socket of the admin API.
    pub admin: PathBuf,
    /// Metrics and health over TCP.
    pub metrics: Option<SocketAddr>,
}

/// A running server. Dropping it stops it at once; [`Running::shutdown`] lets requests finish.
pub struct Running {
    endpoints: Endpoints,
    front: Arc<Front>,
    embedded: Option<Arc<Embedded>>,
    journal: Arc<Outbox>,
    doors: Stage,
    inner: Stage,
}

/// Tasks that are asked to stop together.
struct Stage {
    drain: Drain,
    tasks: Vec<JoinHandle<()>>,
}

impl Server {
    /// A server on disk, with the system's clock and chance.
    pub fn new(config: Config) -> Self {
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
        Self { config, clock, entropy, backend: None }
    }

    /// Opens everything and answers requests.
    ///
    /// # Errors
    ///
    /// [`StartError`]: nothing is left open. Nothing that exists is ever replaced, and for a mistake in
    /// the configuration or an address that is taken nothing is made, not even a folder.
    pub async fn start(self) -> Result<Running, StartError> {
        let Self { mut config, clock, entropy, backend } = self;
        let entropy: Arc<dyn Entropy> = Arc::new(DrawnAhead::new(entropy));
        config.resolve()?;
        config.validate()?;
        let fetcher = Fetcher::new(&config.oidc, config.mode == Mode::Dev)?;
        let remotes = Arc::new(Remotes::open(&config.functions.remote, (&clock, &entropy))?);
        folder::check(&config)?;
        let reserved = Reserved::take(&config).await?;
        folder::prepare(&config)?;
        let (backend, embedded) = if let Some(backend) = backend {
            (backend, None)
        } else {
            let embedded = Arc::new(open_embedded(config.server.data.clone()).await?);
            (Arc::clone(&embedded) as Arc<dyn Backend>, Some(embedded))
        };
        let root_key = RootKey::new(&config);
        let opened = root_key.open(&*backend, &entropy, clock.now()).await;
        let (keyring, unfinished) = opened?;
        let keyring = Arc::new(keyring);
        let journal = journal::open(&config, &*backend, &keyring, (&clock, &*entropy)).await?;
        let outbox = Arc::new(outbox(&config, &backend, &journal, &clock));
        outbox.recover().await?;

        none_hidden(&*backend, remotes.elsewhere()).await?;
        let sockets = Sockets::bind(&config, reserved, &*clock)?;
        let tools = (&clock, &entropy);
        let state = state((&backend, &keyring), tools, &journal);
        let packages = Packages::open(&config.server.data, &state).map_err(StartError::Packages)?;
        let code = (Arc::new(packages) as _, remotes.elsewhere());
        let host = function_host(&config, &sockets.endpoints, state, code);
        let functions = host.machine();
        let front = front(&config, tools, (&backend, &keyring), (&journal, fetcher), functions);
        let rotations = rotations(&front, &config, (host, &remotes))?;
        let admin = Arc::new(Admin {
            front: Arc::clone(&front),
            root_key,
            rotating: Mutex::new(()),
            status: Status::new(&config, clock.now(), sockets.endpoints.clone()),
            journal: journal.clone(),
            embedded: embedded.clone(),
            grounds: Arc::clone(&rotations.grounds),
            remotes,
            mode: config.mode,
        });
        if config.mode == Mode::Dev {
            admin.ensure_dev_account().await?;
        }
        let declared = config.organization.as_ref().map(OrganizationConfig::declared);
        admin.configure_organization(declared.as_ref()).await?;
        let endpoints = sockets.endpoints.clone();
        let (doors, mut inner) = spawn(&config, sockets, &front, (&outbox, &admin), unfinished)?;
        let leases = Leases { front: Arc::clone(&front), grounds: Arc::clone(&rotations.grounds) };
        inner.tasks.push(tokio::spawn(leases.run(inner.drain.clone())));
        inner.tasks.push(tokio::spawn(rotations.run(inner.drain.clone())));
        Ok(Running { endpoints, front, embedded, journal: outbox, doors, inner })
    }
}

impl Running {
    /// Where it can be reached.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Does now what is due by the clock, such as removing secrets whose deletion window has ended.
    /// It happens by itself, too; tests that move the clock call this.
    ///
    /// # Errors
    ///
    /// What went wrong; it is tried again.
    pub async fn catch_up(&self) -> Result<(), String> {
        LastUses { front: Arc::clone(&self.front) }.write().await;
        Sweep { front: Arc::clone(&self.front) }.once().await?;
        let maintenance = Maintenance { front: Arc::clone(&self.front) };
        maintenance.catch_up(&self.inner.drain).await.map(drop)
    }

    /// Stops: takes no more connections, lets running requests finish for the configured time, and
    /// leaves everything on disk.
    pub async fn shutdown(mut self) {
        self.front.draining.begin();
        self.doors.stop().await;
        self.inner.stop().await;
        if let Err(error) = self.journal.finish().await {
            let cause = service::chain(&error);
            tracing::error!(cause, "the audit journal was not closed in order");
        }
        if let Some(embedded) = self.embedded {
            // Its end means that the runtime ends, too, and the store is closed when it is dropped.
            let _ended = tokio::task::spawn_blocking(move || embedded.close()).await;
        }
    }
}

impl Stage {
    async fn stop(&mut self) {
        self.drain.begin();
        for task in &mut self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task ended out of order");
            }
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.drain.begin();
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn front(
    config: &Config,
    (clock, entropy): (&Arc<dyn Clock>, &Arc<dyn Entropy>),
    (backend, keyring): (&Arc<dyn Backend>, &Arc<envelope::Keyring>),
    (journal, fetcher): (&Journal, Fetcher),
    functions: functions::Machine,
) -> Arc<Front> {
    let routes = Routes::new();
    let finder = Arc::new(Finder::new(&config.server.data.join("journal")));
    let metrics = Arc::new(Metrics::new(routes.names()));
    Arc::new(Front {
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
        keyring: Arc::clone(keyring),
        backend: Arc::clone(backend),
        trail: Arc::new(journal.clone()),
        turns: Arc::default(),
        routes,
        authenticator: Authenticator {
            keys: SigningKeys::new(),
            regions: config.server.regions.clone(),
            canonical_hosts: config.server.canonical_hosts.clone(),
            keyring: Arc::clone(keyring),
            entropy: Arc::clone(entropy),
        },
        issuers: Issuers::new(Box::new(fetcher)),
        home: web_identity::home(&config.server.regions),
        throttle: Throttle::new(&config.throttle),
        functions,
        records: cloudtrail::Asker(Arc::new(Looking::new(Arc::clone(&finder)))),
        finder,
        quotas: config.quotas.effective(),
        limits: config.limits.clone(),
        metrics,
        dates: Dates::new(),
        hush: Hush::new(FAILURES_TOLD),
        sooner: Arc::new(Notify::new()),
        rotates: Arc::default(),
        barrier: Arc::default(),
        uses: Uses::default(),
        draining: Drain::default(),
    })
}

fn outbox(
    config: &Config,
    backend: &Arc<dyn Backend>,
    journal: &Journal,
    clock: &Arc<dyn Clock>,
) -> Outbox {
    Outbox {
        backend: Arc::clone(backend),
        journal: journal.clone(),
        clock: Arc::clone(clock),
        request_time: config.limits.request_timeout,
    }
}

/// What those who run functions need of the server.
fn state(
    (backend, keyring): (&Arc<dyn Backend>, &Arc<envelope::Keyring>),
    (clock, entropy): (&Arc<dyn Clock>, &Arc<dyn Entropy>),
    journal: &Journal,
) -> Arc<State> {
    Arc::new(State {
        backend: Arc::clone(backend),
        trail: Arc::new(journal.clone()),
        turns: Arc::default(),
        keyring: Arc::clone(keyring),
        entropy: Arc::clone(entropy),
        clock: Arc::clone(clock),
    })
}

/// No function of this server may have an ARN that the configuration gives to another place.
async fn none_hidden(backend: &dyn Backend, elsewhere: &Elsewhere) -> Result<(), StartError> {
    for prefix in elsewhere.prefixes() {
        if let Some(arn) = ::functions::hidden_by(&mut store::begin(backend), prefix).await? {
            return Err(StartError::Hidden(arn));
        }
    }
    Ok(())
}

/// What functions run in.
fn function_host(
    config: &Config,
    endpoints: &Endpoints,
    state: Arc<State>,
    (code, elsewhere): (Arc<dyn CodeStore>, &Elsewhere),
) -> Arc<FunctionHost> {
    let first = endpoints.plain.first().map(|it| format!("http://{it}"));
    let first = first.or_else(|| endpoints.tls.first().map(|it| format!("https://{it}")));
    let endpoint = config.functions.endpoint.clone().or(first).unwrap_or_default();
    let region = web_identity::home(&config.server.regions);
    // Functions are started in folders of their own, where a relative path leads elsewhere.
    let folder = config.server.data.join("functions");
    let folder = std::path::absolute(&folder).unwrap_or(folder);
    let program = std::env::current_exe();
    let program = program.map_or_else(|_| "strongroom".into(), Into::into);
    let usual = runtime::Settings::new(&endpoint, region.as_str(), &folder);
    let settings = runtime::Settings {
        total: config.functions.concurrency.map_or(usual.total, |it| it.get().into()),
        memory_mb: config.functions.memory_mb.unwrap_or(usual.memory_mb),
        init: vec![program, FUNCTION_INIT.into()],
        ca_bundle: config.functions.ca_bundle.clone().or_else(|| endpoints.authority.clone()),
        sandbox: match config.functions.sandbox {
            Sandbox::None => runtime::Demand::None,
            Sandbox::Prefer => runtime::Demand::Prefer,
            Sandbox::Require => runtime::Demand::Require,
        },
        path: config.path.clone(),
        ..usual
    };
    let world = runtime::World {
        clock: Arc::clone(&state.clock),
        entropy: Arc::clone(&state.entropy),
        credentials: Arc::new(RoleCredentials(Arc::clone(&state))),
        logs: Arc::new(Logged),
    };
    let host = runtime::Host::new(settings, world);
    Arc::new(FunctionHost { state, code, host, elsewhere: elsewhere.clone() })
}

/// The hidden subcommand that becomes a function.
const FUNCTION_INIT: &str = "__function-init";

/// The worker that has passwords changed.
fn rotations(
    front: &Arc<Front>,
    config: &Config,
    (host, remotes): (Arc<FunctionHost>, &Arc<Remotes>),
) -> Result<Rotations, StartError> {
    let trust = crate::functions::pinned(&config.rotation);
    let trust = trust.map_err(|(file, error)| StartError::Trust(file, error))?;
    let ground = rotation::Ground {
        backend: Arc::clone(&front.backend),
        trail: Arc::clone(&front.trail),
        turns: Arc::clone(&front.turns),
        keyring: Arc::clone(&front.keyring),
        entropy: Arc::clone(&front.entropy),
        clock: Arc::clone(&front.clock),
        rotators: Arc::new(Engines),
        functions: Arc::new(Named { host, remotes: Arc::clone(remotes) }),
        trust,
        barrier: Arc::clone(&front.barrier),
        tally: Arc::default(),
    };
    Ok(Rotations { front: Arc::clone(front), grounds: Arc::new(Grounds::new(ground)) })
}

/// Starts every task. The doors stop first, what is behind them when they are closed.
fn spawn(
    config: &Config,
    sockets: Sockets,
    front: &Arc<Front>,
    (outbox, admin): (&Arc<Outbox>, &Arc<Admin>),
    unfinished: bool,
) -> Result<(Stage, Stage), ConfigError> {
    let shared = |drain: &Drain, connections: u32| {
        Arc::new(Shared {
            limits: config.limits.clone(),
            metrics: Arc::clone(&front.metrics),
            drain: drain.clone(),
            drain_timeout: config.server.drain_timeout,
            room: Arc::new(Semaphore::new(usize::try_from(connections).unwrap_or(usize::MAX))),
            places: Arc::new(Places::new(config.limits.connections_per_address)),
            clock: Arc::clone(&front.clock),
            hush: Hush::new(1),
        })
    };
    let mut doors = Stage { drain: Drain::default(), tasks: Vec::new() };
    let of_api = shared(&doors.drain, config.limits.connections);
    // In the order of the configuration.
    for (socket, place) in sockets.api.into_iter().zip(&config.server.listen) {
        let (front, endpoint) = (Arc::clone(front), config.endpoint_at(place)?);
        let door = move |peer: Peer| Door {
            front: Arc::clone(&front),
            peer: peer.through(endpoint.clone()),
        };
        doors.tasks.push(tokio::spawn(accept(socket, Arc::clone(&of_api), door)));
    }

    let mut inner = Stage { drain: Drain::default(), tasks: Vec::new() };
    let of_admin = shared(&inner.drain, ADMIN_CONNECTIONS);
    for (socket, reach) in
        [(Some(sockets.admin), Reach::Everything), (sockets.metrics, Reach::Measurements)]
    {
        let Some(socket) = socket else { continue };
        let admin = Arc::clone(admin);
        let door = move |_| crate::admin::Door { admin: Arc::clone(&admin), reach };
        inner.tasks.push(tokio::spawn(accept(socket, Arc::clone(&of_admin), door)));
    }
    let maintenance = Maintenance { front: Arc::clone(front) };
    inner.tasks.push(tokio::spawn(maintenance.run(inner.drain.clone())));
    let uses = LastUses { front: Arc::clone(front) };
    inner.tasks.push(tokio::spawn(uses.run(inner.drain.clone())));
    let index = Index { finder: Arc::clone(&front.finder) };
    inner.tasks.push(tokio::spawn(index.run(inner.drain.clone())));
    let sweep = Sweep { front: Arc::clone(front) };
    inner.tasks.push(tokio::spawn(sweep.run(inner.drain.clone())));
    inner.tasks.push(tokio::spawn(Arc::clone(outbox).run(inner.drain.clone())));
    if unfinished {
        let admin = Arc::clone(admin);
        inner.tasks.push(tokio::spawn(async move { admin.finish_rotation().await }));
    }
    Ok((doors, inner))
}

async fn open_embedded(folder: PathBuf) -> Result<Embedded, store::Error> {
    let opened = tokio::task::spawn_blocking(move || Embedded::open(&folder, Options::default()));
    opened.await.unwrap_or_else(|_| Err(store::Error::Unavailable("the runtime ended".into())))
}

/// The account and Region of what belongs to none: they seal nothing.
pub(crate) fn nowhere() -> (AccountId, Region) {
    #[expect(clippy::expect_used, reason = "both are well-formed, and a test says so")]
    (
        AccountId::from_number(0).expect("twelve digits"),
        DEFAULT_REGION.parse().expect("a Region name"),
    )
}

/// The Region that `dev` exports, and that IAM's own records stand in.
pub(crate) const DEFAULT_REGION: &str = "us-east-1";
const ADMIN_CONNECTIONS: u32 = 64;
/// Strangers' failures that are logged each second.
const FAILURES_TOLD: u32 = 10;

#[cfg(test)]
mod tests {
    #[test]
    fn nowhere_is_well_formed() {
        assert_eq!(super::nowhere().0.as_str(), "000000000000");
    }
}
