//! What only several processes can show: a kill at any moment loses nothing that was answered, and
//! nobody enters a store in use.
//!
//! The program starts itself again, as `--writer FOLDER SEED` or `--holder FOLDER`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test without the harness that would make it known as one"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use strongroom_store::backends::embedded::{Embedded, Options};
use strongroom_store::{Backend, Commit, Error, KeyRange, Revision};
use tokio::task::JoinSet;

/// Where the kills fall. Another number, another set of moments.
const SEED: u64 = 20;
const ROUNDS: u64 = 12;
const WRITERS: u64 = 8;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["--writer", folder, seed] => write_until_killed(folder, seed.parse().expect("a seed")),
        ["--holder", folder] => hold(folder),
        _ => {
            the_second_process_is_refused();
            println!("test the_second_process_is_refused ... ok");
            a_kill_loses_nothing_that_was_answered();
            println!("test a_kill_loses_nothing_that_was_answered ... ok");
        }
    }
}

/// Small segments and no patience: the journal is moved into the tree all the time.
fn open(folder: &Path) -> Result<Embedded, Error> {
    let options = Options {
        journal_bytes: 128 << 10,
        cache_bytes: 1 << 20,
        idle: Duration::from_millis(1),
        ..Options::default()
    };
    Embedded::open(folder, options)
}

fn start(arguments: &[&str]) -> Child {
    Command::new(std::env::current_exe().expect("a path"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("started")
}

/// The same numbers in every run.
fn scatter(seed: u64) -> u64 {
    let mut x = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// What a writer stores in its `turn`; tells at every length whether it is whole.
fn value(writer: u64, turn: u64) -> Vec<u8> {
    let length = usize::try_from(scatter(writer << 32 | turn) % 3000).expect("small");
    let mut bytes = turn.to_be_bytes().to_vec();
    bytes.extend((0..length).map(|at| scatter(turn).to_be_bytes()[at % 8]));
    bytes
}

fn turn_of(row: &[u8]) -> u64 {
    u64::from_be_bytes(row.get(..8).and_then(|it| it.try_into().ok()).expect("a turn"))
}

/// One commit of a writer: two rows that change, one that stays, and one that goes.
fn commit(writer: u64, turn: u64) -> Commit {
    let row = value(writer, turn);
    Commit {
        seen: Revision(u64::MAX),
        writes: vec![
            (format!("left/{writer}"), Some(row.clone())),
            (format!("right/{writer}"), Some(row)),
            (format!("log/{writer}/{turn:08}"), Some(turn.to_be_bytes().to_vec())),
            (format!("brief/{writer}/{turn:08}"), Some(vec![1])),
            (format!("brief/{writer}/{:08}", turn.wrapping_sub(1)), None),
        ],
        ..Commit::default()
    }
}

fn write_until_killed(folder: &str, seed: u64) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build();
    runtime.expect("a runtime").block_on(async {
        let store = Arc::new(open(Path::new(folder)).expect("opens"));
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let store = Arc::clone(&store);
            writers.spawn(async move {
                let snapshot = store.snapshot().await.expect("readable");
                let left = snapshot.get(&format!("left/{writer}")).await.expect("readable");
                let first = left.map_or(0, |it| turn_of(&it)) + 1;
                for turn in first.. {
                    store.commit(commit(writer, turn)).await.expect("committed");
                    // One call, so that lines don't mix; only then the next commit.
                    writeln!(std::io::stdout(), "{writer} {turn}").expect("heard");
                    if scatter(seed ^ turn).is_multiple_of(7) {
                        tokio::task::yield_now().await;
                    }
                }
            });
        }
        writers.join_next().await
    });
}

fn hold(folder: &str) {
    let _store = open(Path::new(folder)).expect("opens");
    println!("open");
    let _until_it_is_closed = std::io::stdin().read_to_end(&mut Vec::new());
}

fn the_second_process_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("a path");
    let mut holder = start(&["--holder", path]);
    let mut line = String::new();
    let mut told = BufReader::new(holder.stdout.take().expect("piped"));
    told.read_line(&mut line).expect("told");
    assert_eq!(line, "open\n");
    match open(folder.path()) {
        Err(Error::Locked { path: locked }) => assert_eq!(locked, path),
        other => panic!("two processes in one store: {other:?}"),
    }
    drop(holder.stdin.take());
    assert!(holder.wait().expect("ended").success());
    drop(open(folder.path()).expect("free again"));
}

fn a_kill_loses_nothing_that_was_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("a path");
    let mut answered = BTreeMap::new();
    for round in 0..ROUNDS {
        let mut writer = start(&["--writer", path, &round.to_string()]);
        let mut lines = BufReader::new(writer.stdout.take().expect("piped")).lines();
        // At once in some rounds, while it opens the store; later in others.
        let patience = [0, 1, 10, 100, 1000][usize::try_from(round % 5).expect("small")];
        let patience = scatter(SEED ^ round) % (2 * patience + 1);
        let mut heard = 0;
        let mut hear = |line: String| {
            let (writer, turn) = line.split_once(' ').expect("two numbers");
            answered.insert(writer.parse().expect("a number"), turn.parse().expect("a number"));
            heard += 1;
        };
        for _ in 0..patience {
            hear(lines.next().expect("it lives").expect("a line"));
        }
        writer.kill().expect("killed");
        // What it had still said counts, too.
        lines.map_while(Result::ok).for_each(&mut hear);
        writer.wait().expect("ended");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        // What was found once must be found for ever, told or not.
        answered = runtime.block_on(examine(&open(folder.path()).expect("opens"), &answered));
        println!("round {round}: killed after {heard} answers");
    }
    assert!(answered.values().all(|turn| *turn > 0), "killed too early each time: {answered:?}");
}

/// Finds everything that was answered, whole; the last turn of each writer.
async fn examine(store: &Embedded, answered: &BTreeMap<u64, u64>) -> BTreeMap<u64, u64> {
    let mut found = BTreeMap::new();
    let snapshot = store.snapshot().await.expect("readable");
    for writer in 0..WRITERS {
        let row =
            async |side: &str| snapshot.get(&format!("{side}/{writer}")).await.expect("readable");
        let (left, right) = (row("left").await, row("right").await);
        assert_eq!(left, right, "half a commit of writer {writer}");
        let turn = left.as_deref().map_or(0, turn_of);
        let heard = answered.get(&writer).copied().unwrap_or(0);
        assert!(heard <= turn, "writer {writer} was told {heard}, but {turn} is stored");
        // One commit may have been on its way when the kill came.
        assert!(turn <= heard + 1, "writer {writer}: {turn} stored, {heard} told");
        assert!(left.is_none_or(|it| it == value(writer, turn)), "a damaged row of {writer}");

        let range = KeyRange::prefix(&format!("log/{writer}/"));
        let log = snapshot.scan(&range, usize::MAX, false).await.expect("readable");
        let log: Vec<_> = log.iter().map(|(_, row)| turn_of(row)).collect();
        assert_eq!(log, (1..=turn).collect::<Vec<_>>(), "the log of writer {writer} has a gap");
        let range = KeyRange::prefix(&format!("brief/{writer}/"));
        let brief = snapshot.scan(&range, usize::MAX, false).await.expect("readable");
        assert!(brief.len() <= 1 && brief.len() == usize::from(turn > 0), "a removed row is back");
        found.insert(writer, turn);
    }
    found
}
