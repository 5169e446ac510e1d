//! Keeps ready what lookups of records need, while the processor has nothing better to do.

use crate::drain::Drain;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;
use trail::lookup::Finder;

/// Reads what was written since it last did, and looks after the files of full segments.
pub(crate) struct Index {
    pub(crate) finder: Arc<Finder>,
}

const PAUSE: Duration = Duration::from_secs(1);
/// The least that a thread can ask for.
const LEAST: i32 = 19;

impl Index {
    /// Works until the stop. A lookup needs nobody to be done before: what this leaves it does itself.
    pub(crate) async fn run(self, stop: Drain) {
        let (running, stopped) = channel::<()>();
        let work = move || work(&self.finder, &stopped);
        // A thread of its own: one that has stepped back can't come forward again.
        let thread = match thread::Builder::new().name("index".to_owned()).spawn(work) {
            Ok(thread) => thread,
            Err(error) => return tracing::error!(%error, "what finds audit records has no thread"),
        };
        stop.begun().await;
        drop(running);
        let _ended = tokio::task::spawn_blocking(|| thread.join()).await;
    }
}

fn work(finder: &Finder, stopped: &Receiver<()>) {
    if let Err(error) = rustix::process::setpriority_process(None, LEAST) {
        tracing::warn!(%error, "what finds audit records competes with requests");
    }
    let (mut failing, mut pause) = (false, PAUSE);
    while matches!(stopped.recv_timeout(pause), Err(RecvTimeoutError::Timeout)) {
        let outcome = step(finder);
        if let Err(error) = &outcome
            && !failing
        {
            let cause = service::chain(error);
            tracing::error!(cause, "what finds audit records is not kept up");
        }
        failing = outcome.is_err();
        pause = if outcome.unwrap_or(false) { Duration::ZERO } else { PAUSE };
    }
}

/// A little of what there is to do, the newest first; tells whether there is more.
fn step(finder: &Finder) -> Result<bool, trail::Error> {
    Ok(finder.catch_up()? || finder.mend(1)?)
}
