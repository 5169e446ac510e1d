//! What this crate needs of the machine: the records that were written.

use async_trait::async_trait;
use std::sync::Arc;
use trail::Position;
use trail::lookup::{Page, Query};

/// The records of this server.
#[async_trait]
pub trait Records: Send + Sync {
    /// At most `limit` of the records in front of `before`, the newest first. Whatever was answered is among them.
    async fn page(
        &self,
        query: Query,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Page, Unreadable>;
}

/// The journal can't be read. The text is for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// What the server hands in, with [`service::Call::with_port`].
#[derive(Clone)]
pub struct Asker(pub Arc<dyn Records>);

impl std::fmt::Debug for Asker {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Asker")
    }
}
