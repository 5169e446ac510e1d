//! Rows on this machine's disk.
//!
//! Three parts. The `journal` makes a batch of commits durable with one sequential write; a `layer`
//! holds in memory what only the journal has; the `tree` (redb) has the rest, and gets whole journal
//! segments at once. The `committer` drives them, a `view` reads through them. Why so:
//! `docs/design/0001-embedded-store.md`.
//!
//! Deliberately absent: several writing processes, compaction, encryption (rows come sealed).

mod committer;
mod disk;
mod faults;
mod folder;
mod frame;
mod journal;
mod layer;
mod options;
mod stats;
mod tree;
mod view;

use crate::conflicts::Recent;
use crate::{Backend, Commit, Error, Memo, Revision, Snapshot};
use arc_swap::ArcSwap;
use async_trait::async_trait;
use committer::{Committer, Job, Mover, Request, move_layers};
pub use faults::{DiskFault, Faults};
use folder::Folder;
use frame::Builder;
use journal::{Found, Journal};
use layer::Layer;
pub use options::Options;
use stats::Counters;
pub use stats::{Histogram, Stats};
use std::collections::VecDeque;
use std::fmt;
use std::path::Path;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::{Semaphore, oneshot};
use tree::Tree;
use view::{Held, View};

/// A store in a folder of this machine, for one process at a time.
///
/// Dropping it waits until what is waiting is committed and the files are closed.
pub struct Embedded {
    view: Arc<ArcSwap<View>>,
    memo: Arc<Memo>,
    jobs: Sender<Job>,
    room: Arc<Semaphore>,
    counters: Arc<Counters>,
    committer: Mutex<Option<JoinHandle<()>>>,
}

/// What [`Embedded::check`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether the tree was as its checksums say. If not, it has been mended.
    pub tree_was_whole: bool,
    /// Commits in the journal that the next start will find.
    pub journal_commits: u64,
    /// The last commit of the store.
    pub revision: Revision,
}

/// Commits may wait for this much, in units of [`UNIT`]; the next one waits for room.
const ROOM: usize = 4096;
/// A commit takes one unit of room, and one more for each of these bytes.
const UNIT: usize = 16 << 10;
/// Larger commits are refused: they would have to fit into memory and the journal at once.
const MOST_BYTES: usize = 48 << 20;

impl Embedded {
    /// Opens the store in `folder`, which is made (mode 0700) where it is missing.
    ///
    /// # Errors
    ///
    /// - [`Error::Corrupt`]: damage, or files of a newer program. Nothing was changed.
    /// - [`Error::Full`]: no room for the journal.
    /// - [`Error::Locked`]: another process has it open.
    /// - [`Error::Unavailable`]: the folder or a file can't be used.
    pub fn open(folder: &Path, options: Options) -> Result<Self, Error> {
        let folder = Arc::new(Folder::open(folder)?);
        let (tree, below) = Tree::open(Arc::clone(&folder), options)?;
        let options = tree.options().clone();
        let (journal, found) = Journal::open(&folder, &options, below.revision)?;
        folder.sync()?;

        let Found { older, newer } = found;
        let upto = older.last().map_or(below.revision, |(revision, _)| *revision);
        let revision = newer.last().map_or(upto, |(revision, _)| *revision);
        let frozen = (!older.is_empty()).then(|| Arc::new(Layer::of(older)));
        let active = Arc::new(Layer::of(newer));
        let view = View { revision, active, frozen, tree: below };
        let view = Arc::new(ArcSwap::from_pointee(view));

        let counters = Arc::<Counters>::default();
        let memo = Arc::new(Memo::new(options.memo_bytes));
        let (jobs, for_committer) = mpsc::channel();
        let (work, for_mover) = mpsc::channel();
        let (answers, mover_counters) = (jobs.clone(), Arc::clone(&counters));
        let thread = spawn("store-mover", move || {
            move_layers(tree, &for_mover, &answers, &mover_counters);
        })?;
        let committer = Committer {
            jobs: for_committer,
            waiting: VecDeque::new(),
            journal,
            recent: Recent::new(options.remembered_keys, revision),
            view: Arc::clone(&view),
            memo: Arc::clone(&memo),
            counters: Arc::clone(&counters),
            idle: options.idle,
            frame: Builder::new(),
            mover: Mover { work, thread, upto, busy: false, failure: None },
        };
        let committer = spawn("store-committer", move || committer.run())?;
        let room = Arc::new(Semaphore::new(ROOM));
        Ok(Self { view, memo, jobs, room, counters, committer: Mutex::new(Some(committer)) })
    }

    /// Counters for metrics.
    pub fn stats(&self) -> Stats {
        self.counters.read()
    }

    /// Moves everything committed until now from the journal into the tree.
    ///
    /// Happens by itself, too: nothing is lost without it.
    pub async fn checkpoint(&self) -> Result<(), Error> {
        let (answer, heard) = oneshot::channel();
        self.jobs.send(Job::Checkpoint(answer)).map_err(|_| closed())?;
        heard.await.map_err(|_| closed())?
    }

    /// Commits what is waiting, and closes the files. Later commits are refused; snapshots go on
    /// reading as far as they can. Blocks for as long as the disk takes.
    pub fn close(&self) {
        let committer = self.committer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(committer) = committer {
            let _it_may_have_ended = self.jobs.send(Job::Close);
            let _its_end = committer.join();
        }
    }

    /// Examines the store in `folder`, which no process may have open: checksums of the whole tree,
    /// and of all commits in the journal. Reads everything, so it takes a while.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`]: damage that can't be mended without losing something.
    pub fn check(folder: &Path, options: Options) -> Result<Health, Error> {
        let folder = Arc::new(Folder::open(folder)?);
        let (mut tree, below) = Tree::open(Arc::clone(&folder), options)?;
        let applied = below.revision;
        drop(below);
        let tree_was_whole = tree.check()?;
        let (_, Found { older, newer }) = Journal::open(&folder, tree.options(), applied)?;
        let commits = older.len().saturating_add(newer.len()) as u64;
        let revision = Revision(applied.0.saturating_add(commits));
        Ok(Health { tree_was_whole, journal_commits: commits, revision })
    }
}

#[async_trait]
impl Backend for Embedded {
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error> {
        let latest = Arc::clone(&self.view);
        Ok(Box::new(Held { view: latest.load_full(), latest }))
    }

    async fn commit(&self, commit: Commit) -> Result<Revision, Error> {
        let bytes = commit.bytes();
        if bytes > MOST_BYTES {
            return Err(Error::Unavailable(
                format!("a commit of {bytes} bytes is too large").into(),
            ));
        }
        let units = u32::try_from(1 + bytes / UNIT).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(units).await.map_err(|_| closed())?;
        let (answer, heard) = oneshot::channel();
        let request = Request { commit, answer, _room: room };
        self.jobs.send(Job::Commit(request)).map_err(|_| closed())?;
        heard.await.map_err(|_| closed())?
    }

    fn memo(&self) -> Option<&Memo> {
        Some(&self.memo)
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let revision = self.view.load().revision;
        out.debug_struct("Embedded").field("revision", &revision).finish_non_exhaustive()
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Error> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(run).map_err(folder::told)
}

fn closed() -> Error {
    Error::Unavailable("the store is closed".into())
}

#[cfg(test)]
mod tests;
