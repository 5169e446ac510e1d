//! From the store's outbox into the journal.
//!
//! A change and its records are one commit: the records wait in `outbox/` until the journal has them
//! on disk. [`drain`] removes the rows of those it took over in time; [`recover_outbox`] finds the
//! others, after a crash or an append that failed, and appends them exactly once.

use crate::line::{self, Kind};
use crate::segments::{self, Lines, Next};
use crate::{Error, Journal, Record};
use base::Timestamp;
use service::audit::{Encoded, OUTBOX, OUTBOX_PREFIX};
use std::collections::BTreeSet;
use std::ops::Bound;
use std::path::Path;
use store::{Backend, KeyRange};

/// Rows handled at a time.
const ROWS: usize = 256;

/// What came out of the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Records that were not in the journal.
    pub appended: usize,
    /// Rows removed, of those and of records that were.
    pub removed: usize,
}

/// Empties the outbox of all rows older than `before` into the journal, each record exactly once.
///
/// At the start, before requests are served, `before` is the end of time. Later it must lie further
/// back than any request can take from its arrival to its end: rows of running requests are theirs.
///
/// # Errors
///
/// What was done until then stays done; calling it again goes on.
pub async fn recover_outbox(
    backend: &dyn Backend,
    journal: &Journal,
    before: Timestamp,
) -> Result<Recovered, Error> {
    let mut recovered = Recovered::default();
    let mut range = KeyRange::prefix(OUTBOX_PREFIX);
    loop {
        let page = store::begin(backend).page::<Encoded>(range.clone(), ROWS, false).await?;
        let more = page.more && page.rows.iter().all(|(_, row)| row.at < before);
        if let Some((last, _)) = page.rows.last() {
            range.from = Bound::Excluded(last.clone());
        }
        let rows: Vec<_> = page.rows.into_iter().map(|(_, row)| row).collect();
        let old: Vec<_> = rows.into_iter().filter(|it| it.at < before).collect();
        if !old.is_empty() {
            recovered.appended += replay_apart(journal, old.clone()).await?;
            journal.settle().await?;
            recovered.removed += old.len();
            remove(backend, &old).await?;
        }
        if !more {
            return Ok(recovered);
        }
    }
}

/// Syncs the journal and removes the outbox rows of records that it now has on disk. Says how many.
///
/// # Errors
///
/// Rows that couldn't be removed are tried again with the next call.
pub async fn drain(backend: &dyn Backend, journal: &Journal) -> Result<usize, Error> {
    journal.settle().await?;
    let mut removed = 0;
    loop {
        let rows = journal.take_settled(ROWS);
        if rows.is_empty() {
            return Ok(removed);
        }
        if let Err(error) = remove(backend, &rows).await {
            journal.give_back(&rows);
            return Err(error);
        }
        removed += rows.len();
    }
}

/// Appends those of `records` that the journal doesn't have, and says how many. Blocks.
///
/// Reads the segments that ended after the oldest of them.
pub fn replay(journal: &Journal, records: impl Iterator<Item = Encoded>) -> Result<usize, Error> {
    let records: Vec<_> = records.collect();
    let there = present(journal.path(), &records)?;
    let missing: Vec<_> = records.into_iter().filter(|it| !there.contains(&it.id)).collect();
    missing.chunks(ROWS).try_for_each(|it| journal.take_over(it))?;
    Ok(missing.len())
}

async fn replay_apart(journal: &Journal, records: Vec<Encoded>) -> Result<usize, Error> {
    let journal = journal.clone();
    let replayed = tokio::task::spawn_blocking(move || replay(&journal, records.into_iter()));
    match replayed.await {
        Ok(count) => count,
        Err(_runtime_ends) => Err(Error::Closed),
    }
}

async fn remove(backend: &dyn Backend, rows: &[Encoded]) -> Result<(), Error> {
    let mut txn = store::begin(backend);
    for row in rows {
        txn.remove(&OUTBOX, row);
    }
    Ok(txn.commit().await?)
}

/// The ids of those of `records` that the journal in `folder` holds.
fn present(folder: &Path, records: &[Encoded]) -> Result<BTreeSet<String>, Error> {
    let mut found = BTreeSet::new();
    let Some(oldest) = records.iter().map(|it| it.at).min() else { return Ok(found) };
    // A record stands under its exact instant, so only few have to be looked into.
    let instants: BTreeSet<_> = records.iter().map(|it| it.at).collect();
    let wanted: BTreeSet<_> = records.iter().map(|it| it.id.as_str()).collect();
    for segment in young(folder, oldest)? {
        let Some(mut lines) = Lines::open(folder, segments::name(segment), 0)? else { continue };
        while let Next::Line(text) = lines.next()? {
            let Ok(line) = line::parse(text) else { continue };
            if line.kind != Kind::Record || !instants.contains(&line.at) {
                continue;
            }
            let id = Record::parse(line.body).map(|it| it.event_id);
            found.extend(id.filter(|it| wanted.contains(it.as_str())));
        }
    }
    Ok(found)
}

/// The segments that may hold a record of `oldest` or later: a segment begins no earlier than any
/// record before it.
fn young(folder: &Path, oldest: Timestamp) -> Result<Vec<u64>, Error> {
    let mut numbers = Vec::new();
    for number in segments::list(folder)?.into_iter().rev() {
        numbers.push(number);
        let Some(mut lines) = Lines::open(folder, segments::name(number), 0)? else { continue };
        if let Next::Line(text) = lines.next()?
            && line::parse(text).is_ok_and(|it| it.at < oldest)
        {
            break;
        }
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ids, ids_of, open, record, records, small};
    use crate::{Finding, verify};
    use service::Trail;
    use store::Txn;
    use store::backends::memory::{Fault, Memory};
    use tempfile::tempdir;

    const EVER: Timestamp = Timestamp::from_millis(i64::MAX);

    async fn put(memory: &Memory, rows: &[Encoded]) {
        let mut txn = store::begin(memory);
        for row in rows {
            txn.save(&OUTBOX, row, row).expect("a record");
        }
        txn.commit().await.expect("no fault");
    }

    async fn left(memory: &Memory) -> Vec<String> {
        let mut txn: Txn<'_> = store::begin(memory);
        let range = KeyRange::prefix(OUTBOX_PREFIX);
        let page = txn.page::<Encoded>(range, 10_000, false).await.expect("alive");
        page.rows.into_iter().map(|(_, row)| row.id).collect()
    }

    #[tokio::test]
    async fn rows_go_when_the_journal_is_on_disk() {
        let folder = tempdir().expect("a folder");
        let journal = open(folder.path(), small()).expect("new");
        let memory = Memory::new();
        put(&memory, &records(0..600)).await;
        journal.append_committed(&records(0..599)).await.expect("space");
        memory.fault(Fault::Full, 2);
        assert!(drain(&memory, &journal).await.is_err());
        assert_eq!(left(&memory).await.len(), 600 - 256);
        assert_eq!(drain(&memory, &journal).await.expect("space"), 599 - 256);
        assert_eq!(left(&memory).await, ["id-599"]);
        assert_eq!(drain(&memory, &journal).await.expect("space"), 0);
    }

    #[tokio::test]
    async fn only_rows_older_than_running_requests_are_swept() {
        let folder = tempdir().expect("a folder");
        let journal = open(folder.path(), small()).expect("new");
        let memory = Memory::new();
        put(&memory, &records(0..300)).await;
        journal.append_committed(&records(0..10)).await.expect("space");
        let before = Timestamp::from_millis(280);
        let recovered = recover_outbox(&memory, &journal, before).await.expect("space");
        assert_eq!(recovered, Recovered { appended: 270, removed: 280 });
        assert_eq!(left(&memory).await, ids_of(280..300));
        assert_eq!(ids(folder.path()), ids_of(0..280));
        let again = recover_outbox(&memory, &journal, before).await.expect("space");
        assert_eq!(again, Recovered::default());
    }

    /// Kills between any two commits and around any record; what the outbox held is in the journal
    /// once, whatever was there before.
    #[tokio::test]
    async fn each_record_is_appended_once_wherever_it_dies() {
        const RECORDS: u64 = 600; // three removals
        for fault in [Fault::DieAfter, Fault::DieBefore, Fault::Fail, Fault::Full] {
            for (nth, taken_over) in
                (1..=3).flat_map(|nth| [0, 1, 255, 256, 257, 600].map(|it| (nth, it)))
            {
                let folder = tempdir().expect("a folder");
                let memory = Memory::new();
                put(&memory, &records(0..RECORDS)).await;
                let journal = open(folder.path(), small()).expect("new");
                journal.append(&records(0..taken_over)).await.expect("space");
                memory.fault(fault, nth);
                recover_outbox(&memory, &journal, EVER).await.expect_err("the fault");
                drop(journal);

                memory.revive();
                let journal = open(folder.path(), small()).expect("whole");
                recover_outbox(&memory, &journal, EVER).await.expect("no fault");
                journal.close().expect("a disk");
                let mut found = ids(folder.path());
                found.sort();
                let mut expected = ids_of(0..RECORDS);
                expected.sort();
                assert!(found == expected, "{fault:?} {nth} {taken_over}: {} records", found.len());
                assert_eq!(left(&memory).await, [""; 0]);
                let finding = verify(folder.path(), None, &mut |_| ()).expect("readable");
                assert!(matches!(finding, Finding::Whole(_)), "{finding:?}");
            }
        }
    }

    /// The clock was ahead when a record was written, and was set back before the next segments.
    #[test]
    fn a_clock_set_back_hides_no_record() {
        let folder = tempdir().expect("a folder");
        let journal = open(folder.path(), small()).expect("new");
        let ahead = Encoded { at: Timestamp::from_millis(1_000_000), ..record(7) };
        journal.take_over(std::slice::from_ref(&ahead)).expect("space");
        for number in 100..200 {
            journal.take_over(&[record(number)]).expect("space");
        }
        assert!(segments::list(folder.path()).expect("a folder").len() > 3);
        assert_eq!(replay(&journal, [ahead, record(150)].into_iter()).expect("space"), 0);
        assert_eq!(replay(&journal, [record(300), record(199)].into_iter()).expect("space"), 1);
        assert_eq!(replay(&journal, std::iter::empty()).expect("nothing"), 0);
    }

    #[test]
    fn old_segments_are_not_read() {
        let folder = tempdir().expect("a folder");
        let journal = open(folder.path(), small()).expect("new");
        for number in 0..100 {
            journal.take_over(&[record(number)]).expect("space");
        }
        let all = segments::list(folder.path()).expect("a folder");
        let young_of = |at| young(folder.path(), Timestamp::from_millis(at)).expect("readable");
        assert_eq!(young_of(99), all[all.len() - 1..]);
        assert_eq!(young_of(0).len(), all.len());
    }
}
