//! How many durable commits and point gets a second the embedded store makes on this disk, next to
//! what the disk does for one writer that appends and syncs.
//!
//! `cargo run --release -p strongroom-store --example commit_rate -- [FOLDER [SECRETS [ROUNDS [JOURNAL_MB]]]]`
//!
//! Each figure is the median of rounds of two seconds, which take turns with the appending.
//!
//! A commit is what storing a new version of a secret takes: read its row; insert a value of 1 KB,
//! update the row (400 B), insert an audit record (900 B) and two tiny rows, delete a former record.

#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "an example that measures and prints"
)]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use strongroom_store::backends::embedded::{Embedded, Options};
use strongroom_store::{Backend, Commit, Error, Revision};
use tokio::task::JoinSet;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().map_or_else(|| PathBuf::from("commit_rate.data"), PathBuf::from);
    let mut number = |default| arguments.next().map_or(default, |it| it.parse().expect("a number"));
    let (secrets, rounds, journal) = (number(10_000), number(5), number(64));
    let options = Options { journal_bytes: journal << 20, ..Options::default() };

    let runtime = tokio::runtime::Builder::new_multi_thread().build().expect("a runtime");
    fs::create_dir_all(&folder).expect("a folder");
    let store = Embedded::open(&folder.join("store"), options.clone()).expect("opens");
    let store = Arc::new(store);
    runtime.block_on(async {
        let start = Instant::now();
        fill(&*store, secrets).await;
        println!("{secrets} secrets stored in {:.1} s", start.elapsed().as_secs_f64());
        gets(&store, "hot, 1,000 secrets", secrets.min(1_000)).await;
        gets(&store, "all secrets", secrets).await;
        for writers in [1, 64] {
            measure(&store, &folder, secrets, writers, rounds).await;
        }
        gets(&store, "hot, again", secrets.min(1_000)).await;
    });
    let stats = store.stats();
    println!(
        "{} moves into the tree, {:.2} s each; tree {} MB; memory {}",
        stats.moves.count,
        stats.moves.total.as_secs_f64() / stats.moves.count.max(1) as f64,
        stats.tree_bytes >> 20,
        memory(),
    );
    let start = Instant::now();
    drop(store);
    println!("closed in {:.2} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    let store = Embedded::open(&folder.join("store"), options).expect("opens");
    println!("opened in {:.3} s", start.elapsed().as_secs_f64());
    drop(store);
    fs::remove_dir_all(&folder).expect("removable");
}

const ROUND: Duration = Duration::from_secs(1);

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|it| it.starts_with("VmRSS:")).unwrap_or_default();
    line.trim_start_matches("VmRSS:").trim().to_owned()
}

fn appends(folder: &Path) -> f64 {
    let mut file = File::create(folder.join("append")).expect("a file");
    let start = Instant::now();
    let mut count = 0u32;
    while start.elapsed() < ROUND {
        file.write_all(&[7; 512]).expect("written");
        file.sync_data().expect("synced");
        count += 1;
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}

/// A number that looks random, the same in every run.
fn scatter(seed: u64) -> u64 {
    let mut x = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn secret_key(secret: u64) -> String {
    format!("s/111122223333/eu-central-1/secret/{:016x}", scatter(secret))
}

fn value_key(secret: u64, version: u64) -> String {
    let (secret, version) = (scatter(secret), scatter(version));
    format!("s/111122223333/eu-central-1/value/{secret:016x}/{version:016x}{:016x}", !version)
}

async fn fill(store: &dyn Backend, secrets: u64) {
    for first in (0..secrets).step_by(500) {
        let rows = (first..secrets.min(first + 500)).flat_map(|secret| {
            [
                (secret_key(secret), Some(vec![1; 400])),
                (value_key(secret, secret), Some(vec![2; 1000])),
            ]
        });
        let commit =
            Commit { seen: Revision(u64::MAX), writes: rows.collect(), ..Commit::default() };
        store.commit(commit).await.expect("stored");
    }
}

async fn gets(store: &Embedded, what: &str, secrets: u64) {
    store.checkpoint().await.expect("moved");
    let keys: Vec<_> = (0..secrets).map(|it| secret_key(scatter(it) % secrets)).collect();
    let start = Instant::now();
    let mut count = 0u64;
    while start.elapsed() < ROUND {
        for key in keys.iter().take(1_000_000) {
            let snapshot = store.snapshot().await.expect("readable");
            assert!(snapshot.get(key).await.expect("readable").is_some());
            count += 1;
        }
    }
    let each = start.elapsed().as_secs_f64() / count as f64;
    println!("snapshot and get, {what:<22}{:>10.0} /s     {:.0} ns each", 1.0 / each, each * 1e9);
}

/// Rounds of appending and of committing, in turns; prints medians.
async fn measure(store: &Arc<Embedded>, folder: &Path, secrets: u64, writers: u64, rounds: u64) {
    let before = store.stats();
    let [mut serial, mut answered, mut moved] = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        let appended = appends(folder);
        serial.push(appended);
        let start = Instant::now();
        let count = commits(store, secrets, writers).await;
        answered.push(count / start.elapsed().as_secs_f64());
        // Part of the work was put off: with it done, this is what can be sustained.
        store.checkpoint().await.expect("moved");
        moved.push(count / start.elapsed().as_secs_f64());
    }
    let after = store.stats();
    let batches = (after.batches - before.batches) as f64;
    let sync = after.sync.total.saturating_sub(before.sync.total).as_secs_f64() * 1e6 / batches;
    let (serial, answered, moved) = (median(serial), median(answered), median(moved));
    println!(
        "append(512 B) + fdatasync {serial:.0} /s; {writers:>2} writers: {answered:.0} commits/s ({:.1} x), \
         {moved:.0} sustained ({:.1} x); {:.1} a batch, {sync:.0} us a sync",
        answered / serial,
        moved / serial,
        (after.commits - before.commits) as f64 / batches,
    );
}

/// How many commits `writers` get answered in a round.
async fn commits(store: &Arc<Embedded>, secrets: u64, writers: u64) -> f64 {
    static TURN: AtomicU64 = AtomicU64::new(1 << 32);
    let first = TURN.load(Ordering::Relaxed);
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..writers {
        let store = Arc::clone(store);
        tasks.spawn(async move {
            while start.elapsed() < 2 * ROUND {
                put_version(&store, secrets, TURN.fetch_add(1, Ordering::Relaxed)).await;
            }
        });
    }
    while let Some(end) = tasks.join_next().await {
        end.expect("a writer");
    }
    (TURN.load(Ordering::Relaxed) - first) as f64
}

async fn put_version(store: &Embedded, secrets: u64, turn: u64) {
    let secret = scatter(turn) % secrets;
    loop {
        let snapshot = store.snapshot().await.expect("readable");
        let key = secret_key(secret);
        assert!(snapshot.get(&key).await.expect("readable").is_some());
        let commit = Commit {
            seen: snapshot.revision(),
            reads: vec![key.clone()],
            ranges: Vec::new(),
            writes: vec![
                (value_key(secret, turn), Some(vec![1; 1000])),
                (key, Some(vec![2; 400])),
                (format!("outbox/{turn:020}"), Some(vec![3; 900])),
                (format!("due/{turn:020}/{secret:016x}"), Some(vec![4; 1])),
                (format!("s/111122223333/eu-central-1/token/{turn:016x}"), Some(vec![5; 6])),
                (format!("outbox/{:020}", turn.saturating_sub(200)), None),
            ],
        };
        match store.commit(commit).await {
            Ok(_) => return,
            Err(Error::Conflict { .. }) => (),
            Err(error) => panic!("{error}"),
        }
    }
}
