//! One running copy of a function, from its start to its end.

use crate::desk::{Desk, Event, Said};
use crate::door::Door;
use crate::log::Log;
use crate::mask::Mask;
use crate::peers::Family;
use crate::program::LogSink;
use crate::room::Place;
use crate::sandbox::plan::Plan;
use crate::sandbox::{launch, not_started};
use base::Timestamp;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::{Child, ChildStdin};

/// A function's process. Dropping it ends it, with all that it started.
pub(crate) struct Process {
    child: Child,
    /// Closed, it ends the process.
    leash: Option<ChildStdin>,
    desk: Arc<Desk>,
    pub(crate) log: Log,
    _door: Door,
    /// Removed at the end.
    _folder: Folder,
    /// Given back when all of it has ended.
    _place: Place,
    /// The end of its credentials.
    pub(crate) expires: Timestamp,
    pub(crate) revision: String,
}

/// Why a process doesn't work any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fallen {
    /// It ended, with this status.
    Exited(i32),
    /// It took too long.
    Late,
    /// The walls couldn't be built.
    NotStarted,
    /// It said so itself.
    Said(Said),
}

/// What is ready before a process is started.
pub(crate) struct Site {
    desk: Arc<Desk>,
    family: Arc<Family>,
    door: Door,
    log: Log,
    outputs: (std::os::fd::OwnedFd, std::os::fd::OwnedFd),
    folder: Folder,
}

impl Site {
    /// Opens the door and the log of a process of `arn` that will live in `folder`.
    pub(crate) async fn prepare(
        (arn, folder): (&str, PathBuf),
        sink: Arc<dyn LogSink>,
        mask: Mask,
    ) -> io::Result<Self> {
        let (desk, family) = (Arc::new(Desk::default()), Arc::new(Family::default()));
        let door = Door::open(Arc::clone(&desk), arn, Arc::clone(&family)).await?;
        let (log, outputs) = Log::start(arn, sink, mask)?;
        Ok(Self { desk, family, door, log, outputs, folder: Folder(folder) })
    }

    pub(crate) fn api(&self) -> SocketAddr {
        self.door.at()
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder.0
    }

    /// Starts the process.
    pub(crate) async fn start(
        self,
        init: &[OsString],
        plan: Plan,
        (place, expires, revision): (Place, Timestamp, &str),
    ) -> io::Result<Process> {
        let begun = |id| self.family.begin(id);
        let (child, leash) = launch(init, plan, Some(self.outputs), begun).await?;
        Ok(Process {
            child,
            leash: Some(leash),
            desk: self.desk,
            log: self.log,
            _door: self.door,
            _folder: self.folder,
            _place: place,
            expires,
            revision: revision.to_owned(),
        })
    }
}

impl Process {
    /// The process group, and the outermost process.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits until it asks for work.
    pub(crate) async fn started(&mut self, limit: Duration) -> Result<(), Fallen> {
        let desk = Arc::clone(&self.desk);
        tokio::select! {
            biased;
            started = desk.started() => started.map_err(Fallen::Said),
            status = self.child.wait() => Err(fallen(status)),
            () = tokio::time::sleep(limit) => Err(Fallen::Late),
        }
    }

    /// Gives it `event`, and waits for what it says.
    pub(crate) async fn work(&mut self, event: Event, limit: Duration) -> Result<Said, Fallen> {
        let mut said = self.desk.give(event);
        tokio::select! {
            biased;
            Ok(said) = &mut said => Ok(said),
            status = self.child.wait() => match said.try_recv() {
                // Its last words, and they count.
                Ok(said) => Ok(said),
                Err(_) => Err(fallen(status)),
            },
            () = tokio::time::sleep(limit) => Err(Fallen::Late),
        }
    }

    /// Whether it is there and may be used until `until`.
    pub(crate) fn is_fit(&mut self, revision: &str, until: Timestamp) -> bool {
        let alive = matches!(self.child.try_wait(), Ok(None));
        alive && self.revision == revision && until < self.expires
    }

    /// Ends it, and waits until all that it started has ended.
    pub(crate) async fn end(&mut self) {
        drop(self.leash.take());
        let group = self.child.id().and_then(|it| i32::try_from(it).ok());
        if tokio::time::timeout(END, self.child.wait()).await.is_err()
            && let Some(group) = group.and_then(rustix::process::Pid::from_raw)
        {
            tracing::warn!("a function's processes didn't end in time and are killed");
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            let _ = self.child.wait().await;
        }
        self.log.finish().await;
    }
}

fn fallen(status: io::Result<ExitStatus>) -> Fallen {
    let status = status.ok();
    let code = status.and_then(|it| it.code());
    if not_started(code) {
        return Fallen::NotStarted;
    }
    let signal = status.and_then(|it| std::os::unix::process::ExitStatusExt::signal(&it));
    let by_signal = signal.map(|it| crate::sandbox::BY_SIGNAL + it);
    Fallen::Exited(code.or(by_signal).unwrap_or(1))
}

/// A folder that goes when its owner does.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How long the ends of all processes are waited for.
const END: Duration = Duration::from_secs(10);
