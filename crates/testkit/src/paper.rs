//! A trail that keeps records in memory, and fails when told to.

use async_trait::async_trait;
use service::audit::{Encoded, TrailError};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Records in the order they came.
#[derive(Debug, Default)]
pub struct PaperTrail {
    records: Mutex<Vec<Encoded>>,
    torn: AtomicBool,
}

impl PaperTrail {
    /// Takes all records out.
    pub fn take(&self) -> Vec<serde_json::Value> {
        let records = std::mem::take(&mut *self.lock());
        records.iter().filter_map(|it| serde_json::from_str(&it.json).ok()).collect()
    }

    /// Makes every further record fail, or succeed again.
    pub fn tear(&self, torn: bool) {
        self.torn.store(torn, Ordering::SeqCst);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Encoded>> {
        self.records.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[async_trait]
impl service::Trail for PaperTrail {
    async fn append(&self, records: &[Encoded]) -> Result<(), TrailError> {
        if self.torn.load(Ordering::SeqCst) {
            return Err(TrailError("the paper is torn".into()));
        }
        self.lock().extend_from_slice(records);
        Ok(())
    }

    async fn append_committed(&self, records: &[Encoded]) -> Result<(), TrailError> {
        self.append(records).await
    }
}
