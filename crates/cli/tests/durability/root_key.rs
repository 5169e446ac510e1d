//! Wrong and missing root keys, and two servers on one folder: refused, and nothing changed.

use crate::client::{creation, token, value_of};
use crate::process::{Server, dev_refused};
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use store::Backend;
use store::backends::embedded::{Embedded, Options};

#[test]
fn a_wrong_or_missing_root_key_stops_the_start_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    fill(&data);
    let path = data.join("root.key");
    let right = fs::read(&path).expect("a key");
    let other = folder.path().join("other");
    Server::dev(&other).stop();
    let wrong = fs::read(other.join("root.key")).expect("a key");

    #[rustfmt::skip]
    let cases: [(&str, Option<&[u8]>, u32, &str); 6] = [
        // what            content            mode   fact
        ("another key",    Some(&wrong),      0o600, "root key"),
        ("a cut key",      Some(&right[..31]), 0o600, "has 31 bytes instead of 32"),
        ("an open key",    Some(&right),      0o644, "is open to group or others (mode 0644)"),
        ("zeros",          Some(&[0; 32]),    0o600, "holds zeros only"),
        ("an empty file",  Some(&[]),         0o600, "has 0 bytes instead of 32"),
        ("no file",        None,              0,     "does not exist"),
    ];
    for (what, content, mode, expected) in cases {
        fs::remove_file(&path).expect("it was there");
        if let Some(content) = content {
            put_key(&path, content, mode);
        }
        let before = (rows(&data), files(&data));
        let (fact, hint) = dev_refused(&data);
        assert!(fact.contains(expected), "{what}: {fact}");
        assert!(hint.starts_with("hint: "), "{what}: {fact} has no remedy");
        let after = files(&data);
        assert!(before.1 == after, "{what}: a file was made, removed or written");
        assert!(before.0 == rows(&data), "{what}: a row was written");
        put_key(&path, &right, 0o600);
    }

    let server = assert_opens(&data);
    let mut client = server.keys().connect().expect("connected");
    client.must("CreateSecret", &creation("last", &token(1, 0), "just before the kill"));
    server.kill();
    // With work left for the next start, too.
    put_key(&path, &wrong, 0o600);
    dev_refused(&data);
    put_key(&path, &right, 0o600);
    let server = assert_opens(&data);
    let mut client = server.keys().connect().expect("connected");
    assert_eq!(value_of(&mut client, "last", None), "just before the kill");
    server.stop();
}

#[test]
fn a_second_server_on_the_folder_is_refused_and_the_first_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let server = Server::dev(&data);
    let mut client = server.keys().connect().expect("connected");
    client.must("CreateSecret", &creation("kept", &token(0, 1), "first"));
    let status = server.status();

    let (fact, _) = dev_refused(&data);
    assert!(fact.contains("another process"), "{fact}");

    // By the open connection, by a new one, and by the admin socket.
    assert_eq!(value_of(&mut client, "kept", None), "first");
    client.must("CreateSecret", &creation("more", &token(0, 2), "second"));
    let mut other = server.keys().connect().expect("connected");
    assert_eq!(value_of(&mut other, "more", None), "second");
    assert_eq!(server.status()["Pid"], status["Pid"]);
    server.stop();

    // Nobody holds it any more.
    let server = Server::dev(&data);
    let mut client = server.keys().connect().expect("connected");
    assert_eq!(value_of(&mut client, "more", None), "second");
}

fn fill(data: &Path) {
    let server = Server::dev(data);
    let mut client = server.keys().connect().expect("connected");
    for number in 0..10 {
        let name = format!("kept-{number}");
        client.must("CreateSecret", &creation(&name, &token(0, number), &name));
    }
    server.stop();
}

/// A server on `data`, whose values all open.
fn assert_opens(data: &Path) -> Server {
    let server = Server::dev(data);
    let mut client = server.keys().connect().expect("connected");
    for number in 0..10 {
        let name = format!("kept-{number}");
        assert_eq!(value_of(&mut client, &name, None), name);
    }
    server
}

fn put_key(path: &Path, content: &[u8], mode: u32) {
    fs::write(path, content).expect("written");
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("set");
}

/// Every file of a data folder but the tree's, in which each opening leaves a mark.
fn files(data: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = contents(data);
    files.remove(&data.join("store.redb")).expect("a tree");
    files
}

/// Every row of the store in `data`, with its revision.
fn rows(data: &Path) -> Vec<u8> {
    let store = Embedded::open(data, Options::default()).expect("a store");
    let mut rows = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let snapshot = store.snapshot().await.expect("open");
        store::backup::export(&*snapshot, &mut rows, &mut |_| ()).await.expect("written");
    });
    rows
}

/// Every file in `folder` and below, with its bytes.
pub(crate) fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("readable") {
            let entry = entry.expect("readable");
            let kind = entry.file_type().expect("known");
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.insert(entry.path(), fs::read(entry.path()).expect("readable"));
            } else {
                // A socket that a kill left.
                found.insert(entry.path(), Vec::new());
            }
        }
    }
    found
}
