//! Changes of the root key that are killed while they are told of.

use crate::client::{Chunks, Client, Keys, creation, receive_head, token, value_of};
use crate::journal;
use crate::process::{Chance, Server, dev_refused, done, tell, text};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::thread;

/// Each Region has a partition key of its own; so many make several commits of one change.
const REGIONS: usize = 200;
const WRITERS: usize = 4;

#[test]
fn a_killed_change_of_the_root_key_is_finished_by_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut server = Server::dev(&data);
    fill(&server);
    let mut regions = REGIONS;

    let mut chance = Chance(0x0070_7e57);
    // Before any line is read, after some lines, and after the last.
    for lines in [0, 1 + chance.below(2), 3 + chance.below(3), usize::MAX] {
        let old = fs::read(data.join("root.key")).expect("a key");
        let keys = server.keys();
        let (seen, more) = thread::scope(|scope| {
            // Each of these makes a partition key while the others are wrapped anew.
            let writer = scope.spawn(|| make_regions(&keys, regions));
            (kill_after(server, lines), writer.join().expect("no panic"))
        });
        let left = data.join("root.key.next").exists();
        tell(&format!(
            "rotation: killed after `{seen}` and {more} new Regions, second key file left: {left}"
        ));
        regions += more;

        server = Server::dev(&data);
        // Still there: it was not done, and goes on by itself.
        if data.join("root.key.next").exists() {
            server.until_said("root key changed");
        }
        assert!(!data.join("root.key.next").exists(), "two root keys are left");
        assert_everything_opens(&server, regions);
        if fs::read(data.join("root.key")).expect("a key") == old {
            // The kill came before there was a new key.
            assert!(!left && lines == 0, "a begun change was forgotten");
            done(&["root-key", "rotate", "--data", text(&data)]);
            assert_everything_opens(&server, regions);
        }
        server = assert_old_key_opens_nothing(server, &data, &old);
    }

    let before = server.status()["RootKey"]["Id"].clone();
    let told = done(&["root-key", "rotate", "--data", text(&data)]);
    assert_ne!(told.trim(), before, "the same key again");
    assert_eq!(server.status()["RootKey"]["Id"], told.trim());
    server.kill();
    let server = Server::dev(&data);
    assert_eq!(server.status()["RootKey"]["Id"], told.trim());
    assert_everything_opens(&server, regions);
    server.stop();
    journal::records(&data);
}

fn region(number: usize) -> String {
    format!("somewhere-else-{number}")
}

/// Makes a secret in each Region.
fn fill(server: &Server) {
    let keys = server.keys();
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let keys = &keys;
            scope.spawn(move || {
                let mut client = keys.connect().expect("connected");
                for number in (writer..REGIONS).step_by(WRITERS) {
                    client.sign_for(&region(number));
                    let body = creation("here", &token(writer, number), &value(number));
                    client.must("CreateSecret", &body);
                }
            });
        }
    });
}

/// Makes a secret in each Region from `first` on until there is no answer; how many were made.
fn make_regions(keys: &Keys, first: usize) -> usize {
    let Ok(mut client) = keys.connect() else { return 0 };
    for number in first.. {
        client.sign_for(&region(number));
        let body = creation("here", &token(0, number), &value(number));
        let Ok(answer) = client.ask("CreateSecret", &body) else { return number - first };
        // The one that an earlier kill left without an answer may be there: the same again.
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    unreachable!("the server is killed")
}

fn value(number: usize) -> String {
    format!("kept in {}", region(number))
}

/// Begins a change of the root key, and kills the server when so many lines of the answer are read;
/// the last of them.
fn kill_after(server: Server, lines: usize) -> String {
    let mut answer = server.ask_admin("POST", "/v1/root-key/rotate", "");
    if lines == 0 {
        server.kill();
        return "nothing".to_owned();
    }
    let (head, length) = receive_head(&mut answer).expect("an answer");
    assert_eq!((head.status, length), (200, None), "not a stream");
    let told = BufReader::new(Chunks::of(&mut answer)).lines().take(lines);
    let told: Vec<_> = told.map(|it| it.expect("a line")).collect();
    let last = told.last().expect("a line").clone();
    if lines == usize::MAX {
        let last: Value = serde_json::from_str(&last).expect("JSON");
        assert_eq!(last["Finished"], true, "{last}");
    }
    server.kill();
    last
}

fn assert_everything_opens(server: &Server, regions: usize) {
    let mut client = server.keys().connect().expect("connected");
    for number in 0..regions {
        assert_opens(&mut client, number);
    }
}

fn assert_opens(client: &mut Client, number: usize) {
    client.sign_for(&region(number));
    assert_eq!(value_of(client, "here", None), value(number));
}

/// Stops the server, tries the key from before, and starts it again with the right one.
fn assert_old_key_opens_nothing(server: Server, data: &Path, old: &[u8]) -> Server {
    server.stop();
    let path = data.join("root.key");
    let right = fs::read(&path).expect("a key");
    assert_ne!(right, old, "the key was not changed");
    // Written over, so that owner and mode stay.
    fs::write(&path, old).expect("written");
    let (fact, _) = dev_refused(data);
    assert!(fact.contains("root key"), "{fact}");
    fs::write(&path, right).expect("written");
    Server::dev(data)
}
