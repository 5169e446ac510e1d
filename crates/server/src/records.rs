//! The records that were written, for those who look them up.

use async_trait::async_trait;
use cloudtrail::{Records, Unreadable};
use std::sync::Arc;
use tokio::sync::Semaphore;
use trail::Position;
use trail::lookup::{Finder, Page, Query};

/// Looks records up in the journal's folder, on threads that may wait for a disk.
pub(crate) struct Looking {
    finder: Arc<Finder>,
    /// Lookups at once. They read files, and must leave threads for those who write.
    room: Semaphore,
}

const AT_ONCE: usize = 4;

impl Looking {
    pub(crate) fn new(finder: Arc<Finder>) -> Self {
        Self { finder, room: Semaphore::new(AT_ONCE) }
    }
}

#[async_trait]
impl Records for Looking {
    async fn page(
        &self,
        query: Query,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Page, Unreadable> {
        let _turn = self.room.acquire().await.map_err(unreadable)?;
        let finder = Arc::clone(&self.finder);
        let looked = tokio::task::spawn_blocking(move || finder.page(&query, before, limit)).await;
        looked.map_err(unreadable)?.map_err(unreadable)
    }
}

fn unreadable(error: impl std::error::Error + 'static) -> Unreadable {
    Unreadable(service::chain(&error))
}
