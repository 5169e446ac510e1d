//! Starts processes: everything that has to be there before a function's first instruction.

use crate::host::World;
use crate::layout::{self, Interpreter, Layout, Parts};
use crate::mask::Mask;
use crate::node;
use crate::process::{Process, Site};
use crate::program::{Credentials, Program, Runtime};
use crate::python::{self, Python, Wanted};
use crate::room::Place;
use crate::sandbox::plan::{Limits, Plan};
use crate::sandbox::{Ground, Level, choose, launch};
use crate::settings::Settings;
use crate::variables;
use crate::{Error, digits};
use base::Sensitive;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::sync::{Mutex, OnceCell};

pub(crate) struct Starter {
    settings: Arc<Settings>,
    world: World,
    ground: Arc<dyn Ground>,
    level: OnceCell<Level>,
    ready: OnceCell<()>,
    pythons: Mutex<BTreeMap<u8, Python>>,
    nodes: Mutex<BTreeMap<u8, Interpreter>>,
    /// One installation at a time.
    installing: Mutex<()>,
    started: AtomicU64,
}

/// How a function is run, found out anew for each process.
struct Means {
    interpreter: Interpreter,
    modules: Vec<PathBuf>,
    /// The command without the interpreter.
    arguments: Vec<String>,
}

impl Starter {
    pub(crate) fn new(settings: Arc<Settings>, world: World, ground: Arc<dyn Ground>) -> Self {
        Self {
            settings,
            world,
            ground,
            level: OnceCell::new(),
            ready: OnceCell::new(),
            pythons: Mutex::default(),
            nodes: Mutex::default(),
            installing: Mutex::default(),
            started: AtomicU64::new(0),
        }
    }

    /// A process of `program`, on its way to its first question.
    pub(crate) async fn start(
        &self,
        program: &Program,
        mask: &[Sensitive],
        place: Place,
    ) -> Result<Process, Error> {
        let broken = |error: io::Error| start_error(program, &error.to_string());
        let level = self.walls().await?;
        let credentials = self.world.credentials.credentials(program).await;
        let credentials = credentials
            .map_err(|reason| Error::Credentials { function: program.name.clone(), reason })?;
        self.open_code(program, level)?;
        let means = self.means(program, level).await?;
        let folder = self.folder().map_err(broken)?;
        let hidden = Mask::of(
            mask.iter().chain([&credentials.secret_access_key, &credentials.session_token]),
        );
        let logs = Arc::clone(&self.world.logs);
        let site = Site::prepare((&program.arn, folder), logs, hidden).await;
        let site = site.map_err(broken)?;
        let plan = self.plan(program, (level, &means), &credentials, &site);
        let owned = (place, credentials.expires, program.revision.as_str());
        site.start(&self.settings.init, plan, owned).await.map_err(broken)
    }

    fn plan(
        &self,
        program: &Program,
        (level, means): (Level, &Means),
        credentials: &Credentials,
        site: &Site,
    ) -> Plan {
        let clients = self.clients();
        let parts = Parts {
            level,
            program,
            interpreter: &means.interpreter,
            modules: &means.modules,
            folder: site.folder(),
            clients: &clients,
        };
        let layout = Layout::new(&self.settings, &parts);
        let stream = self.stream();
        let api = (site.api(), stream.as_str());
        let variables = variables::of(program, &self.settings, credentials, &layout, api);
        let mut command = means.interpreter.command.clone();
        command.extend(means.arguments.iter().map(|it| {
            // Our client and a bootstrap are named by where the function sees them.
            it.replace(CLIENTS, &layout.clients.display().to_string())
                .replace(TASK, &layout.task.display().to_string())
        }));
        let limits = limits(program);
        layout.plan(self.settings.uid(), command, variables, (site.folder(), limits))
    }

    async fn means(&self, program: &Program, level: Level) -> Result<Means, Error> {
        let usable = |it: &Path| self.can_use(it, level);
        match program.runtime {
            Runtime::Provided => {
                let arguments = vec![format!("{TASK}/bootstrap")];
                Ok(Means { interpreter: Interpreter::default(), modules: Vec::new(), arguments })
            }
            Runtime::Node(major) => {
                let mut nodes = self.nodes.lock().await;
                let interpreter = match nodes.get(&major) {
                    Some(found) => found.clone(),
                    None => node::find(&self.settings, major, usable).await?,
                };
                nodes.insert(major, interpreter.clone());
                let arguments = vec![format!("{CLIENTS}/runtime_client.cjs")];
                Ok(Means { interpreter, modules: Vec::new(), arguments })
            }
            Runtime::Python(minor) => {
                let mut pythons = self.pythons.lock().await;
                let python = match pythons.get(&minor) {
                    Some(found) => found.clone(),
                    None => python::find(&self.settings, minor, usable).await?,
                };
                pythons.insert(minor, python.clone());
                drop(pythons);
                let modules = self.modules(program, level, &python).await?;
                let arguments = vec![format!("{CLIENTS}/runtime_client.py")];
                Ok(Means { interpreter: python.interpreter, modules, arguments })
            }
        }
    }

    /// Installs what isn't there yet; where all of it is.
    async fn modules(
        &self,
        program: &Program,
        level: Level,
        python: &Python,
    ) -> Result<Vec<PathBuf>, Error> {
        let broken = |error: io::Error| start_error(program, &error.to_string());
        let task = if level == Level::Full { Path::new("/var/task") } else { &program.code };
        let wanted = python.wanted(&self.settings, &program.code, task).map_err(broken)?;
        for one in wanted.iter().filter(|it| !it.folder.exists()) {
            let _turn = self.installing.lock().await;
            if !one.folder.exists() {
                self.install(program, level, python, one).await?;
            }
        }
        Ok(wanted.into_iter().map(|it| it.folder).collect())
    }

    /// Installs `wanted` behind the same walls as functions: what is installed may run code of its own.
    async fn install(
        &self,
        program: &Program,
        level: Level,
        python: &Python,
        wanted: &Wanted,
    ) -> Result<(), Error> {
        let broken = |error: io::Error| start_error(program, &error.to_string());
        tracing::info!(what = wanted.what, "installing modules for a function");
        let folder = self.folder().map_err(broken)?;
        let fresh = self.settings.environments.join("installing");
        self.make_fresh(&fresh).map_err(broken)?;
        let clients = self.clients();
        let interpreter = &python.interpreter;
        let parts =
            Parts { level, program, interpreter, modules: &[], folder: &folder, clients: &clients };
        let layout = Layout::new(&self.settings, &parts).with_writable(&fresh).for_pip();
        let command = python.install(wanted, &fresh);
        let environment = layout.for_installer(&self.settings.pip);
        let limits = Limits { memory: 2 << 30, scratch: 1 << 30, processes: 512, files: 1024 };
        let plan = layout.plan(self.settings.uid(), command, environment, (&folder, limits));
        let ran = async {
            let (child, _leash) = launch(&self.settings.init, plan, None, |_| ()).await?;
            child.wait_with_output().await
        };
        let output = tokio::time::timeout(self.settings.install_limit, ran).await;
        let _ = fs::remove_dir_all(&folder);
        let output = output.map_err(|_| Error::Modules {
            what: wanted.what.clone(),
            reason: format!("pip took longer than {} s", self.settings.install_limit.as_secs()),
        })?;
        let output = output.map_err(broken)?;
        if !output.status.success() {
            return Err(python::complaint(wanted, &output.stderr));
        }
        python::keep(&fresh, wanted).map_err(broken)
    }

    fn make_fresh(&self, fresh: &Path) -> io::Result<()> {
        let _ = fs::remove_dir_all(fresh);
        fs::create_dir_all(fresh)?;
        self.settings.uid().map_or(Ok(()), |it| chown(fresh, Some(it), Some(it)))
    }

    /// How strong the walls are, found out once.
    pub(crate) async fn walls(&self) -> Result<Level, Error> {
        let ready = self.ready.get_or_try_init(|| async { self.prepare() }).await;
        ready.map_err(|it| Error::Folder {
            folder: self.settings.scratch.clone(),
            reason: it.to_string(),
        })?;
        let found = || choose(self.settings.sandbox, &*self.ground);
        self.level.get_or_try_init(found).await.copied()
    }

    /// Whether functions can run what is at `path`.
    fn can_use(&self, path: &Path, level: Level) -> bool {
        level == Level::Full || self.settings.uid().is_none() || layout::is_passable(path)
    }

    fn open_code(&self, program: &Program, level: Level) -> Result<(), Error> {
        let broken = |error: io::Error| start_error(program, &error.to_string());
        if self.settings.uid().is_some() {
            layout::open_to_readers(&program.code).map_err(broken)?;
        }
        let folders = [&program.code, &self.settings.scratch];
        let closed = folders.into_iter().find(|it| !self.can_use(&it.join("x"), level));
        closed.map_or(Ok(()), |it| {
            let reason = format!(
                "the user of functions can't reach `{}`\nhint: let the server mount, or keep its data in a folder that all may pass",
                it.display()
            );
            Err(start_error(program, &reason))
        })
    }

    /// Empties the scratch folder, and writes our clients.
    fn prepare(&self) -> io::Result<()> {
        let scratch = &self.settings.scratch;
        fs::create_dir_all(&self.settings.environments)?;
        let passable = fs::Permissions::from_mode(0o711);
        fs::create_dir_all(scratch)?;
        for entry in fs::read_dir(scratch)? {
            let path = entry?.path();
            let _ = fs::remove_dir_all(&path);
        }
        fs::set_permissions(scratch, passable.clone())?;
        fs::set_permissions(&self.settings.environments, passable)?;
        let clients = self.clients();
        fs::create_dir_all(&clients)?;
        fs::write(clients.join("runtime_client.py"), PYTHON_CLIENT)?;
        fs::write(clients.join("runtime_client.cjs"), NODE_CLIENT)?;
        if let Some(own) = &self.settings.ca_bundle {
            layout::write_bundle(own, &clients)?;
        }
        layout::open_to_readers(&clients)
    }

    fn clients(&self) -> PathBuf {
        self.settings.scratch.join("clients")
    }

    /// A folder for one process.
    fn folder(&self) -> io::Result<PathBuf> {
        let number = self.started.fetch_add(1, Relaxed);
        let folder = self.settings.scratch.join(format!("process-{number}"));
        layout::make_folder(&folder, self.settings.uid())?;
        Ok(folder)
    }

    /// `2026/11/21/[$LATEST]` and 32 digits.
    fn stream(&self) -> String {
        let bytes: [u8; 16] = self.world.entropy.bytes();
        let hex = digits(&bytes);
        format!("{}[$LATEST]{hex}", self.world.clock.now().format("%Y/%m/%d/"))
    }
}

fn limits(program: &Program) -> Limits {
    let mb = |it: u32| u64::from(it) << 20;
    // What an interpreter maps beside what a program uses: stacks of its threads, above all.
    let room = if matches!(program.runtime, Runtime::Node(_)) { 1024 } else { 128 };
    let memory = mb(program.memory_mb.saturating_add(room));
    Limits { memory, scratch: mb(program.ephemeral_mb), processes: 1024, files: 1024 }
}

fn start_error(program: &Program, reason: &str) -> Error {
    Error::Start { function: program.name.clone(), reason: reason.to_owned() }
}

const PYTHON_CLIENT: &str = include_str!("clients/runtime_client.py");
const NODE_CLIENT: &str = include_str!("clients/runtime_client.cjs");
/// Stand for folders until the layout is known.
const CLIENTS: &str = "{clients}";
const TASK: &str = "{task}";
