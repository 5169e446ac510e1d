//! The audit journal: hash-chained segments, signed heads, verification.
//!
//! Read [`line`](mod@line) first (what a line of the journal is), then [`Journal`] (how records are
//! written and kept), then [`verify()`] (how a change shows). [`Reader`] reads the records, [`Filter`]
//! picks some, [`render`] prints them; [`drain`] and [`recover_outbox`] empty the store's outbox into
//! the journal. [`lookup`] finds records by what they have, however many there are. The form of the files:
//! `docs/design/0002-journal.md` and `0008-lookup.md`.
//!
//! Invariants:
//!
//! - A journal is only ever appended to. What a failed write left is cut off before anything else
//!   is written; anything else that is wrong is refused, never repaired.
//! - When an append has answered, its records are with the kernel, or on disk, as configured.
//! - `heads` knows a head only after its segment is on disk.
//!
//! Absent: old segments are never removed here, and nothing is sent anywhere.

mod error;
mod files;
mod find;
mod hash;
mod head;
mod journal;
mod key;
pub mod line;
pub mod lookup;
mod options;
mod outbox;
mod reader;
mod record;
pub mod render;
mod segments;
mod stats;
#[cfg(test)]
mod testing;
mod verify;
mod walk;

pub use error::Error;
pub use find::Search;
pub use hash::Hash;
pub use head::{Head, MAX_UNSIGNED};
pub use journal::Journal;
pub use key::{PublicKey, SigningKey};
pub use options::{Durability, Options};
pub use outbox::{Recovered, drain, recover_outbox, replay};
pub use reader::{Entry, Position, Reader};
pub use record::{Filter, Identity, Record};
pub use stats::{Stats, SyncTimes};
pub use verify::{Break, Finding, Progress, Reason, Summary, verify};
