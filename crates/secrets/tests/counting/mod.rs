//! A store that counts what is read of it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::backends::memory::Memory;
use store::{Backend, Commit, Error, KeyRange, Revision, Rows, Snapshot};

/// The rows and bytes that readers were given.
#[derive(Debug, Default)]
struct Count {
    rows: AtomicUsize,
    bytes: AtomicUsize,
}

/// A store in memory that counts.
#[derive(Debug)]
pub(crate) struct Counting {
    memory: Arc<Memory>,
    count: Arc<Count>,
}

struct Counted {
    inner: Box<dyn Snapshot>,
    count: Arc<Count>,
}

impl Counting {
    /// Counts what is read of `memory` through this.
    pub(crate) fn over(memory: &Arc<Memory>) -> Self {
        Self { memory: Arc::clone(memory), count: Arc::default() }
    }

    /// Rows and bytes read so far.
    pub(crate) fn read(&self) -> (usize, usize) {
        let Count { rows, bytes } = &*self.count;
        (rows.load(Ordering::SeqCst), bytes.load(Ordering::SeqCst))
    }
}

impl Count {
    fn add<'a>(&self, rows: impl Iterator<Item = &'a Vec<u8>>) {
        for row in rows {
            self.rows.fetch_add(1, Ordering::SeqCst);
            self.bytes.fetch_add(row.len(), Ordering::SeqCst);
        }
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

impl Backend for Counting {
    fn snapshot<'a, 'b>(&'a self) -> Answer<'b, Box<dyn Snapshot>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async {
            let inner = self.memory.snapshot().await?;
            Ok(Box::new(Counted { inner, count: Arc::clone(&self.count) }) as Box<dyn Snapshot>)
        })
    }

    fn commit<'a, 'b>(&'a self, commit: Commit) -> Answer<'b, Revision>
    where
        'a: 'b,
        Self: 'b,
    {
        self.memory.commit(commit)
    }
}

impl Snapshot for Counted {
    fn revision(&self) -> Revision {
        self.inner.revision()
    }

    fn get<'a, 'b, 'c>(&'a self, key: &'b str) -> Answer<'c, Option<Vec<u8>>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(async move {
            let row = self.inner.get(key).await?;
            self.count.add(row.iter());
            Ok(row)
        })
    }

    fn scan_heads<'a, 'b, 'c>(
        &'a self,
        range: &'b KeyRange,
        limit: usize,
        reverse: bool,
        head: usize,
    ) -> Answer<'c, Rows>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(async move {
            let rows = self.inner.scan_heads(range, limit, reverse, head).await?;
            self.count.add(rows.iter().map(|(_, row)| row));
            Ok(rows)
        })
    }
}
