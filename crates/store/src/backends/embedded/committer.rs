//! The one thread that commits, and the one that moves the journal into the tree.
//!
//! The committer takes all waiting commits as a batch, refuses those that conflict, writes the rest
//! to the journal in one frame, syncs once, publishes a new view, and answers all of them. When the
//! journal segment is full, or the store idle, it hands the segment's layer to the mover and goes on
//! with the other segment.

use super::frame::Builder;
use super::journal::Journal;
use super::layer::Layer;
use super::stats::{Counters, timed};
use super::tree::{Stuck, Tree, TreeView};
use super::view::View;
use crate::conflicts::Recent;
use crate::{Commit, Error, Memo, Revision};
use arc_swap::ArcSwap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// What the committer is asked to do.
pub(super) enum Job {
    /// All commits before it are to be in the tree.
    Checkpoint(oneshot::Sender<Result<(), Error>>),
    /// Finish what is waiting, then end.
    Close,
    /// Commit this.
    Commit(Request),
    /// The mover has ended its work.
    Moved(Result<Arc<TreeView>, Stuck>),
}

/// A commit and who waits for it.
pub(super) struct Request {
    pub(super) commit: Commit,
    pub(super) answer: oneshot::Sender<Result<Revision, Error>>,
    /// Its share of the queue; free again when it is answered.
    pub(super) _room: OwnedSemaphorePermit,
}

/// What the mover is asked to do.
pub(super) enum Work {
    /// Free a layer that is in the tree: with so many rows, the committer has no time for it.
    Free { _layer: Arc<Layer> },
    /// Move a layer, whose last commit is given, into the tree.
    Move(Arc<Layer>, Revision),
}

pub(super) struct Committer {
    pub(super) jobs: Receiver<Job>,
    /// Jobs that came while another one was waited for.
    pub(super) waiting: VecDeque<Job>,
    pub(super) journal: Journal,
    pub(super) recent: Recent,
    pub(super) view: Arc<ArcSwap<View>>,
    pub(super) memo: Arc<Memo>,
    pub(super) counters: Arc<Counters>,
    pub(super) idle: Duration,
    pub(super) frame: Builder,
    pub(super) mover: Mover,
}

/// The other thread, and what it is doing.
pub(super) struct Mover {
    pub(super) work: Sender<Work>,
    pub(super) thread: JoinHandle<()>,
    /// The revision up to which the frozen layer goes.
    pub(super) upto: Revision,
    pub(super) busy: bool,
    /// Why the frozen layer is still there.
    pub(super) failure: Option<Error>,
}

/// A batch ends here, so that the first of many waiting commits does not wait for the last.
const MOST_COMMITS: usize = 1024;
const MOST_BYTES: usize = 8 << 20;

impl Committer {
    pub(super) fn run(mut self) {
        if self.view.load().frozen.is_some() {
            self.start_move();
        }
        loop {
            match self.next() {
                Some(Job::Commit(first)) => self.commit(first),
                Some(Job::Moved(outcome)) => self.moved(outcome),
                Some(Job::Checkpoint(answer)) => drop(answer.send(self.checkpoint())),
                Some(Job::Close) => break,
                None => self.tidy_up(),
            }
        }
        // What can't be moved now is still in the journal, and found at the next start.
        let _best_effort = self.checkpoint();
        let Mover { work, thread, .. } = self.mover;
        drop(work);
        let _its_end = thread.join();
    }

    /// The next job; `None` if there was none for a while and something is left to move.
    fn next(&mut self) -> Option<Job> {
        if let Some(job) = self.waiting.pop_front() {
            return Some(job);
        }
        let view = self.view.load();
        let settled = view.active.is_empty() && view.frozen.is_none();
        if settled || self.mover.busy {
            return Some(self.jobs.recv().unwrap_or(Job::Close));
        }
        match self.jobs.recv_timeout(self.idle) {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Job::Close),
        }
    }

    /// Takes what waits behind `first`, makes one durable write of it, and answers.
    fn commit(&mut self, first: Request) {
        let batch = self.gather(first);
        let passed = self.judge(batch);
        if passed.is_empty() {
            return;
        }
        let first = self.view.load().revision.0.saturating_add(1);
        let (written, took) = timed(|| self.write(Revision(first)));
        if let Err(error) = written {
            self.recent.reset(self.view.load().revision);
            self.counters.failed(&error);
            for request in passed {
                let _caller_may_be_gone = request.answer.send(Err(again(&error)));
            }
            return;
        }
        let rows = passed.iter().map(|it| it.commit.writes.len()).sum();
        self.counters.batch(passed.len(), rows, took);
        self.publish(Revision(first), passed);
    }

    fn gather(&mut self, first: Request) -> Vec<Request> {
        let mut bytes = first.commit.bytes();
        let mut batch = vec![first];
        while batch.len() < MOST_COMMITS && bytes < MOST_BYTES {
            match self.waiting.pop_front().or_else(|| self.jobs.try_recv().ok()) {
                Some(Job::Commit(next)) => {
                    bytes = bytes.saturating_add(next.commit.bytes());
                    batch.push(next);
                }
                Some(Job::Moved(outcome)) => self.moved(outcome),
                Some(other) => {
                    self.waiting.push_front(other);
                    break;
                }
                None => break,
            }
        }
        batch
    }

    /// Puts the commits that may pass into the frame; answers the others.
    fn judge(&mut self, batch: Vec<Request>) -> Vec<Request> {
        self.frame.clear();
        let mut passed = Vec::with_capacity(batch.len());
        let mut revision = self.view.load().revision;
        for request in batch {
            let verdict = self.recent.check(&request.commit);
            let empty = request.commit.writes.is_empty();
            if empty || verdict.is_err() {
                if verdict.is_err() {
                    self.counters.conflict();
                }
                let _caller_may_be_gone = request.answer.send(verdict.map(|()| revision));
                continue;
            }
            if self.frame.add(&request.commit.writes).is_none() {
                // INVARIANT: `Embedded::commit` has refused what a frame can't hold.
                let error = Error::Unavailable("the commit is too large".into());
                let _caller_may_be_gone = request.answer.send(Err(error));
                continue;
            }
            revision = Revision(revision.0.saturating_add(1));
            let keys = request.commit.writes.iter().map(|(key, _)| key.as_str());
            self.recent.record(revision, keys);
            passed.push(request);
        }
        passed
    }

    fn write(&mut self, first: Revision) -> Result<(), Error> {
        if !self.journal.fits(&self.frame) && !self.journal.try_to_grow(&self.frame) {
            self.rotate()?;
        }
        if !self.journal.fits(&self.frame) {
            self.journal.grow_for(&self.frame)?;
        }
        self.journal.append(&mut self.frame, first)
    }

    /// Shows the written commits to readers, then tells their callers.
    fn publish(&mut self, first: Revision, passed: Vec<Request>) {
        let old = self.view.load_full();
        let mut revisions = (first.0..).map(Revision);
        let mut last = first;
        let mut answers = Vec::with_capacity(passed.len());
        for (request, revision) in passed.into_iter().zip(&mut revisions) {
            let keys = request.commit.writes.iter().map(|(key, _)| key.as_str());
            self.memo.forget(keys, revision);
            old.active.write(revision, request.commit.writes);
            answers.push((request.answer, revision));
            last = revision;
        }
        self.show(View { revision: last, ..old.share() });
        for (answer, revision) in answers {
            let _caller_may_be_gone = answer.send(Ok(revision));
        }
    }

    /// Goes on with the other segment, as soon as it is free.
    ///
    /// # Errors
    ///
    /// Why the other segment can't be moved into the tree.
    fn rotate(&mut self) -> Result<(), Error> {
        if self.view.load().frozen.is_some() {
            self.finish_move()?;
        }
        let view = self.view.load_full();
        if view.active.is_empty() {
            return Ok(());
        }
        self.journal.rotate()?;
        self.mover.upto = view.revision;
        let frozen = Some(Arc::clone(&view.active));
        self.show(View { active: Arc::default(), frozen, ..view.share() });
        self.start_move();
        Ok(())
    }

    /// Moves everything into the tree, and waits for it.
    fn checkpoint(&mut self) -> Result<(), Error> {
        self.rotate()?;
        if self.view.load().frozen.is_some() { self.finish_move() } else { Ok(()) }
    }

    /// In a quiet moment: begins to move what there is, or tries again what failed.
    fn tidy_up(&mut self) {
        if self.view.load().frozen.is_some() {
            self.start_move();
        } else if let Err(error) = self.rotate() {
            self.counters.failed(&error);
        }
    }

    fn start_move(&mut self) {
        if self.mover.busy {
            return;
        }
        if let Some(frozen) = self.view.load().frozen.clone() {
            self.mover.failure = None;
            self.mover.busy = self.mover.work.send(Work::Move(frozen, self.mover.upto)).is_ok();
        }
    }

    /// Waits until the frozen layer is in the tree, trying once more if it failed before.
    fn finish_move(&mut self) -> Result<(), Error> {
        self.start_move();
        while self.mover.busy {
            match self.jobs.recv() {
                Ok(Job::Moved(outcome)) => self.moved(outcome),
                Ok(other) => self.waiting.push_back(other),
                Err(_) => break,
            }
        }
        match (&self.mover.failure, &self.view.load().frozen) {
            (Some(error), _) => Err(again(error)),
            (None, Some(_)) => Err(Error::Unavailable("the mover has ended".into())),
            (None, None) => Ok(()),
        }
    }

    fn moved(&mut self, outcome: Result<Arc<TreeView>, Stuck>) {
        self.mover.busy = false;
        let view = self.view.load_full();
        match outcome {
            Ok(tree) => {
                self.show(View { frozen: None, tree, ..view.share() });
                let frozen = view.frozen.clone();
                drop(view);
                let _freed_here_if_not_there =
                    frozen.map(|it| self.mover.work.send(Work::Free { _layer: it }));
            }
            Err(Stuck { error, tree }) => {
                self.counters.failed(&error);
                self.mover.failure = Some(error);
                // The frozen layer stays above it, so it does not matter how far it got.
                if let Some(tree) = tree {
                    self.show(View { tree, ..view.share() });
                }
            }
        }
    }

    fn show(&self, view: View) {
        let frozen = view.frozen.as_ref().map_or(0, |it| it.len());
        let pending = view.active.len().saturating_add(frozen);
        self.counters.sizes(pending, self.journal.bytes(), self.journal.used());
        self.view.store(Arc::new(view));
    }
}

/// Moves layers into the tree until nobody can ask any more.
pub(super) fn move_layers(
    mut tree: Tree,
    work: &Receiver<Work>,
    jobs: &Sender<Job>,
    counters: &Counters,
) {
    while let Ok(work) = work.recv() {
        let Work::Move(layer, upto) = work else { continue };
        let (outcome, took) = timed(|| tree.apply(&layer, upto));
        if outcome.is_ok() {
            counters.moved(took, tree.bytes());
        }
        drop(layer);
        if jobs.send(Job::Moved(outcome)).is_err() {
            break;
        }
    }
}

/// The same failure, for another caller.
fn again(error: &Error) -> Error {
    match error {
        Error::Conflict { key } => Error::Conflict { key: key.clone() },
        Error::Corrupt { key, reason } => {
            Error::Corrupt { key: key.clone(), reason: reason.clone() }
        }
        Error::Full => Error::Full,
        Error::Locked { path } => Error::Locked { path: path.clone() },
        Error::Unavailable(cause) => Error::Unavailable(cause.to_string().into()),
    }
}
