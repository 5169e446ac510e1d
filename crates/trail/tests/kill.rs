//! A process that appends is killed; everything it had acknowledged is there.
#![cfg(test)]

use base::{Entropy, SystemClock, Timestamp};
use service::Trail;
use service::audit::Encoded;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use strongroom_trail::{Durability, Finding, Journal, Options, Reader, Record, SigningKey, verify};

/// Says to [`child`] where to append.
const FOLDER: &str = "STRONGROOM_TRAIL_KILLED_IN";

struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, out: &mut [u8]) {
        out.fill(7);
    }
}

fn open(folder: &Path, durability: Durability) -> Journal {
    let key = SigningKey::from_bytes(&SigningKey::generate(&Fixed)).expect("a key");
    let small = Options { segment_bytes: 16 * 1024, head_records: 10, ..Options::default() };
    let options = Options { durability, ..small };
    Journal::open(folder, options, key, Arc::new(SystemClock)).expect("at most torn")
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut acknowledged = BTreeSet::new();
    // The same journal again and again, so that starts after a kill are part of it.
    for count in [1, 2, 50, 137, 400, 999] {
        acknowledged.extend(killed_after(count, folder.path()));
        check(folder.path(), &acknowledged);
    }
    for durability in [Durability::Synced, Durability::Written] {
        open(folder.path(), durability).close().expect("a disk");
        check(folder.path(), &acknowledged);
    }
}

/// Every acknowledged record is there once, and the chain is whole.
fn check(folder: &Path, acknowledged: &BTreeSet<String>) {
    let finding = verify(folder, None, &mut |_| ()).expect("readable");
    let Finding::Whole(summary) = finding else { panic!("{finding:?}") };
    let id = |json: &str| Record::parse(json).expect("a record").event_id;
    let found: Vec<_> = Reader::new(folder).map(|it| id(&it.expect("readable").json)).collect();
    assert_eq!(summary.records, found.len() as u64);
    let once: BTreeSet<_> = found.iter().cloned().collect();
    assert_eq!(once.len(), found.len(), "a record stands there twice");
    let lost: Vec<_> = acknowledged.difference(&once).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
}

/// The ids that a child had acknowledged when it was killed, after at least `count`.
fn killed_after(count: usize, folder: &Path) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut ids = Vec::new();
    for line in lines {
        if let Some(id) = line.expect("text").strip_prefix("ack ") {
            ids.push(id.to_owned());
        }
        if ids.len() == count {
            child.kill().expect("running"); // SIGKILL; what is in the pipe is still read
        }
    }
    let status = child.wait().expect("ended");
    assert!(!status.success() && ids.len() >= count, "{status}");
    ids
}

/// The process that is killed. Does nothing when it runs as a test of its own.
#[test]
fn child() {
    #[expect(clippy::disallowed_methods, reason = "how a test talks to its own child process")]
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let journal = open(Path::new(&folder), Durability::Written);
    let start = journal.sequence();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let journal = &journal;
            scope.spawn(move || append_for_ever(journal, &format!("{start}-{thread}")));
        }
        for second in 0.. {
            journal.tick(Timestamp::from_secs(second * 10)).expect("a disk");
        }
    });
}

fn append_for_ever(journal: &Journal, name: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for number in 0_u64.. {
        let id = format!("{name}-{number}");
        let json = format!(r#"{{"eventID":"{id}","padding":"{}"}}"#, "x".repeat(300));
        let record = Encoded { id: id.clone(), at: Timestamp::from_secs(1), json };
        runtime.block_on(journal.append(&[record])).expect("space");
        // One write, so that the lines of the threads don't mix.
        std::io::stdout().write_all(format!("ack {id}\n").as_bytes()).expect("a reader");
    }
}
