//! What every backend must pass.
//!
//! A new backend calls [`run`] from its tests. A violated rule panics and names itself.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests that every backend's tests share: they speak by panicking"
)]

use crate::{Backend, Commit, Error, KeyRange, Record, Revision, Table, begin};
use std::ops::Bound::{Excluded, Included, Unbounded};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Runs all cases, each on a store of its own: `make` answers an empty one.
pub async fn run(make: impl AsyncFn() -> Arc<dyn Backend>) {
    reads_its_own_writes(&*make().await).await;
    a_snapshot_never_changes(&*make().await).await;
    what_was_read_must_not_have_changed(&*make().await).await;
    what_was_not_read_may_change(&*make().await).await;
    blind_writes_never_conflict(&*make().await).await;
    revisions_grow(&*make().await).await;
    scans_within_bounds(&*make().await).await;
    pages_show_own_writes(&*make().await).await;
    pages_conflict_only_where_they_looked(&*make().await).await;
    large_values_come_back(&*make().await).await;
    pages_copy_no_more_than_a_head(&*make().await).await;
    rows_that_are_none_can_be_set_aside(&*make().await).await;
    schemas_of_the_future_are_refused(&*make().await).await;
    concurrent_increments_all_count(make().await).await;
    many_writers_get_what_they_wrote(make().await).await;
    shared_rows_are_read_like_others(&*make().await).await;
    shared_rows_are_never_stale(make().await).await;
    transfers_are_never_half_seen(make().await).await;
}

/// A row of the suite's own table: a number, or any bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row(Vec<u8>);

impl Record for Row {
    const SCHEMA: u16 = 2;

    fn encode(&self) -> Result<Vec<u8>, String> {
        Ok(self.0.clone())
    }

    fn decode(schema: u16, bytes: &[u8]) -> Result<Self, String> {
        match schema {
            1 | 2 => Ok(Self(bytes.to_vec())),
            _ => Err(format!("schema {schema} is newer than this program")),
        }
    }
}

const ROWS: Table<str, Row> = Table::new(|key: &str| format!("t/{key}"));

fn number(value: u64) -> Row {
    Row(value.to_be_bytes().to_vec())
}

fn value(row: Option<Row>) -> u64 {
    row.map_or(0, |Row(bytes)| u64::from_be_bytes(bytes.try_into().expect("a number")))
}

fn all() -> KeyRange {
    KeyRange::prefix("t/")
}

async fn put(store: &dyn Backend, key: &str, value: u64) {
    let mut txn = begin(store);
    txn.save(&ROWS, key, &number(value)).expect("encodes");
    txn.commit().await.expect("a blind write");
}

async fn remove(store: &dyn Backend, key: &str) {
    let mut txn = begin(store);
    txn.remove(&ROWS, key);
    txn.commit().await.expect("a blind write");
}

async fn find(store: &dyn Backend, key: &str) -> u64 {
    value(begin(store).find(&ROWS, key).await.expect("readable"))
}

async fn reads_its_own_writes(store: &dyn Backend) {
    put(store, "a", 1).await;
    let mut txn = begin(store);
    assert_eq!(value(txn.find(&ROWS, "a").await.expect("readable")), 1);
    assert_eq!(txn.find(&ROWS, "b").await.expect("readable"), None);
    txn.save(&ROWS, "a", &number(2)).expect("encodes");
    txn.save(&ROWS, "b", &number(3)).expect("encodes");
    assert_eq!(value(txn.find(&ROWS, "a").await.expect("readable")), 2);
    assert_eq!(value(txn.find(&ROWS, "b").await.expect("readable")), 3);
    txn.remove(&ROWS, "a");
    assert_eq!(txn.find(&ROWS, "a").await.expect("readable"), None);
    assert!(txn.writes_anything());

    assert_eq!(find(store, "a").await, 1, "an uncommitted write was seen from outside");
    txn.commit().await.expect("nobody else wrote");
    assert_eq!((find(store, "a").await, find(store, "b").await), (0, 3));

    let mut dropped = begin(store);
    dropped.save(&ROWS, "c", &number(1)).expect("encodes");
    drop(dropped);
    let mut discarded = begin(store);
    discarded.save(&ROWS, "c", &number(1)).expect("encodes");
    discarded.discard_writes();
    discarded.commit().await.expect("nothing to do");
    assert_eq!(find(store, "c").await, 0, "a write that was never committed");
}

async fn a_snapshot_never_changes(store: &dyn Backend) {
    put(store, "a", 1).await;
    put(store, "b", 1).await;
    let snapshot = store.snapshot().await.expect("readable");
    let before = snapshot.scan(&all(), 10, false).await.expect("readable");

    put(store, "a", 2).await;
    put(store, "c", 2).await;
    remove(store, "b").await;

    assert_eq!(snapshot.scan(&all(), 10, false).await.expect("readable"), before);
    let found = snapshot.get("t/b").await.expect("readable");
    assert_eq!(found, Some(before[1].1.clone()), "a row removed later is still in the snapshot");
    assert_eq!(snapshot.get("t/c").await.expect("readable"), None);
    let now = store.snapshot().await.expect("readable");
    let keys: Vec<_> = now.scan(&all(), 10, false).await.expect("readable");
    assert_eq!(keys.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["t/a", "t/c"]);
}

/// What a transaction looked at before another one committed.
enum Look {
    Key(&'static str),
    Prefix(&'static str),
}

/// Runs a transaction that looks, lets `others` write (0 removes), then writes elsewhere.
async fn conflicts(store: &dyn Backend, look: Look, others: &[(&str, u64)]) -> bool {
    let mut txn = begin(store);
    match look {
        Look::Key(key) => drop(txn.find(&ROWS, key).await.expect("readable")),
        Look::Prefix(prefix) => {
            drop(txn.page::<Row>(KeyRange::prefix(prefix), 10, false).await.expect("readable"));
        }
    }
    for (key, value) in others {
        match value {
            0 => remove(store, key).await,
            _ => put(store, key, *value).await,
        }
    }
    txn.save(&ROWS, "result", &number(1)).expect("encodes");
    match txn.commit().await {
        Ok(()) => false,
        Err(Error::Conflict { .. }) => true,
        Err(error) => panic!("{error}"),
    }
}

async fn what_was_read_must_not_have_changed(store: &dyn Backend) {
    put(store, "held/1", 1).await;
    put(store, "held/2", 1).await;
    for (rule, look, others) in [
        ("a changed row", Look::Key("held/1"), &[("held/1", 2)][..]),
        ("a row written with the same value", Look::Key("held/1"), &[("held/1", 2)]),
        ("a row that came into being", Look::Key("absent"), &[("absent", 1)]),
        ("a removed row", Look::Key("held/1"), &[("held/1", 0)]),
        ("a row that came and went", Look::Key("brief"), &[("brief", 1), ("brief", 0)]),
        ("a phantom", Look::Prefix("t/held/"), &[("held/3", 1)]),
        ("a phantom in an empty range", Look::Prefix("t/none/"), &[("none/1", 1)]),
        ("a row of a range removed", Look::Prefix("t/held/"), &[("held/2", 0)]),
    ] {
        assert!(conflicts(store, look, others).await, "missed: {rule}");
        assert_eq!(find(store, "result").await, 0, "applied in spite of a conflict: {rule}");
    }
}

async fn what_was_not_read_may_change(store: &dyn Backend) {
    put(store, "held/1", 1).await;
    for (rule, look, others) in [
        ("nothing", Look::Key("held/1"), &[][..]),
        ("another row", Look::Key("held/1"), &[("held/2", 1)]),
        ("a longer key", Look::Key("held/1"), &[("held/11", 1)]),
        ("a row beside the range", Look::Prefix("t/held/"), &[("helder", 1), ("hel", 1)]),
        ("the row that is written, unread", Look::Key("held/1"), &[("result", 9)]),
    ] {
        assert!(!conflicts(store, look, others).await, "made up: {rule}");
    }
}

async fn blind_writes_never_conflict(store: &dyn Backend) {
    let mut first = begin(store);
    first.save(&ROWS, "a", &number(1)).expect("encodes");
    let mut second = begin(store);
    second.save(&ROWS, "a", &number(2)).expect("encodes");
    // Reading back an own write is no read of the store.
    assert_eq!(value(second.find(&ROWS, "a").await.expect("readable")), 2);
    first.commit().await.expect("a blind write");
    second.commit().await.expect("a blind write");
    assert_eq!(find(store, "a").await, 2);
}

async fn revisions_grow(store: &dyn Backend) {
    let mut last = store.snapshot().await.expect("readable").revision();
    for turn in 0..5u8 {
        let writes = vec![("t/r".to_owned(), Some(vec![0, 2, turn]))];
        let commit = Commit { seen: Revision(u64::MAX), writes, ..Commit::default() };
        let revision = store.commit(commit).await.expect("a blind write");
        assert!(revision > last, "{revision:?} after {last:?}");
        let snapshot = store.snapshot().await.expect("readable");
        assert_eq!(snapshot.revision(), revision, "a snapshot holds the commit answered before");
        last = revision;
    }
}

async fn scans_within_bounds(store: &dyn Backend) {
    for key in ["a", "b", "b/1", "b/2", "c"] {
        put(store, key, 1).await;
    }
    remove(store, "b/2").await;
    #[rustfmt::skip]
    let cases = [
        (Unbounded,         Unbounded,         9, &["a", "b", "b/1", "c"][..]),
        (Unbounded,         Unbounded,         0, &[]),
        (Included("t/b"),   Included("t/c"),   9, &["b", "b/1", "c"]),
        (Excluded("t/b"),   Excluded("t/c"),   9, &["b/1"]),
        (Included("t/b"),   Unbounded,         2, &["b", "b/1"]),
        (Included("t/b/2"), Excluded("t/c"),   9, &[]),
        (Excluded("t/c"),   Unbounded,         9, &[]),
        (Excluded("t/b"),   Excluded("t/b"),   9, &[]),
        (Included("t/c"),   Included("t/a"),   9, &[]),
    ];
    let snapshot = store.snapshot().await.expect("readable");
    for (from, to, limit, expected) in cases {
        let range = KeyRange { from: from.map(str::to_owned), to: to.map(str::to_owned) };
        let forward = snapshot.scan(&range, limit, false).await.expect("readable");
        let keys: Vec<_> = forward.iter().map(|(key, _)| &key["t/".len()..]).collect();
        assert_eq!(keys, expected, "{range:?}");
        let mut backward = snapshot.scan(&range, usize::MAX, true).await.expect("readable");
        backward.reverse();
        assert_eq!(&backward[..forward.len()], forward, "{range:?} in reverse");
    }
}

async fn pages_show_own_writes(store: &dyn Backend) {
    for key in ["a", "c", "e", "g"] {
        put(store, key, 1).await;
    }
    let mut txn = begin(store);
    txn.remove(&ROWS, "a");
    txn.remove(&ROWS, "e");
    txn.remove(&ROWS, "absent");
    txn.save(&ROWS, "b", &number(2)).expect("encodes");
    txn.save(&ROWS, "g", &number(2)).expect("encodes");
    txn.save(&ROWS, "h", &number(2)).expect("encodes");

    for (limit, reverse, expected, more) in [
        (9, false, &["b", "c", "g", "h"][..], false),
        (4, false, &["b", "c", "g", "h"], false),
        (3, false, &["b", "c", "g"], true),
        (1, false, &["b"], true),
        (0, false, &[], true),
        (2, true, &["h", "g"], true),
        (4, true, &["h", "g", "c", "b"], false),
    ] {
        let page = txn.page::<Row>(all(), limit, reverse).await.expect("readable");
        let keys: Vec<_> = page.rows.iter().map(|(key, _)| &key["t/".len()..]).collect();
        assert_eq!((keys.as_slice(), page.more), (expected, more), "{limit}, reverse: {reverse}");
        for (key, row) in page.rows {
            assert_eq!(value(Some(row)), if key == "t/c" { 1 } else { 2 }, "{key}");
        }
    }
}

async fn pages_conflict_only_where_they_looked(store: &dyn Backend) {
    for key in ["b", "d", "f", "h"] {
        put(store, key, 1).await;
    }
    for (reverse, key, expected) in [
        (false, "a", true),  // before the first row, within the range
        (false, "c", true),  // between two rows that were given
        (false, "g", false), // behind the page
        (true, "i", true),
        (true, "c", false),
    ] {
        let mut txn = begin(store);
        let page = txn.page::<Row>(all(), 2, reverse).await.expect("readable");
        assert!(page.more && page.rows.len() == 2);
        put(store, key, 1).await;
        txn.save(&ROWS, "elsewhere", &number(1)).expect("encodes");
        let conflict = matches!(txn.commit().await, Err(Error::Conflict { .. }));
        assert_eq!(conflict, expected, "a phantom at {key}, reverse: {reverse}");
        remove(store, key).await;
        remove(store, "elsewhere").await;
    }
}

async fn large_values_come_back(store: &dyn Backend) {
    for (key, size) in [("empty", 0), ("small", 1), ("64k", 65_536), ("1m", 1 << 20)] {
        // A remainder of 251 keeps pages from looking alike.
        let row = Row((0..size).map(|at| u8::try_from(at % 251).unwrap_or(0)).collect());
        let mut txn = begin(store);
        txn.save(&ROWS, key, &row).expect("encodes");
        txn.commit().await.expect("a blind write");
        assert!(begin(store).find(&ROWS, key).await.expect("readable") == Some(row), "{key}");
    }
}

/// What stands at the beginning of a [`Row`].
#[derive(Debug, PartialEq)]
struct Start(Vec<u8>);

impl Record for Start {
    const SCHEMA: u16 = Row::SCHEMA;
    const HEAD: usize = 4;

    fn encode(&self) -> Result<Vec<u8>, String> {
        Err("a start is written with its row".to_owned())
    }

    fn decode(_: u16, bytes: &[u8]) -> Result<Self, String> {
        Ok(Self(bytes.to_vec()))
    }
}

/// The same rows from all places a backend may keep them in, whole and their heads alone.
async fn pages_copy_no_more_than_a_head(store: &dyn Backend) {
    let rows = [("a", &b"0123456789"[..]), ("b", b"ab"), ("c", b"a"), ("d", b""), ("e", b"edcba")];
    for (key, row) in rows {
        let mut txn = begin(store);
        txn.save(&ROWS, key, &Row(row.to_vec())).expect("encodes");
        txn.commit().await.expect("a blind write");
    }
    let snapshot = store.snapshot().await.expect("readable");
    for head in [0, 1, 2, 3, 7, 100, usize::MAX] {
        let mut expected = snapshot.scan(&all(), 10, false).await.expect("readable");
        assert_eq!(expected.len(), rows.len());
        for (_, row) in &mut expected {
            row.truncate(head);
        }
        let forward = snapshot.scan_heads(&all(), 10, false, head).await.expect("readable");
        assert_eq!(forward, expected, "{head} bytes");
        let backward = snapshot.scan_heads(&all(), 10, true, head).await.expect("readable");
        assert!(backward.iter().rev().eq(&expected), "{head} bytes, in reverse");
    }
    let mut txn = begin(store);
    txn.save(&ROWS, "a", &Row(b"own".to_vec())).expect("encodes");
    let page = txn.page::<Start>(all(), 10, false).await.expect("readable");
    let starts: Vec<_> = page.rows.iter().map(|(_, Start(bytes))| bytes.as_slice()).collect();
    assert_eq!(starts, [&b"ow"[..], b"ab", b"a", b"", b"ed"], "own writes look the same");
}

async fn rows_that_are_none_can_be_set_aside(store: &dyn Backend) {
    let cut = vec![("t/cut".to_owned(), Some(vec![7]))];
    let commit = Commit { seen: Revision(u64::MAX), writes: cut, ..Commit::default() };
    store.commit(commit).await.expect("a blind write");
    put(store, "whole", 1).await;
    let mut txn = begin(store);
    assert!(txn.page::<Row>(all(), 10, false).await.is_err(), "it is in the way");
    txn.set_aside("t/cut").await.expect("readable as bytes");
    txn.set_aside("t/absent").await.expect("nothing to do");
    let page = txn.page::<Row>(all(), 10, false).await.expect("out of the way");
    assert_eq!(page.rows.len(), 1);
    txn.commit().await.expect("nobody else wrote");
    let snapshot = store.snapshot().await.expect("readable");
    let kept = snapshot.scan(&KeyRange::prefix("quarantine/"), 10, false).await.expect("readable");
    assert_eq!(kept, [("quarantine/t/cut".to_owned(), vec![7])], "not a byte is lost");
    assert_eq!(snapshot.get("t/cut").await.expect("readable"), None);
}

async fn schemas_of_the_future_are_refused(store: &dyn Backend) {
    let rows = [
        ("old", &b"\x00\x01canary"[..], true),
        ("new", b"\x00\x02canary", true),
        ("future", b"\x00\x03canary", false),
        ("far", b"\xff\xffcanary", false),
        ("cut", b"\x00", false),
        ("void", b"", false),
    ];
    let writes = rows.iter().map(|(key, row, _)| (format!("t/{key}"), Some(row.to_vec())));
    let commit = Commit { seen: Revision(u64::MAX), writes: writes.collect(), ..Commit::default() };
    store.commit(commit).await.expect("a blind write");
    for (key, _, readable) in rows {
        match begin(store).find(&ROWS, key).await {
            Ok(row) => {
                assert!(readable, "{key} was read");
                assert_eq!(row, Some(Row(b"canary".to_vec())), "{key}");
            }
            Err(Error::Corrupt { key: at, reason }) => {
                assert!(!readable, "{key}: {reason}");
                assert_eq!(at, format!("t/{key}"));
                assert!(!reason.contains("canary"), "the value is quoted: {reason}");
            }
            Err(error) => panic!("{key}: {error}"),
        }
    }
    assert!(begin(store).page::<Row>(all(), 10, false).await.is_err(), "a page with such a row");
}

/// Adds one to each of `keys`, again and again until nobody interferes.
async fn increment(store: &dyn Backend, keys: &[String]) {
    loop {
        let mut txn = begin(store);
        for key in keys {
            let next = value(txn.find(&ROWS, key).await.expect("readable")) + 1;
            txn.save(&ROWS, key, &number(next)).expect("encodes");
        }
        match txn.commit().await {
            Ok(()) => return,
            Err(Error::Conflict { .. }) => (),
            Err(error) => panic!("{error}"),
        }
    }
}

async fn concurrent_increments_all_count(store: Arc<dyn Backend>) {
    let mut writers = JoinSet::new();
    for _ in 0..4 {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for _ in 0..25 {
                increment(&*store, &["n".to_owned()]).await;
            }
        });
    }
    while let Some(end) = writers.join_next().await {
        end.expect("a writer");
    }
    assert_eq!(find(&*store, "n").await, 100, "a lost update");
}

async fn many_writers_get_what_they_wrote(store: Arc<dyn Backend>) {
    let mut writers = JoinSet::new();
    for writer in 0..64u64 {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for turn in 1..=5 {
                let key = format!("w{writer:02}");
                put(&*store, &key, turn).await;
                assert_eq!(find(&*store, &key).await, turn, "an answered write is readable");
            }
        });
    }
    while let Some(end) = writers.join_next().await {
        end.expect("a writer");
    }
    let page = begin(&*store).page::<Row>(all(), 100, false).await.expect("readable");
    assert_eq!(page.rows.len(), 64);
    assert!(page.rows.into_iter().all(|(_, row)| value(Some(row)) == 5));
}

/// Writers move both counters at once; whoever looks never sees them apart.
async fn transfers_are_never_half_seen(store: Arc<dyn Backend>) {
    let mut writers = JoinSet::new();
    for _ in 0..3 {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for _ in 0..20 {
                increment(&*store, &["left".to_owned(), "right".to_owned()]).await;
            }
        });
    }
    while !writers.is_empty() {
        let snapshot = store.snapshot().await.expect("readable");
        let left = snapshot.get("t/left").await.expect("readable");
        tokio::task::yield_now().await;
        assert_eq!(snapshot.get("t/right").await.expect("readable"), left, "half a commit");
        while let Some(end) = writers.try_join_next() {
            end.expect("a writer");
        }
    }
    assert_eq!((find(&*store, "left").await, find(&*store, "right").await), (60, 60));
}

async fn shared_rows_are_read_like_others(store: &dyn Backend) {
    let mut txn = begin(store);
    assert_eq!(txn.find_shared(&ROWS, "a").await.expect("readable"), None);
    txn.save(&ROWS, "a", &number(1)).expect("encodes");
    let own = txn.find_shared(&ROWS, "a").await.expect("readable");
    assert_eq!(own.as_deref(), Some(&number(1)), "a transaction sees its own writes");
    txn.commit().await.expect("alone");

    let (mut before, mut again) = (begin(store), begin(store));
    for txn in [&mut before, &mut again] {
        let found = txn.find_shared(&ROWS, "a").await.expect("readable");
        assert_eq!(found.as_deref(), Some(&number(1)));
    }
    again.save(&ROWS, "a", &number(2)).expect("encodes");
    again.commit().await.expect("first");
    let mut after = begin(store);
    let found = after.find_shared(&ROWS, "a").await.expect("readable");
    assert_eq!(found.as_deref(), Some(&number(2)), "the memo was told");
    let found = before.find_shared(&ROWS, "a").await.expect("readable");
    assert_eq!(found.as_deref(), Some(&number(1)), "an old snapshot never changes");
    before.save(&ROWS, "b", &number(3)).expect("encodes");
    let refused = before.commit().await;
    assert!(matches!(refused, Err(Error::Conflict { .. })), "a shared read counts: {refused:?}");

    let mut txn = begin(store);
    txn.remove(&ROWS, "a");
    txn.commit().await.expect("alone");
    assert_eq!(begin(store).find_shared(&ROWS, "a").await.expect("readable"), None);
}

/// Readers see in one snapshot the same by either way, while writers change everything.
async fn shared_rows_are_never_stale(store: Arc<dyn Backend>) {
    let mut tasks = JoinSet::new();
    for writer in 0..4_u64 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            for step in 0..60 {
                let mut txn = begin(&*store);
                let key = format!("row-{}", (step + writer) % 5);
                txn.save(&ROWS, &key, &number(writer * 1000 + step)).expect("encodes");
                txn.commit().await.expect("blind");
            }
        });
    }
    for reader in 0..4 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            for step in 0..200 {
                let mut txn = begin(&*store);
                let key = format!("row-{}", (step + reader) % 5);
                let shared = txn.find_shared(&ROWS, &key).await.expect("readable");
                tokio::task::yield_now().await;
                let read = txn.find(&ROWS, &key).await.expect("readable");
                assert_eq!(shared.as_deref(), read.as_ref(), "{key}");
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("no panic");
    }
}
