//! The life of a server process: start, signals, drain.

use crate::{log, output};
use ::server::config::Config;
use ::server::{Running, Server, StartError};
use anyhow::{Context, Result};
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
    log::start(config.log.format, config.log.level);
    leave_no_core();
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
fn hinted(error: StartError) -> anyhow::Error {
    let error = anyhow::Error::from(error);
    let taken = |it: &std::io::Error| it.kind() == ErrorKind::AddrInUse;
    if error.chain().any(|it| it.downcast_ref().is_some_and(taken)) {
        return error.context("\nhint: stop what listens there, or choose another address");
    }
    error
}

/// Plaintext lives in memory for moments; none of them may end up in a core file or a debugger of
/// another process of this user.
fn leave_no_core() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let limited = rustix::process::setrlimit(Resource::Core, none);
    let hidden = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    if let Err(error) = limited.and(hidden) {
        tracing::warn!(%error, "core files can't be switched off");
    }
}
