//! Records of the outbox that the journal has taken over, until they are on disk.

use super::{Journal, lock};
use service::audit::Encoded;
use std::collections::VecDeque;

/// Rows remembered at a time. The rows of further ones stay until the outbox is swept.
const MAX_ROWS: usize = 65_536;

/// Rows that wait, each with the bytes that must be synced first.
#[derive(Debug, Default)]
pub(super) struct Settling(VecDeque<(u64, Encoded)>);

impl Settling {
    pub(super) fn remember(&mut self, bytes: u64, records: &[Encoded]) {
        let room = MAX_ROWS.saturating_sub(self.0.len());
        // The row's key is made of the id and the instant; the record itself isn't kept.
        let key = |it: &Encoded| Encoded { id: it.id.clone(), at: it.at, json: String::new() };
        self.0.extend(records.iter().take(room).map(|it| (bytes, key(it))));
    }

    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }
}

impl Journal {
    /// Up to `limit` records whose outbox rows may be removed, since the journal has them on disk.
    ///
    /// Only ids and instants, without JSON: what makes a row's key. A row that isn't removed then is
    /// found by [`recover_outbox`](crate::recover_outbox), or given back with
    /// [`Journal::give_back`].
    pub fn take_settled(&self, limit: usize) -> Vec<Encoded> {
        let synced = self.inner.synced.borrow().bytes;
        let mut settling = lock(&self.inner.settling);
        let settled = settling.0.iter().take_while(|(bytes, _)| *bytes <= synced).count();
        settling.0.drain(..settled.min(limit)).map(|(_, row)| row).collect()
    }

    /// Takes rows back that couldn't be removed.
    pub fn give_back(&self, rows: &[Encoded]) {
        lock(&self.inner.settling).remember(0, rows);
    }
}
