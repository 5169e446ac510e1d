//! What this host can do, found out by doing it.

use super::plan::{Level, Limits, NOT_STARTED, Order, Plan, Shown, Stage};
use crate::Error;
use crate::settings::{Demand, Settings};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};

/// The host, as far as walls are concerned.
#[async_trait]
pub trait Ground: Send + Sync {
    /// Whether walls of this level can be built here; if not, the sentence that says why.
    async fn bears(&self, level: Level) -> Result<(), String>;
}

/// The strongest level that `ground` bears and the operator accepts.
pub async fn choose(demand: Demand, ground: &dyn Ground) -> Result<Level, Error> {
    let full = match demand {
        Demand::None => return Ok(Level::Open),
        Demand::Require | Demand::Prefer => ground.bears(Level::Full).await,
    };
    let Err(full) = full else { return Ok(Level::Full) };
    if demand == Demand::Require {
        return Err(Error::NoSandbox { lacking: full });
    }
    match ground.bears(Level::Fenced).await {
        Ok(()) => {
            tracing::warn!(lacking = full, "functions run behind Landlock only");
            Ok(Level::Fenced)
        }
        Err(fenced) => Err(Error::NoSandbox { lacking: format!("{full}; {fenced}") }),
    }
}

/// Tries each level with a program that does nothing.
pub(crate) struct Trial {
    init: Vec<OsString>,
    uid: Option<u32>,
    scratch: PathBuf,
}

impl Trial {
    pub(crate) fn new(settings: &Settings) -> Self {
        let uid = settings.uid();
        Self { init: settings.init.clone(), uid, scratch: settings.scratch.clone() }
    }

    fn plan(&self, level: Level, root: PathBuf) -> Plan {
        let folders = ["/usr", "/bin", "/lib", "/lib64", "/dev/null"].map(Shown::in_place);
        Plan {
            level,
            uid: self.uid,
            program: vec!["/bin/true".to_owned()],
            directory: PathBuf::from("/"),
            environment: BTreeMap::new(),
            root,
            shown: if level == Level::Full { Vec::new() } else { folders.into() },
            texts: BTreeMap::new(),
            limits: Limits { memory: 64 << 20, scratch: 1 << 20, processes: 1024, files: 64 },
        }
    }
}

#[async_trait]
impl Ground for Trial {
    async fn bears(&self, level: Level) -> Result<(), String> {
        let root = self.scratch.join("trial");
        let made = std::fs::create_dir_all(&root);
        made.map_err(|it| format!("`{}` can't be made: {it}", root.display()))?;
        let plan = self.plan(level, root);
        let tried = async {
            let (child, leash) = launch(&self.init, plan, None, |_| ()).await?;
            let output = child.wait_with_output().await;
            drop(leash);
            output
        };
        let limit = tokio::time::timeout(TRIAL, tried).await;
        let output = limit.map_err(|_| "the trial took too long".to_owned())?;
        let output = output.map_err(|it| it.to_string())?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let why = said.lines().next_back().unwrap_or("the first process ended without a word");
        Err(format!("{}: {why}", needs(level)))
    }
}

fn needs(level: Level) -> &'static str {
    match level {
        Level::Full => "no namespaces for functions",
        Level::Fenced => "no Landlock for functions",
        Level::Open => "functions can't be started",
    }
}

/// Starts the first process of `plan`. What the function says goes to `output`, or is kept for who
/// waits. Closing what is returned beside it ends the function with all it started.
pub(crate) async fn launch(
    init: &[OsString],
    plan: Plan,
    output: Option<(OwnedFd, OwnedFd)>,
    begun: impl FnOnce(Option<u32>),
) -> io::Result<(Child, ChildStdin)> {
    let [program, arguments @ ..] = init else {
        return Err(io::Error::other("no program that starts functions is set"));
    };
    let (out, err) = match output {
        Some((out, err)) => (Stdio::from(out), Stdio::from(err)),
        None => (Stdio::null(), Stdio::piped()),
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().current_dir(Path::new("/"));
    command.stdin(Stdio::piped()).stdout(out).stderr(err).process_group(0);
    let mut child = command.spawn()?;
    // Before it has its order, so before it can do anything.
    begun(child.id());
    let mut leash = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut line = serde_json::to_vec(&Order { stage: Stage::Outer, plan })?;
    line.push(b'\n');
    let written = leash.write_all(&line).await;
    zeroize::Zeroize::zeroize(&mut line);
    written.map(|()| (child, leash))
}

/// Whether a first process ended because it couldn't build the walls.
pub(crate) fn not_started(code: Option<i32>) -> bool {
    code == Some(NOT_STARTED)
}

/// What the trial of a level may take.
const TRIAL: Duration = Duration::from_secs(20);
