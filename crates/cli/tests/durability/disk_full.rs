//! A disk that is really full, and has room again.

use crate::client::{Client, Keys, creation, token};
use crate::journal;
use crate::process::{Server, done, tell, text, until};
use base::Sensitive;
use rustix::process::geteuid;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// A file system in memory, gone when it is dropped.
struct Disk(PathBuf);

const READS: usize = 300;
/// The reserved space of a disk of this size takes fewer.
const MOST_WRITES: usize = 1000;
/// Bytes of a value.
const LARGE: usize = 60_000;
const SMALL: usize = 6;

#[test]
fn a_full_disk_stops_writes_only_and_only_as_long_as_it_is_full() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("made");
    let disk = match Disk::mount(&data) {
        Ok(disk) => disk,
        Err(why) => {
            tell(&format!(
                "disk full: NOT TRIED on a real file system, since none can be mounted here ({why}); \
                 the store's own tests simulate ENOSPC at every write"
            ));
            return;
        }
    };
    let config = folder.path().join("config.toml");
    fs::write(&config, configuration(&data)).expect("written");
    let server = Server::with_config(&config, &data);
    let keys = account(&server, &data);
    let mut client = keys.connect().expect("connected");
    let mut kept = vec![write(&mut client, 0, LARGE).expect("there is room")];

    let ballast = disk.fill();
    // What is left of the reserved space takes small values yet.
    for size in [LARGE, SMALL] {
        while let Ok(it) = write(&mut client, kept.len(), size) {
            kept.push(it);
            assert!(kept.len() < MOST_WRITES, "the disk doesn't get full");
        }
    }
    let mut reader = keys.connect().expect("connected");
    for connection in [&mut client, &mut reader] {
        let refused = write(connection, kept.len(), SMALL).expect_err("no room");
        assert_eq!(refused["__type"], "InternalServiceError", "{refused}");
    }
    let reads: BTreeSet<_> =
        (0..READS).map(|it| read(&mut reader, &kept[it % kept.len()])).collect();
    assert_eq!(server.admin("GET", "/health", "").status, 200);
    tell(&format!(
        "disk full: {} writes found room in reserved space, then {READS} reads",
        kept.len() - 1
    ));

    fs::remove_file(ballast).expect("it was there");
    // The same process, and the same connection.
    for _ in 0..20 {
        kept.push(write(&mut client, kept.len(), LARGE).expect("there is room again"));
    }
    assert_all_there(&mut client, &kept);
    server.kill();

    let server = Server::with_config(&config, &data);
    let mut client = Keys { host: host(&server), ..keys }.connect().expect("connected");
    assert_all_there(&mut client, &kept);
    server.stop();
    let records = journal::records(&data);
    let counted = journal::count(&records);
    for id in &reads {
        assert_eq!(counted.get(&(id.as_str(), "GetSecretValue")), Some(&1), "{id}");
    }
    for (_, _, id) in &kept {
        assert_eq!(counted.get(&(id.as_str(), "CreateSecret")), Some(&1), "{id}");
    }
}

/// The name, the value and the id of the request.
type Written = (String, String, String);

/// Makes a secret; `Err`: the refusal.
fn write(client: &mut Client, number: usize, size: usize) -> Result<Written, Value> {
    let name = format!("filling/{number}");
    let value = format!("{number:06}").repeat(size / 6);
    let body = creation(&name, &token(0, number), &value);
    let answer = client.ask("CreateSecret", &body).expect("an answer in time");
    match answer.status {
        200 => Ok((name, value, answer.request_id())),
        500 => Err(answer.json()),
        other => panic!("{other}: {}", answer.text()),
    }
}

/// Reads one; the id of the request.
fn read(client: &mut Client, (name, value, _): &Written) -> String {
    let answer = client.ask("GetSecretValue", &json!({ "SecretId": name })).expect("an answer");
    assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    assert_eq!(answer.json()["SecretString"], **value, "{name}");
    answer.request_id()
}

fn assert_all_there(client: &mut Client, kept: &[Written]) {
    for written in kept {
        read(client, written);
    }
    let listed = client.pages("ListSecrets", &json!({}), "SecretList");
    let kept: BTreeSet<_> = kept.iter().map(|it| it.0.as_str()).collect();
    let listed: Vec<_> = listed.iter().map(|it| it["Name"].as_str().expect("a name")).collect();
    assert_eq!(listed.len(), kept.len());
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), kept);
}

fn configuration(data: &Path) -> String {
    format!(
        "[server]\ndata = \"{}\"\nlisten = [\"127.0.0.1:0\"]\n\
         [audit]\nsegment_bytes = 1048576\n[throttle]\nenabled = false\n",
        text(data)
    )
}

/// An account of the server, with its key.
fn account(server: &Server, data: &Path) -> Keys {
    let made = done(&["account", "create", "--json", "--data", text(data)]);
    let made: Value = serde_json::from_str(&made).expect("JSON");
    let text = |name: &str| made[name].as_str().expect("a text").to_owned();
    Keys {
        host: host(server),
        access_key_id: text("AccessKeyId"),
        secret: Arc::new(Sensitive::from(text("SecretAccessKey"))),
    }
}

fn host(server: &Server) -> String {
    let status = server.status();
    status["Endpoint"].as_str().expect("a text").trim_start_matches("http://").to_owned()
}

impl Disk {
    fn mount(at: &Path) -> Result<Self, String> {
        if !geteuid().is_root() {
            return Err("not root".to_owned());
        }
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=48m,mode=0700", "tmpfs"]).arg(at);
        match mount.output() {
            Ok(output) if output.status.success() => Ok(Self(at.to_owned())),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Takes all the room there is; the file to remove.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("ballast");
        let mut ballast = File::create(&path).expect("made");
        for size in [1 << 20, 4096, 1] {
            let bytes = vec![1; size];
            let full = until("the disk is full", || ballast.write_all(&bytes).err());
            assert_eq!(full.kind(), ErrorKind::StorageFull);
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: whoever is still in it when a test fails, is killed afterwards.
        let _unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
