//! The life of a server process: start, signals, drain.

use crate::{log, output};
use ::server::config::Config;
use ::server::{Running, Server, StartError};
use anyhow::{Context, Result};
use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use std::io::ErrorKind;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Runs the server of `config` until a signal asks it to stop. `ready` is called when it answers.
pub(crate) fn until_stopped(
    mut config: Config,
    ready: impl AsyncFnOnce(&Running) -> Result<()>,
) -> Result<ExitCode> {
    config.validate()?;
    config.credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(Into::into);
    let path = std::env::var_os("PATH").unwrap_or_default();
    config.path = std::env::split_paths(&path).collect();
    log::start(config.log.format, config.log.level);
    open_to_nobody();
    leave_no_core();
    config.limits.connections = within_descriptors(config.limits.connections);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.context("can't start a runtime")?.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).context("can't listen for SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("can't listen for SIGINT")?;
        let running = Server::new(config).start().await.map_err(hinted)?;
        ready(&running).await?;
        tokio::select! {
            _ = terminate.recv() => (),
            _ = interrupt.recv() => (),
        }
        output::note("stopping: running requests finish; once more to stop at once");
        tokio::select! {
            () = running.shutdown() => Ok(ExitCode::SUCCESS),
            _ = terminate.recv() => Ok(ExitCode::FAILURE),
            _ = interrupt.recv() => Ok(ExitCode::FAILURE),
        }
    })
}

/// A reason not to start, with a remedy where the library knows none.
pub(crate) fn hinted(error: StartError) -> anyhow::Error {
    let error = anyhow::Error::from(error);
    let taken = |it: &std::io::Error| it.kind() == ErrorKind::AddrInUse;
    if error.chain().any(|it| it.downcast_ref().is_some_and(taken)) {
        return error.context("\nhint: stop what listens there, or choose another address");
    }
    error
}

/// What this process makes, sockets above all, is its user's alone until it says otherwise: between
/// making and changing a mode there is a moment. For the whole process, so before it has threads.
pub(crate) fn open_to_nobody() {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// Plaintext lives in memory for moments; none of them may end up in a core file or a debugger of
/// another process of this user.
pub(crate) fn leave_no_core() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let limited = rustix::process::setrlimit(Resource::Core, none);
    let hidden = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    if let Err(error) = limited.and(hidden) {
        tracing::warn!(%error, "core files can't be switched off");
    }
}

/// Raises the number of files this process may have open as far as it may, and says how many of
/// `connections` fit: strangers' connections must leave enough for the store, the audit journal and
/// the admin socket.
fn within_descriptors(connections: u32) -> u32 {
    let Rlimit { maximum, .. } = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit { current: maximum, maximum };
    if let Err(error) = rustix::process::setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files can't be raised");
    }
    let files = rustix::process::getrlimit(Resource::Nofile).current;
    let fitting = fitting(connections, files);
    if fitting < connections {
        tracing::warn!(
            connections,
            fitting,
            "fewer connections than configured: too few open files"
        );
    }
    fitting
}

fn fitting(connections: u32, files: Option<u64>) -> u32 {
    let room = files.map_or(u64::MAX, |it| it.saturating_sub(KEPT_FILES).max(1));
    connections.min(u32::try_from(room).unwrap_or(u32::MAX))
}

/// Open files that connections of the API leave to everything else; the admin API alone may have 64.
const KEPT_FILES: u64 = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_to_the_rest() {
        for (connections, files, expected) in [
            (4096, None, 4096),
            (4096, Some(20_000), 4096),
            (4096, Some(1024), 768),
            (16, Some(1024), 16),
            (4096, Some(100), 1),
        ] {
            assert_eq!(fitting(connections, files), expected, "{connections} {files:?}");
        }
    }
}
