//! The wish to stop.

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask a demonstration to stop.
pub(super) struct Interrupt {
    signals: [Signal; 3],
    came: bool,
}

impl Interrupt {
    /// From here on they don't end the process.
    pub(super) fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).context("can't listen for signals");
        let hangup = listen(SignalKind::hangup())?;
        let interrupt = listen(SignalKind::interrupt())?;
        Ok(Self { signals: [hangup, interrupt, listen(SignalKind::terminate())?], came: false })
    }

    /// Waits for the first.
    pub(super) async fn comes(&mut self) {
        let [hangup, interrupt, terminate] = &mut self.signals;
        tokio::select! {
            _ = hangup.recv() => (),
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
        }
        self.came = true;
    }

    /// Whether somebody who waited was told.
    pub(super) fn came(&self) -> bool {
        self.came
    }
}
