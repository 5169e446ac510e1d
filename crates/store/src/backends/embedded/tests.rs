use super::*;
use crate::KeyRange;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// Small enough that every test goes through many segments; quiet, so that nothing happens by time.
fn options() -> Options {
    Options {
        journal_bytes: 64 << 10,
        // Nearly nothing: what is read comes from the disk.
        cache_bytes: 16 << 10,
        idle: Duration::from_hours(1),
        ..Options::default()
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn open(folder: &Path) -> Embedded {
    Embedded::open(folder, options()).expect("opens")
}

fn commit(rows: &[(&str, Option<&[u8]>)]) -> Commit {
    let writes = rows.iter().map(|(key, row)| ((*key).to_owned(), row.map(<[u8]>::to_vec)));
    Commit { seen: Revision(u64::MAX), writes: writes.collect(), ..Commit::default() }
}

async fn put(store: &Embedded, key: &str, row: &[u8]) -> Result<Revision, Error> {
    store.commit(commit(&[(key, Some(row))])).await
}

async fn rows(store: &Embedded) -> BTreeMap<String, Vec<u8>> {
    let snapshot = store.snapshot().await.expect("readable");
    let rows = snapshot.scan(&KeyRange::prefix(""), usize::MAX, false).await.expect("readable");
    rows.into_iter().collect()
}

/// A copy of the folder as it is now: what a start after a kill finds.
fn copy(from: &Path) -> TempDir {
    let to = folder();
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), to.path().join(entry.file_name())).expect("copied");
    }
    to
}

fn flip(path: &Path, at: u64) {
    let file = fs::OpenOptions::new().read(true).write(true).open(path).expect("a file");
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("read");
    file.write_all_at(&[byte[0] ^ 1], at).expect("written");
}

/// Both segments and where the frames in them begin.
fn frames(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for name in ["journal.0", "journal.1"] {
        let path = folder.join(name);
        let bytes = fs::read(&path).expect("a segment");
        for at in (0..bytes.len()).step_by(frame::BLOCK) {
            if let Some(header) = frame::Header::read(&bytes[at..]) {
                let upto = at + frame::HEADER + header.length;
                if bytes.get(at..upto).is_some_and(|it| header.open(it).is_some()) {
                    found.push((header.first, path.clone(), at as u64));
                }
            }
        }
    }
    found.sort();
    found.into_iter().map(|(_, path, at)| (path, at)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passes_the_suite() {
    let root = folder();
    let next = AtomicU32::new(0);
    crate::suite::run(async || {
        let name = next.fetch_add(1, Ordering::Relaxed).to_string();
        Arc::new(open(&root.path().join(name))) as Arc<dyn Backend>
    })
    .await;
}

#[tokio::test]
async fn passes_the_suite_while_moving_all_the_time() {
    let root = folder();
    let next = AtomicU32::new(0);
    crate::suite::run(async || {
        let name = next.fetch_add(1, Ordering::Relaxed).to_string();
        let options = Options { idle: Duration::ZERO, journal_bytes: 8 << 20, ..options() };
        let store = Embedded::open(&root.path().join(name), options).expect("opens");
        Arc::new(store) as Arc<dyn Backend>
    })
    .await;
}

#[tokio::test]
async fn everything_is_there_after_closing_or_a_crash() {
    let folder = folder();
    let mut expected = BTreeMap::new();
    for turn in 0..4u8 {
        let store = open(folder.path());
        assert_eq!(rows(&store).await, expected, "after closing, turn {turn}");
        for at in 0..40u8 {
            let (key, row) = (format!("k{:02}", (at + turn) % 50), vec![at; 1500]);
            put(&store, &key, &row).await.expect("committed");
            expected.insert(key, row);
        }
        put(&store, "k00", b"").await.expect("committed");
        expected.insert("k00".to_owned(), Vec::new());
        store.commit(commit(&[("k01", None)])).await.expect("committed");
        expected.remove("k01");
        let revision = store.snapshot().await.expect("readable").revision();

        let crashed = copy(folder.path());
        let after = open(crashed.path());
        assert_eq!(rows(&after).await, expected, "after a crash, turn {turn}");
        assert_eq!(after.snapshot().await.expect("readable").revision(), revision);
        let next = put(&after, "new", b"1").await.expect("goes on");
        assert!(next > revision, "revisions go on after a crash");
        // The second crash finds what was replayed in the first, and what came after.
        let again = open(copy(crashed.path()).path());
        assert_eq!(rows(&again).await.len(), expected.len() + 1);
    }
}

#[tokio::test]
async fn only_the_last_frame_may_be_torn() {
    let folder = folder();
    let faults = Faults::default();
    let options = Options { faults: faults.clone(), ..options() };
    let store = Embedded::open(folder.path(), options).expect("opens");
    // No segment gets into the tree, so that both of them hold commits.
    faults.set(DiskFault::Full);
    for at in 0..12u8 {
        put(&store, &at.to_string(), &[at; 5000]).await.expect("committed");
    }
    let frames = frames(folder.path());
    assert_eq!(frames.len(), 12);
    assert_ne!(frames[0].0, frames[11].0, "two segments");
    for (index, (path, at)) in frames.iter().enumerate() {
        // In the header, in the digest, in the commits.
        for offset in [20, 70, 200, 4500] {
            let damaged = copy(folder.path());
            flip(&damaged.path().join(path.file_name().expect("a name")), at + offset);
            match Embedded::open(damaged.path(), self::options()) {
                Ok(store) => {
                    assert_eq!(index, 11, "frame {index} was damaged and dropped");
                    assert_eq!(rows(&store).await.len(), 11);
                    put(&store, "11", b"again").await.expect("goes on over the torn frame");
                    drop(store);
                    assert_eq!(rows(&open(damaged.path())).await["11"], b"again");
                }
                Err(Error::Corrupt { .. }) => assert!(index < 11, "a torn last frame is no damage"),
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[tokio::test]
async fn a_frame_in_doubt_never_stands_beside_another() {
    // The next commit has its place in the same segment, or in the other one.
    for size in [1, 40_000] {
        let folder = folder();
        let faults = Faults::default();
        let options = Options { faults: faults.clone(), ..options() };
        let store = Embedded::open(folder.path(), options).expect("opens");
        put(&store, "a", &vec![1; 30_000]).await.expect("committed");
        faults.set(DiskFault::SyncFails);
        put(&store, "a", b"2").await.expect_err("not durable");
        let in_doubt = open(copy(folder.path()).path());
        assert_eq!(rows(&in_doubt).await["a"], b"2", "this process would be killed in time");

        faults.set(DiskFault::None);
        put(&store, "b", &vec![3; size]).await.expect("committed");
        let expected = rows(&store).await;
        assert_eq!(expected["a"], vec![1; 30_000]);
        let crashed = open(copy(folder.path()).path());
        assert_eq!(rows(&crashed).await, expected, "{size}");
    }
}

#[tokio::test]
async fn a_row_that_looks_like_a_frame_is_not_one() {
    let folder = folder();
    let faults = Faults::default();
    let options = Options { faults: faults.clone(), ..options() };
    let store = Embedded::open(folder.path(), options).expect("opens");
    put(&store, "a", b"1").await.expect("committed");
    let (path, at) = frames(folder.path()).remove(0);
    let generation = frame::Header::read(
        &fs::read(path).expect("a segment")[usize::try_from(at).expect("small")..],
    )
    .expect("a frame")
    .generation;
    let mut forged = Builder::new();
    forged.add(&[("forged".to_owned(), Some(vec![1]))]).expect("small");
    forged.seal(generation, Revision(3), &[0; 32]);

    // So placed that it begins a block, and is left behind when a shorter frame takes the place.
    let mut row = vec![0; frame::BLOCK - frame::HEADER - 4 - 4 - 1 - 4];
    row.extend(forged.bytes());
    faults.set(DiskFault::SyncFails);
    put(&store, "a", &row).await.expect_err("not durable");
    faults.set(DiskFault::None);
    put(&store, "a", b"2").await.expect("committed");
    assert_eq!(frames(folder.path()).len(), 3, "the forged one, too");
    match Embedded::open(copy(folder.path()).path(), self::options()) {
        Ok(store) => assert!(!rows(&store).await.contains_key("forged")),
        Err(error) => assert!(matches!(error, Error::Corrupt { .. }), "{error}"),
    }
}

#[tokio::test]
async fn a_journal_without_its_tree_is_refused() {
    let folder = folder();
    let store = open(folder.path());
    for key in ["a", "b", "c"] {
        store.checkpoint().await.expect("moved");
        put(&store, key, b"1").await.expect("committed");
    }
    let crashed = copy(folder.path());
    fs::remove_file(crashed.path().join("store.redb")).expect("removed");
    let error = Embedded::open(crashed.path(), options()).expect_err("half a store");
    assert!(matches!(error, Error::Corrupt { .. }), "{error:?}");
}

#[tokio::test]
async fn a_newer_format_is_refused() {
    let folder = folder();
    drop(open(folder.path()));
    let database = redb::Database::open(folder.path().join("store.redb")).expect("a database");
    let txn = database.begin_write().expect("a transaction");
    let meta = redb::TableDefinition::<&str, u64>::new("meta");
    txn.open_table(meta).expect("a table").insert("format", 2).expect("written");
    txn.commit().expect("committed");
    drop(database);
    let error = Embedded::open(folder.path(), options()).expect_err("unknown");
    assert!(error.to_string().contains("format 2 is newer"), "{error}");
}

#[tokio::test]
async fn a_full_disk_stops_writes_only() {
    for fault in [DiskFault::Full, DiskFault::FullByRace] {
        let folder = folder();
        let faults = Faults::default();
        let options = Options { faults: faults.clone(), ..options() };
        let store = Embedded::open(folder.path(), options.clone()).expect("opens");
        let mut expected = BTreeMap::new();
        for turn in 0..4u32 {
            let is_full = turn % 2 == 1;
            faults.set(if is_full { fault } else { DiskFault::None });
            let held = store.snapshot().await.expect("readable");
            let mut refused = 0;
            // What the journal and the files already have room for is still taken.
            for at in 0..if is_full { 5000 } else { 100 } {
                let (key, row) = (format!("{turn} {at}"), vec![turn.to_le_bytes()[0]; 3000]);
                match put(&store, &key, &row).await {
                    Ok(_) => drop(expected.insert(key, row)),
                    Err(Error::Full) => refused += 1,
                    Err(error) => panic!("{fault:?}: {error}"),
                }
                if refused == 3 {
                    break;
                }
            }
            assert_eq!(refused, if is_full { 3 } else { 0 }, "{fault:?}, turn {turn}");
            assert_eq!(store.stats().last_error.is_some(), is_full);
            assert_eq!(rows(&store).await, expected, "{fault:?}: reads go on");
            let old = held.get("0 0").await.expect("a snapshot from before goes on, too");
            assert_eq!(old.is_some(), turn > 0);
            let crashed = open(copy(folder.path()).path());
            assert_eq!(rows(&crashed).await, expected, "{fault:?}: what was answered is on disk");
        }
        faults.set(DiskFault::None);
        put(&store, "more", b"1").await.expect("there is space again");
        faults.set(fault);
        drop(store);
        faults.set(DiskFault::None);
        expected.insert("more".to_owned(), b"1".to_vec());
        let again = Embedded::open(folder.path(), options).expect("opens");
        assert_eq!(rows(&again).await, expected, "{fault:?}: closed while full");
    }
}

#[tokio::test]
async fn nothing_is_answered_that_may_not_be_durable() {
    let folder = folder();
    let faults = Faults::default();
    let options = Options { faults: faults.clone(), ..options() };
    let store = Embedded::open(folder.path(), options).expect("opens");
    put(&store, "a", b"1").await.expect("committed");
    let snapshot = store.snapshot().await.expect("readable");

    faults.set(DiskFault::SyncFails);
    for _ in 0..3 {
        let error = put(&store, "a", b"2").await.expect_err("not durable");
        assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
        assert_eq!(rows(&store).await["a"], b"1", "not shown to readers either");
    }
    let moving = store.checkpoint().await;
    assert!(moving.is_err(), "a checkpoint is durable too");

    faults.set(DiskFault::None);
    // What failed has left no trace, also not in the memory of conflicts.
    let mut read_before = commit(&[("b", Some(b"3"))]);
    read_before.seen = snapshot.revision();
    read_before.reads = vec!["a".to_owned()];
    store.commit(read_before).await.expect("nobody has changed it");
    store.checkpoint().await.expect("the tree is opened again");
    let crashed = open(copy(folder.path()).path());
    let expected = BTreeMap::from([("a".into(), b"1".to_vec()), ("b".into(), b"3".to_vec())]);
    assert_eq!(rows(&crashed).await, expected);
}

#[tokio::test]
async fn a_commit_larger_than_the_journal_makes_room() {
    let folder = folder();
    let store = open(folder.path());
    let large = vec![7; 3 << 20];
    put(&store, "small", b"1").await.expect("committed");
    put(&store, "large", &large).await.expect("committed");
    put(&store, "small", b"2").await.expect("committed");
    let crashed = open(copy(folder.path()).path());
    assert_eq!(rows(&crashed).await["large"], large);
    let error = put(&store, "huge", &vec![0; MOST_BYTES + 1]).await.expect_err("too large");
    assert!(error.to_string().contains("unavailable"), "{error}");
}

#[tokio::test]
async fn the_journal_grows_under_load_up_to_its_limit() {
    let folder = folder();
    let options = Options { journal_bytes: 6 << 20, ..options() };
    let store = Embedded::open(folder.path(), options.clone()).expect("opens");
    let mut last = 0;
    for (rows, journal) in [(3, 8 << 20), (2, 10 << 20), (2, 10 << 20), (6, 12 << 20)] {
        for _ in 0..rows {
            put(&store, &last.to_string(), &vec![1; 1 << 20]).await.expect("committed");
            last += 1;
        }
        assert_eq!(store.stats().journal_bytes, journal, "{last} rows");
    }
    let crashed = Embedded::open(copy(folder.path()).path(), options).expect("opens");
    assert_eq!(rows(&crashed).await.len(), 13);
}

#[tokio::test]
async fn one_process_at_a_time_and_nobody_else_looks_in() {
    let root = folder();
    let folder = root.path().join("parent/data");
    let store = open(&folder);
    let error = Embedded::open(&folder, options()).expect_err("in use");
    let path = folder.display().to_string();
    assert!(matches!(&error, Error::Locked { path: it } if *it == path), "{error:?}");
    assert!(matches!(Embedded::check(&folder, options()), Err(Error::Locked { .. })));

    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for name in ["store.redb", "store.lock", "journal.0", "journal.1"] {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
    drop(store);
    drop(open(&folder));
}

#[tokio::test]
async fn a_closed_store_refuses_and_still_reads() {
    let folder = folder();
    let store = open(folder.path());
    put(&store, "a", b"1").await.expect("committed");
    let snapshot = store.snapshot().await.expect("readable");
    store.close();
    store.close();
    assert!(matches!(put(&store, "a", b"2").await, Err(Error::Unavailable(_))));
    assert!(matches!(store.checkpoint().await, Err(Error::Unavailable(_))));
    assert_eq!(snapshot.get("a").await.expect("in memory"), Some(b"1".to_vec()));
    assert_eq!(rows(&open(folder.path())).await["a"], b"1");
}

#[tokio::test]
async fn a_checkup_finds_damage() {
    let folder = folder();
    let store = open(folder.path());
    for at in 0..50u8 {
        put(&store, &at.to_string(), &[at; 2000]).await.expect("committed");
    }
    store.checkpoint().await.expect("moved");
    put(&store, "last", b"1").await.expect("committed");
    let crashed = copy(folder.path());
    let health = Embedded::check(crashed.path(), options()).expect("whole");
    let expected = Health { tree_was_whole: true, journal_commits: 1, revision: Revision(51) };
    assert_eq!(health, expected);

    let path = crashed.path().join("store.redb");
    let bytes = fs::read(&path).expect("the tree");
    let at = bytes.windows(100).position(|it| it == [33; 100]).expect("row 33");
    flip(&path, at as u64);
    let found = Embedded::check(crashed.path(), options());
    assert!(!matches!(found, Ok(Health { tree_was_whole: true, .. })), "{found:?}");
}

#[tokio::test]
async fn counts_what_it_does() {
    let folder = folder();
    let store = open(folder.path());
    let before = store.snapshot().await.expect("readable").revision();
    store.commit(commit(&[("a", Some(b"1")), ("b", Some(b"1"))])).await.expect("committed");
    let late = Commit { seen: before, reads: vec!["a".into()], ..commit(&[("c", Some(b"1"))]) };
    assert!(matches!(store.commit(late).await, Err(Error::Conflict { .. })));
    store.checkpoint().await.expect("moved");
    put(&store, "c", b"1").await.expect("committed");
    store.checkpoint().await.expect("moved");

    let stats = store.stats();
    assert_eq!((stats.commits, stats.rows, stats.conflicts, stats.batches), (2, 3, 1, 2));
    assert_eq!((stats.sync.count, stats.moves.count, stats.pending_rows), (2, 2, 0));
    assert_eq!(stats.sync.buckets.iter().map(|(_, count)| count).sum::<u64>(), 2);
    assert!(stats.tree_bytes > 0 && stats.journal_bytes >= 128 << 10);
    assert_eq!(stats.last_error, None);
}

/// What is done to a store and to its model.
#[derive(Clone, Debug)]
enum Act {
    Checkpoint,
    Crash,
    Reopen,
    Snapshot,
    Write(Vec<(String, Option<usize>)>),
}

fn act() -> impl Strategy<Value = Act> {
    let row = ("[a-c]{1,2}", prop::option::weighted(0.7, 0usize..9000));
    prop_oneof![
        2 => Just(Act::Checkpoint),
        1 => Just(Act::Crash),
        1 => Just(Act::Reopen),
        3 => Just(Act::Snapshot),
        12 => prop::collection::btree_map(row.0, row.1, 1..5)
            .prop_map(|it| Act::Write(it.into_iter().collect())),
    ]
}

type Model = BTreeMap<String, Vec<u8>>;

/// Compares all that can be asked about a few ranges.
async fn compare(snapshot: &dyn Snapshot, model: &Model) {
    for (from, to) in [("", "z"), ("a", "b"), ("ab", "bc"), ("b", "b")] {
        let range = KeyRange {
            from: std::ops::Bound::Included(from.to_owned()),
            to: std::ops::Bound::Excluded(to.to_owned()),
        };
        let expected: Vec<_> = model
            .iter()
            .filter(|(key, _)| range.contains(key))
            .map(|(key, row)| (key.clone(), row.clone()))
            .collect();
        for limit in [1, 2, usize::MAX] {
            let forward = snapshot.scan(&range, limit, false).await.expect("readable");
            assert_eq!(forward, expected[..expected.len().min(limit)], "{range:?}");
            let backward = snapshot.scan(&range, limit, true).await.expect("readable");
            let reversed: Vec<_> = expected.iter().rev().take(limit).cloned().collect();
            assert_eq!(backward, reversed, "{range:?} in reverse");
        }
    }
    for key in ["a", "ab", "b", "cc"] {
        assert_eq!(snapshot.get(key).await.expect("readable").as_ref(), model.get(key), "{key}");
    }
}

async fn agrees_with_a_map(acts: Vec<Act>) {
    let mut folder = folder();
    let mut store = open(folder.path());
    let mut model = Model::new();
    let mut held: Vec<(Box<dyn Snapshot>, Model)> = Vec::new();
    for act in acts {
        match act {
            Act::Checkpoint => store.checkpoint().await.expect("moved"),
            Act::Crash => {
                held.clear();
                folder = copy(folder.path());
                store = open(folder.path());
            }
            Act::Reopen => {
                held.clear();
                drop(store);
                store = open(folder.path());
            }
            Act::Snapshot => {
                held.push((store.snapshot().await.expect("readable"), model.clone()));
            }
            Act::Write(rows) => {
                let mut writes = Vec::new();
                for (key, size) in rows {
                    let row = size.map(|it| vec![it.to_le_bytes()[0]; it]);
                    match &row {
                        Some(row) => drop(model.insert(key.clone(), row.clone())),
                        None => drop(model.remove(&key)),
                    }
                    writes.push((key, row));
                }
                let commit = Commit { seen: Revision(u64::MAX), writes, ..Commit::default() };
                store.commit(commit).await.expect("committed");
            }
        }
        compare(&*store.snapshot().await.expect("readable"), &model).await;
        for (snapshot, then) in &held {
            compare(&**snapshot, then).await;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever is done in whatever order: the store and each snapshot say what a map says.
    #[test]
    fn a_store_is_a_map(acts in prop::collection::vec(act(), 1..25)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(agrees_with_a_map(acts));
    }
}
