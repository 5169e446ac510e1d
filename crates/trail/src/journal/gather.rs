//! Records of many requests, written by one call to the kernel.
//!
//! The first request that has a record lets all others that are ready come first, and then writes the
//! records of all. Where requests come one after the other that would only cost time, so after a few
//! turns alone records are written at once, and company is looked for now and then.

use super::{Inner, lock};
use crate::Error;
use service::audit::Encoded;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;

/// Records that wait to be written together, and who waits for them.
#[derive(Default)]
pub(super) struct Gather(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    records: Vec<Encoded>,
    answers: Vec<oneshot::Sender<Written>>,
    /// Someone will write them.
    led: bool,
    /// Appends since company was last found.
    alone: u32,
}

/// How many bytes must be synced for the records to be on disk.
type Written = Result<u64, Arc<Error>>;

/// So many turns alone, and records are written at once.
const LONELY: u32 = 4;
/// How often company is looked for then.
const HOPE: u32 = 64;
/// So many records are not made to wait for more.
const MOST: usize = 64;

/// What the request that brings a record does.
enum Turn {
    /// Writes its own records, now.
    Alone,
    /// Lets others come, then writes for all.
    Lead(oneshot::Receiver<Written>),
    /// Waits for the leader.
    Follow(oneshot::Receiver<Written>),
    /// Doesn't let them wait any longer.
    Last(oneshot::Receiver<Written>),
}

/// Writes what waits, also if its request is given up.
struct Leader<'a>(&'a Inner);

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        self.0.flush();
    }
}

impl Inner {
    /// Writes `records`, perhaps with those of others, and says how many bytes must be synced for them to
    /// be on disk.
    pub(super) async fn write_together(&self, records: &[Encoded]) -> Written {
        match self.gather.join(records) {
            Turn::Alone => self.writer().append(records, &*self.clock).map_err(Arc::new),
            Turn::Follow(answer) => heard(answer).await,
            Turn::Last(answer) => {
                self.flush();
                heard(answer).await
            }
            Turn::Lead(answer) => {
                let leader = Leader(self);
                tokio::task::yield_now().await;
                drop(leader);
                heard(answer).await
            }
        }
    }

    /// Writes everything that waits, and tells those who wait.
    fn flush(&self) {
        let (records, answers) = self.gather.take();
        if answers.is_empty() {
            return;
        }
        let written = self.writer().append(&records, &*self.clock).map_err(Arc::new);
        for answer in answers {
            let _may_be_gone = answer.send(written.clone());
        }
    }
}

impl Gather {
    fn join(&self, records: &[Encoded]) -> Turn {
        let mut waiting = lock(&self.0);
        waiting.alone = waiting.alone.saturating_add(1);
        if !waiting.led && waiting.is_lonely() {
            return Turn::Alone;
        }
        let (answer, heard) = oneshot::channel();
        waiting.records.extend_from_slice(records);
        waiting.answers.push(answer);
        match std::mem::replace(&mut waiting.led, true) {
            true if MOST <= waiting.records.len() => Turn::Last(heard),
            true => Turn::Follow(heard),
            false => Turn::Lead(heard),
        }
    }
}

impl Gather {
    /// Everything that waits; the next record finds nobody leading.
    fn take(&self) -> (Vec<Encoded>, Vec<oneshot::Sender<Written>>) {
        let mut waiting = lock(&self.0);
        waiting.led = false;
        if waiting.answers.len() > 1 {
            waiting.alone = 0;
        }
        (std::mem::take(&mut waiting.records), std::mem::take(&mut waiting.answers))
    }
}

impl Waiting {
    /// Whether waiting for company has been in vain.
    fn is_lonely(&self) -> bool {
        LONELY < self.alone && !self.alone.is_multiple_of(HOPE)
    }
}

async fn heard(answer: oneshot::Receiver<Written>) -> Written {
    // The leader always answers, even when it is dropped.
    answer.await.unwrap_or_else(|_| Err(Arc::new(Error::Closed)))
}

#[cfg(test)]
mod tests {
    use crate::journal::Journal;
    use crate::journal::tests::on_disk;
    use crate::testing::{Deed, DiskState, ids, ids_of, record, small};
    use crate::{Error, Options};
    use service::audit::{Trail as _, TrailError};
    use std::future::poll_fn;
    use std::path::Path;
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::Poll;
    use tempfile::tempdir;
    use tokio::task::JoinHandle;

    fn journal(folder: &Path) -> (Journal, Arc<DiskState>) {
        let (journal, disk) = on_disk(folder, 256 << 20, Options::default());
        disk.deeds();
        (journal, disk)
    }

    fn spawn(journal: &Journal, number: u64) -> JoinHandle<Result<(), TrailError>> {
        let journal = journal.clone();
        tokio::spawn(async move { journal.append(&[record(number)]).await })
    }

    async fn once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        poll_fn(|it| Poll::Ready(Pin::new(&mut *future).poll(it))).await
    }

    fn writes(disk: &DiskState) -> usize {
        disk.deeds().iter().filter(|it| matches!(it, Deed::Write(_))).count()
    }

    #[tokio::test]
    async fn who_comes_together_is_written_together() {
        let folder = tempdir().expect("a folder");
        let (journal, disk) = journal(folder.path());
        let waiting: Vec<_> = (0..100).map(|it| spawn(&journal, it)).collect();
        for it in waiting {
            it.await.expect("no panic").expect("space");
        }
        assert_eq!(writes(&disk), 2, "64 and the rest");
        assert_eq!(ids(folder.path()), ids_of(0..100), "in the order of appends");
    }

    #[tokio::test]
    async fn who_is_alone_is_soon_written_at_once() {
        let folder = tempdir().expect("a folder");
        let (journal, disk) = journal(folder.path());
        for number in 0..200 {
            journal.append(&[record(number)]).await.expect("space");
        }
        assert_eq!(writes(&disk), 200);
        let one = [record(200)];
        let polled_once = once(&mut journal.append(&one)).await;
        assert!(polled_once.is_ready(), "nothing was waited for");
        let waiting: Vec<_> = (201..400).map(|it| spawn(&journal, it)).collect();
        for it in waiting {
            it.await.expect("no panic").expect("space");
        }
        let together = writes(&disk);
        assert!((3..=70).contains(&together), "company is found again: {together}");
    }

    #[tokio::test]
    async fn a_leader_that_gives_up_leaves_nobody_waiting() {
        let folder = tempdir().expect("a folder");
        let (journal, _disk) = journal(folder.path());
        let (first, second) = ([record(0)], [record(1)]);
        let (mut leader, mut follower) = (journal.append(&first), journal.append(&second));
        assert!(once(&mut leader).await.is_pending() && once(&mut follower).await.is_pending());
        drop(leader);
        follower.await.expect("space");
        assert_eq!(ids(folder.path()), ids_of(0..2));
    }

    #[tokio::test]
    async fn a_full_disk_refuses_all_of_them_and_keeps_none() {
        let folder = tempdir().expect("a folder");
        let (journal, _disk) = on_disk(folder.path(), 256 * 1024 + 3 * 4096 - 1, small());
        let mut kept = 0;
        while journal.take_over(&[record(kept)]).is_ok() {
            kept += 1;
        }
        let waiting: Vec<_> = (500..510).map(|it| spawn(&journal, it)).collect();
        for it in waiting {
            let refused = it.await.expect("no panic").expect_err("no space");
            let cause = refused.0.downcast_ref::<Arc<Error>>().expect("ours");
            assert!(matches!(**cause, Error::Full), "{cause}");
        }
        assert_eq!(ids(folder.path()), ids_of(0..kept));
    }
}
