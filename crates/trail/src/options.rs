//! How a journal is written.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// When a record counts as kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// When it is on disk: nothing answered is ever lost. Appenders share syncs.
    Synced,
    /// When the kernel has it: survives the death of the process; a power cut may take what came
    /// since the last sync, at most 100 ms if the worker keeps its time.
    #[default]
    Written,
}

/// How a journal is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// When a record counts as kept.
    pub durability: Durability,
    /// Longest time that records wait for a signed head while there are some.
    pub head_interval: Duration,
    /// Most records between two signed heads; at most [`MAX_UNSIGNED`](crate::MAX_UNSIGNED).
    pub head_records: u64,
    /// Bytes of a segment. As many again are set aside for the time when the disk is full.
    pub segment_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durability: Durability::Written,
            head_interval: Duration::from_secs(5),
            head_records: crate::MAX_UNSIGNED,
            segment_bytes: 16 * 1024 * 1024,
        }
    }
}
