//! Writing, dying and opening again.

use super::*;
use crate::testing::{
    Disk, DiskState, HandClock, fill, ids, ids_of, key, open, record, records, small,
};
use crate::{Finding, Reader, verify};
use std::fs;
use std::time::Duration;
use tempfile::{TempDir, tempdir};

/// Checks the journal; how many records it has, if it is whole.
fn whole(folder: &Path) -> u64 {
    match verify(folder, Some(key(1).public()), &mut |_| ()).expect("readable") {
        Finding::Whole(summary) => summary.records,
        Finding::Broken(found) => panic!("{found}"),
    }
}

fn last_segment(folder: &Path) -> PathBuf {
    let last = crate::segments::list(folder).expect("a folder").pop().expect("a segment");
    folder.join(crate::segments::name(last))
}

/// A journal of `count` records that was not closed.
fn killed(options: Options, count: u64) -> TempDir {
    let folder = tempdir().expect("a folder");
    let journal = open(folder.path(), options).expect("new");
    fill(&journal, 0..count);
    journal.sync().expect("a disk");
    folder
}

pub(super) fn on_disk(folder: &Path, free: u64, options: Options) -> (Journal, Arc<DiskState>) {
    let (disk, state) = Disk::create(folder, free);
    let lock = RealFolder::create(folder).and_then(|it| it.lock()).expect("a lock");
    let held = (disk as Arc<dyn Folder>, lock.expect("no other writer"));
    let opened = super::open::open(folder.to_owned(), held, options, (key(1), HandClock::at(0)));
    (opened.expect("enough space"), state)
}

#[test]
fn records_are_lines_that_grep_finds_and_only_the_owner_reads() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let journal = open(&path, Options::default()).expect("new");
    journal.take_over(&records(0..3)).expect("space");
    journal.take_over(&[]).expect("nothing to do");
    assert_eq!(journal.sequence(), 3);
    let text = fs::read_to_string(last_segment(&path)).expect("text");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(lines[2].starts_with("R 2 1 ") && lines[2].ends_with(&record(1).json), "{text}");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&last_segment(&path))), (0o700, 0o600));
}

#[test]
fn a_journal_goes_on_over_segments_and_starts() {
    let folder = tempdir().expect("a folder");
    for start in 0..4 {
        let journal = open(folder.path(), small()).expect("whole");
        assert_eq!(journal.sequence(), start * 20);
        fill(&journal, start * 20..start * 20 + 20);
        if start % 2 == 0 {
            journal.close().expect("a disk");
            assert!(matches!(journal.take_over(&[record(0)]), Err(Error::Closed)));
        }
    }
    open(folder.path(), small()).expect("whole").close().expect("a disk");
    assert_eq!(whole(folder.path()), 80);
    assert_eq!(ids(folder.path()), ids_of(0..80));
    assert!(crate::segments::list(folder.path()).expect("a folder").len() > 3);
}

#[test]
fn a_torn_line_is_cut_off_wherever_it_is_torn() {
    // The last line is a record, and then a head that `heads` doesn't know.
    for (count, last_is_head) in [(14, false), (15, true)] {
        let folder = killed(small(), count);
        if last_is_head {
            let heads = fs::read_to_string(folder.path().join("heads")).expect("heads");
            let known = heads.trim_end().rfind('\n').expect("two heads") + 1;
            fs::write(folder.path().join("heads"), &heads[..known]).expect("written");
        }
        let segment = last_segment(folder.path());
        let text = fs::read(&segment).expect("a segment");
        let start = text[..text.len() - 1].iter().rposition(|it| *it == b'\n').expect("lines") + 1;
        for length in start..text.len() {
            fs::write(&segment, &text[..length]).expect("written");
            let journal = open(folder.path(), small()).expect("only torn");
            let kept = if last_is_head { count } else { count - 1 };
            assert_eq!(journal.sequence(), kept, "cut to {length}");
            let now = fs::metadata(&segment).expect("there").len();
            assert_eq!(now, start as u64, "cut to {length}");
        }
        let journal = open(folder.path(), small()).expect("whole");
        journal.take_over(&[record(99)]).expect("space");
        journal.close().expect("a disk");
        let expected = if last_is_head { count + 1 } else { count };
        assert_eq!(whole(folder.path()), expected);
    }
}

#[test]
fn what_is_wrong_otherwise_is_refused_and_left_alone() {
    type Harm = fn(&Path);
    fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(path).expect("a file");
        change(&mut bytes);
        fs::write(path, bytes).expect("written");
    }
    #[rustfmt::skip]
    let cases: [(&str, Harm); 10] = [
        ("line 1: changed",       |it| edit(&last_segment(it), |text| text[2] ^= 1)),
        ("line 2: ",              |it| edit(&last_segment(it), |text| {
            let second = text.iter().position(|it| *it == b'\n').expect("lines");
            text[second + 90] ^= 1;
        })),
        ("not a line",            |it| edit(&last_segment(it), |text| text.extend(b"x\n"))),
        ("end was cut off",       |it| edit(&last_segment(it), |text| text.truncate(700))),
        ("end was cut off",       |it| edit(&last_segment(it), |text| text.truncate(0))),
        ("end was cut off",       |it| fs::remove_file(last_segment(it)).expect("removed")),
        ("`00000001.log`, line 1: the file is missing",
                                  |it| fs::remove_file(it.join("00000001.log")).expect("removed")),
        ("`heads`, line 1: the file is missing",
                                  |it| fs::remove_file(it.join("heads")).expect("removed")),
        ("`heads`, line 1: not",  |it| edit(&it.join("heads"), |text| text[20] ^= 1)),
        ("another signing key",   |it| fs::write(it.join("public-key"), format!("{}\n", key(2).public()))
                                           .expect("written")),
    ];
    for (expected, harm) in cases {
        let folder = killed(small(), 32);
        harm(folder.path());
        let before = contents(folder.path());
        let error = open(folder.path(), small()).map(|_| ()).expect_err(expected).to_string();
        let expected = if expected.contains("end was cut off") && error.contains("not the first") {
            "not the first line of a segment"
        } else {
            expected
        };
        assert!(error.contains(expected), "{expected}: {error}");
        assert_eq!(contents(folder.path()), before, "{expected}");
    }
}

fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).expect("a folder").map(|it| it.expect("an entry"));
    let content = |it: fs::DirEntry| {
        let name = it.file_name().to_string_lossy().into_owned();
        (name, fs::read(it.path()).expect("a file"))
    };
    let mut all: Vec<_> = entries.map(content).collect();
    all.sort();
    all
}

#[test]
fn another_key_is_refused() {
    let folder = killed(small(), 3);
    let opened = Journal::open(folder.path(), small(), key(2), HandClock::at(0));
    assert!(matches!(opened, Err(Error::OtherKey)));
}

#[test]
fn two_writers_are_refused_until_the_first_is_gone() {
    let folder = tempdir().expect("a folder");
    let first = open(folder.path(), small()).expect("new");
    assert!(matches!(open(folder.path(), small()), Err(Error::Locked { .. })));
    drop(first);
    open(folder.path(), small()).expect("free");
}

#[test]
fn a_page_that_a_power_cut_took_is_cut_off_unless_a_head_covers_it() {
    for (count, lost, whole) in [(13, 11, true), (13, 8, false)] {
        let folder = killed(small(), count);
        let segment = last_segment(folder.path());
        let mut text = fs::read(&segment).expect("a segment");
        let wanted = format!("R {lost} ");
        let place = text.windows(wanted.len()).position(|it| it == wanted.as_bytes());
        let place = place.expect("the record");
        text[place + 20..place + 60].fill(0);
        fs::write(&segment, text).expect("written");
        match open(folder.path(), small()) {
            Ok(journal) => assert!(whole && journal.sequence() == lost - 1),
            Err(error) => assert!(!whole && error.to_string().contains("cut off"), "{error}"),
        }
    }
}

#[test]
fn records_that_fit_no_line_are_refused() {
    let folder = tempdir().expect("a folder");
    let journal = open(folder.path(), small()).expect("new");
    for json in [String::new(), "{\n}".into(), "\0".into(), "x".repeat(crate::line::MAX_LINE)] {
        let appended = journal.take_over(&[record(0), Encoded { json, ..record(1) }]);
        assert!(matches!(appended, Err(Error::Unfit { .. })));
    }
    let long = "x".repeat(crate::line::MAX_LINE - crate::line::OVERHEAD);
    journal.take_over(&[Encoded { json: long, ..record(1) }]).expect("longer than a segment");
    journal.take_over(&[record(2)]).expect("in the next one");
    journal.close().expect("a disk");
    assert_eq!(whole(folder.path()), 2);
}

#[test]
fn a_full_disk_leaves_room_for_a_segment_and_is_survived() {
    let folder = tempdir().expect("a folder");
    // The first segment, a spare, and not enough for a third.
    let (journal, disk) = on_disk(folder.path(), 256 * 1024 + 3 * 4096 - 1, small());
    journal.tick(Timestamp::default()).expect("space");
    let mut kept = 0;
    let error = loop {
        match journal.take_over(&records(kept..kept + 2)) {
            Ok(()) => kept += 2,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Full), "{error}");
    assert_eq!(journal.stats().segment, 2, "the spare was used");
    assert!(kept >= 20, "{kept}");
    let stats = journal.stats();
    assert!(stats.failing && stats.failures == 1 && stats.last_error.is_some(), "{stats:?}");
    assert!(matches!(journal.tick(Timestamp::default()), Err(Error::Full)));
    assert_eq!(ids(folder.path()), ids_of(0..kept));

    disk.give(4096);
    journal.take_over(&records(kept..kept + 2)).expect("space again");
    assert!(!journal.stats().failing);
    kept += 2;
    while journal.take_over(&records(kept..kept + 2)).is_ok() {
        kept += 2;
    }
    assert!(journal.stats().failing);
    disk.give(8192);
    journal.tick(Timestamp::default()).expect("space for a spare");
    assert!(journal.stats().spare && !journal.stats().failing, "known without trying");
    journal.close().expect("a disk");
    assert_eq!(whole(folder.path()), kept);
}

/// Whatever a power cut takes, it takes from the end.
#[test]
fn the_disk_has_the_old_segment_before_the_next_and_segments_before_heads() {
    use crate::testing::Deed::{Rename, Sync, Write};
    let folder = tempdir().expect("a folder");
    let (journal, disk) = on_disk(folder.path(), 1024 * 1024, small());
    let mut deeds = disk.deeds();
    journal.take_over(&[record(0)]).expect("space");
    let [Write(old)] = disk.deeds()[..] else { panic!("one write for one call") };
    while journal.stats().segment == 1 {
        deeds = disk.deeds();
        journal.take_over(&records(0..2)).expect("space");
    }
    assert_eq!(deeds, [Write(old)], "one write for one call");
    let deeds = disk.deeds();
    let [Write(last), Sync(old_synced), Write(new), Sync(new_synced), Rename, Write(then)] =
        deeds[..]
    else {
        panic!("{deeds:?}")
    };
    assert_eq!((last, old_synced), (old, old));
    assert_eq!((new_synced, then), (new, new));

    journal.sync().expect("a disk");
    let deeds = disk.deeds();
    let [Sync(segment), Write(heads), Sync(heads_synced)] = deeds[..] else { panic!("{deeds:?}") };
    assert!(segment == new && heads == heads_synced && heads != new, "{deeds:?}");
}

#[test]
fn a_segment_may_begin_while_a_spare_is_made() {
    let folder = tempdir().expect("a folder");
    let (journal, disk) = on_disk(folder.path(), 1024 * 1024, small());
    let append_to = |segment| {
        while journal.stats().segment < segment {
            journal.take_over(&[record(journal.sequence())]).expect("space");
        }
    };
    append_to(2);
    assert!(!journal.stats().spare, "used up");
    let (making, go_on) = disk.pause_reservation();
    std::thread::scope(|scope| {
        let ticking = scope.spawn(|| journal.tick(Timestamp::default()));
        making.recv().expect("a reservation");
        append_to(3);
        go_on.send(()).expect("it waits");
        ticking.join().expect("no panic").expect("space");
    });
    assert!(journal.stats().spare);
    append_to(5);
    journal.close().expect("a disk");
    assert_eq!(whole(folder.path()), journal.sequence());
}

#[test]
fn a_write_cut_short_anywhere_leaves_no_trace() {
    // Records longer than the reserved space, so that they need the rest of the disk.
    let long =
        |number| Encoded { json: format!("{:>5000}", record(number).json), ..record(number) };
    let two = 2 * (5000 + 80);
    for fitting in (0..two).step_by(97) {
        let folder = tempdir().expect("a folder");
        let (journal, disk) = on_disk(folder.path(), 1024 * 1024, small());
        journal.take_over(&[record(0)]).expect("space");
        disk.take_all_but(fitting);
        let before = fs::read(last_segment(folder.path())).expect("a segment");
        let _maybe = journal.take_over(&[long(1), long(2)]);
        let kept = journal.sequence();
        assert!(kept == 1 || kept == 3, "all or none, not {kept}");
        if kept == 1 && crate::segments::list(folder.path()).expect("a folder").len() == 1 {
            let after = fs::read(last_segment(folder.path())).expect("a segment");
            assert!(after.starts_with(&before), "{fitting}");
        }
        disk.give(1024 * 1024);
        journal.take_over(&[record(9)]).expect("space again");
        journal.close().expect("a disk");
        assert_eq!(whole(folder.path()), kept + 1, "{fitting}");
    }
}

#[test]
fn nothing_is_taken_after_a_failed_sync() {
    let folder = tempdir().expect("a folder");
    let (journal, disk) = on_disk(folder.path(), 1024 * 1024, small());
    journal.take_over(&[record(0)]).expect("space");
    let _head_due = journal.inner.writer().sign(Timestamp::default());
    disk.break_syncs();
    assert!(matches!(journal.sync(), Err(Error::Stopped(_))));
    assert_eq!(fs::read(folder.path().join("heads")).expect("heads"), b"", "not on disk");
    assert!(matches!(journal.take_over(&[record(1)]), Err(Error::Stopped(_))));
    assert!(matches!(journal.sync(), Err(Error::Stopped(_))));
    let stats = journal.stats();
    assert!(stats.stopped && stats.last_error.expect("told").contains("the disk is gone"));
    drop(journal);
    assert_eq!(open(folder.path(), small()).expect("whole").sequence(), 1);
}

#[tokio::test]
async fn outbox_rows_stay_until_the_journal_is_on_disk() {
    use service::audit::{OUTBOX, OUTBOX_PREFIX};
    let folder = tempdir().expect("a folder");
    let (journal, disk) = on_disk(folder.path(), 1024 * 1024, small());
    let memory = store::backends::memory::Memory::new();
    let mut txn = store::begin(&memory);
    txn.save(&OUTBOX, &record(0), &record(0)).expect("a record");
    txn.commit().await.expect("no fault");
    disk.break_syncs();
    let swept = crate::recover_outbox(&memory, &journal, Timestamp::from_secs(1)).await;
    assert!(matches!(swept, Err(Error::Stopped(_))), "{swept:?}");
    assert!(matches!(crate::drain(&memory, &journal).await, Err(Error::Stopped(_))));
    let range = store::KeyRange::prefix(OUTBOX_PREFIX);
    let page = store::begin(&memory).page::<Encoded>(range, 10, false).await.expect("alive");
    assert_eq!(page.rows.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn those_who_wait_for_the_disk_share_syncs() {
    let folder = tempdir().expect("a folder");
    let options = Options { durability: Durability::Synced, ..Options::default() };
    let (journal, disk) = on_disk(folder.path(), 256 * 1024 * 1024, options);
    disk.close_gate();
    let one = |number| {
        let journal = journal.clone();
        async move { journal.append(&[record(number)]).await }
    };
    let waiting: Vec<_> = (0..200).map(|it| tokio::spawn(one(it))).collect();
    while journal.sequence() < 200 {
        tokio::task::yield_now().await;
    }
    assert!(waiting.iter().all(|it| !it.is_finished()), "none is on disk");
    disk.open_gate();
    for it in waiting {
        it.await.expect("no panic").expect("on disk");
    }
    let stats = journal.stats();
    assert!(stats.syncs.count() <= 2, "{:?}", stats.syncs);
    assert_eq!((stats.unsynced_records, stats.unsynced_bytes), (0, 0));
    let mut found = ids(folder.path());
    found.sort();
    let mut expected = ids_of(0..200);
    expected.sort();
    assert_eq!(found, expected);

    disk.break_syncs();
    let refused = journal.append(&[record(200)]).await.expect_err("not on disk");
    assert!(format!("{refused:?}").contains("the disk is gone"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn appenders_at_once_keep_each_batch_together_and_the_chain_whole() {
    let folder = tempdir().expect("a folder");
    let journal = open(folder.path(), small()).expect("new");
    let many = |task: u64| {
        let journal = journal.clone();
        async move {
            for round in 0..20 {
                let first = task * 100 + round * 3;
                journal.append(&records(first..first + 3)).await.expect("space");
            }
        }
    };
    let tasks: Vec<_> = (0..8).map(|it| tokio::spawn(many(it))).collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    journal.close().expect("a disk");
    assert_eq!(whole(folder.path()), 8 * 20 * 3);
    let numbers: Vec<u64> =
        ids(folder.path()).iter().map(|it| it[3..].parse().expect("a number")).collect();
    for batch in numbers.chunks(3) {
        assert_eq!((batch[1], batch[2]), (batch[0] + 1, batch[0] + 2));
    }
}

#[tokio::test]
async fn outbox_rows_settle_when_they_are_on_disk() {
    let folder = tempdir().expect("a folder");
    let journal = open(folder.path(), small()).expect("new");
    journal.append(&[record(0)]).await.expect("space");
    journal.append_committed(&records(1..4)).await.expect("space");
    assert_eq!(journal.take_settled(10), [], "not on disk");
    assert!(journal.sync_due());
    journal.settle().await.expect("a disk");
    assert!(!journal.sync_due());
    assert_eq!(journal.stats().unsettled, 3);
    let first = journal.take_settled(2);
    let rest = journal.take_settled(2);
    let keys: Vec<_> = first.iter().chain(&rest).map(|it| (it.id.clone(), it.at)).collect();
    assert_eq!(keys, records(1..4).into_iter().map(|it| (it.id, it.at)).collect::<Vec<_>>());
    journal.give_back(&first);
    assert_eq!(journal.take_settled(9).len(), 2);

    let many = records(0..300);
    for _ in 0..300 {
        journal.append_committed(&many).await.expect("space");
    }
    assert_eq!(journal.stats().unsettled, 65_536, "memory is bounded");
}

#[test]
fn a_head_comes_in_time_and_when_the_clock_goes_back() {
    let folder = tempdir().expect("a folder");
    let clock = HandClock::at(1_000_000);
    let journal =
        Journal::open(folder.path(), Options::default(), key(1), clock.clone()).expect("new");
    let heads = || fs::read_to_string(folder.path().join("heads")).expect("heads").lines().count();
    #[rustfmt::skip]
    let steps = [
        // record  at millis  heads
        (false,    1_004_000, 0), // nothing to sign
        (true,     1_004_999, 0),
        (false,    1_005_000, 1),
        (false,    1_020_000, 1), // signed already
        (true,     1_000_000, 2), // set back
        (true,     1_000_001, 2),
    ];
    for (place, (append, at, expected)) in steps.into_iter().enumerate() {
        if append {
            journal.take_over(&[record(place as u64)]).expect("space");
        }
        clock.set(at);
        journal.tick(clock.now()).expect("a disk");
        assert_eq!(heads(), expected, "step {place}");
    }
}

#[test]
fn the_file_of_heads_stays_small_and_learns_what_it_missed() {
    let folder = tempdir().expect("a folder");
    let options = Options { head_records: 1, ..Options::default() };
    let journal = open(folder.path(), options).expect("new");
    let heads = folder.path().join("heads");
    for number in 0..2000 {
        journal.take_over(&[record(number)]).expect("space");
        if number % 7 == 0 {
            journal.sync().expect("a disk");
        }
    }
    journal.close().expect("a disk");
    let text = fs::read_to_string(&heads).expect("heads");
    assert!(text.len() < 256 * 1024 && text.lines().count() < 1000, "{}", text.len());
    assert!(text.lines().last().expect("a head").starts_with("H 2000 "));
    assert_eq!(whole(folder.path()), 2000);

    // A kill between the segment and `heads`.
    let (rest, last) = text.trim_end().rsplit_once('\n').expect("two heads");
    fs::write(&heads, format!("{rest}\n")).expect("written");
    drop(journal);
    let journal = open(folder.path(), options).expect("whole");
    journal.sync().expect("a disk");
    assert!(fs::read_to_string(&heads).expect("heads").ends_with(&format!("{last}\n")));
}

#[test]
fn heads_wait_while_the_disk_is_full() {
    let folder = tempdir().expect("a folder");
    let (journal, disk) = on_disk(folder.path(), 2 * 4096, small());
    disk.take_all_but(0);
    journal.take_over(&records(0..6)).expect("reserved");
    assert!(matches!(journal.sync(), Err(Error::Full)), "`heads` has no room");
    assert_eq!(journal.stats().unsynced_records, 0, "the records are on disk anyway");
    disk.give(1000);
    journal.sync().expect("room");
    let heads = fs::read_to_string(folder.path().join("heads")).expect("heads");
    assert_eq!(heads.lines().count(), 1);
}

#[test]
fn a_reader_follows_over_segments_and_resumes_anywhere() {
    let folder = tempdir().expect("a folder");
    let journal = open(folder.path(), small()).expect("new");
    let mut reader = Reader::new(folder.path());
    let mut places = vec![reader.position()];
    for number in 0..40 {
        assert_eq!(reader.read().expect("readable"), None);
        journal.take_over(&[record(number)]).expect("space");
        let entry = reader.read().expect("readable").expect("one more");
        assert_eq!((entry.sequence, &entry.json), (number + 1, &record(number).json));
        places.push(reader.position().to_string().parse().expect("a position"));
    }
    for (read, place) in places.iter().enumerate() {
        let rest = Reader::resume(folder.path(), *place).map(|it| it.expect("readable").sequence);
        assert_eq!(rest.collect::<Vec<_>>(), (read as u64 + 1..=40).collect::<Vec<_>>());
    }
    for count in 1..50 {
        let last = Reader::last(folder.path(), count).expect("readable");
        assert_eq!(last.count(), count.min(40));
    }
    let far = format!("{}:{}", u64::MAX, u64::MAX).parse().expect("a position");
    assert_eq!(Reader::resume(folder.path(), far).count(), 0);
    let empty = tempdir().expect("a folder");
    assert_eq!(Reader::new(empty.path()).count(), 0);
    assert_eq!(Reader::last(empty.path(), 3).expect("readable").count(), 0);
}

#[test]
fn statistics_add_up() {
    let folder = tempdir().expect("a folder");
    let journal = open(folder.path(), Options::default()).expect("new");
    journal.take_over(&records(0..3)).expect("space");
    let stats = journal.stats();
    assert_eq!((stats.sequence, stats.segment, stats.records), (3, 1, 3));
    assert_eq!((stats.unsynced_records, stats.unsynced_bytes), (3, stats.bytes));
    assert!(stats.spare && !stats.failing && !stats.stopped);
    journal.tick(Timestamp::default().plus(Duration::from_mins(1))).expect("a disk");
    let stats = journal.stats();
    assert_eq!((stats.unsynced_records, stats.unsynced_bytes), (0, 0));
    assert_eq!(stats.syncs.count(), 1);
    assert_eq!(format!("{journal:?}").matches("path").count(), 1);
}
