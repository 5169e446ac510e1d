//! What this crate needs of the machine: somewhere to keep packages, and something that runs them.

use crate::{Elsewhere, Function};
use async_trait::async_trait;
use base::Timestamp;
use bytes::Bytes;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Where packages are, by the SHA-256 of their bytes in lower-case hex.
#[async_trait]
pub trait CodeStore: Send + Sync {
    /// Keeps `package`. When it returns, the package is on disk, and counts as kept at this moment.
    async fn keep(&self, sha256: &str, package: Bytes) -> io::Result<()>;

    /// A folder with what is in the package, to be read only.
    async fn folder(&self, sha256: &str) -> io::Result<PathBuf>;

    /// Packages that were last kept before `instant`.
    async fn older(&self, instant: Timestamp) -> io::Result<Vec<String>>;

    /// Removes a package, unless it was kept since `instant`.
    async fn remove(&self, sha256: &str, instant: Timestamp) -> io::Result<()>;
}

/// What runs functions.
///
/// It takes the function's code from a [`CodeStore`] and makes the credentials of its role by itself. Dropping
/// the future ends the invocation.
#[async_trait]
pub trait Invoker: Send + Sync {
    /// Runs `function` with `payload` to its end, at most for [`Function::timeout`]. With `tail`, keeps the end
    /// of what it logs.
    async fn invoke(
        &self,
        function: &Function,
        payload: Bytes,
        tail: bool,
    ) -> Result<Invoked, InvokeError>;

    /// Takes an event that nobody waits for: when it returns, the event is in the queue.
    async fn queue(&self, function: &Function, payload: Bytes) -> Result<(), InvokeError>;
}

/// What came of an invocation.
#[derive(Clone, PartialEq, Eq)]
pub struct Invoked {
    /// What the function answered, or what is wrong with it, in JSON.
    pub payload: Bytes,
    /// Whether it is wrong: `Unhandled`.
    pub error: Option<&'static str>,
    /// The last 4 KiB of its log, if they were wanted.
    pub log: Option<Bytes>,
}

/// Why nothing came of it. The function itself is not to blame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// Too many at once.
    #[error("too many invocations at once")]
    Busy,
    /// The text is for the log, and holds nothing secret.
    #[error("{0}")]
    Failed(String),
    /// Nothing here does it. The text names it.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
}

/// What the server hands in, with [`service::Call::with_port`].
#[derive(Clone)]
pub struct Machine {
    /// Where packages are.
    pub code: Arc<dyn CodeStore>,
    /// What runs them, if anything does.
    pub invoker: Option<Arc<dyn Invoker>>,
    /// What others run.
    pub elsewhere: Elsewhere,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Machine").field("runs", &self.invoker.is_some()).finish_non_exhaustive()
    }
}

/// Neither what it answered nor what it logged.
impl std::fmt::Debug for Invoked {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Invoked").field("error", &self.error).finish_non_exhaustive()
    }
}
