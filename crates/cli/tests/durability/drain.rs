//! SIGTERM: what is under way is answered, then the end is in order.

use crate::client::{creation, token, value_of};
use crate::journal;
use crate::process::Server;
use std::fs;

#[test]
fn sigterm_lets_a_request_finish_and_the_next_start_finds_everything() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut server = Server::dev(&data);
    let keys = server.keys();
    let mut idle = keys.connect().expect("connected");
    idle.must("CreateSecret", &creation("before", &token(0, 1), "before the signal"));

    // The server asks for the body when it has begun with the request.
    let mut busy = keys.connect().expect("connected");
    let body = creation("during", &token(0, 2), "after the signal").to_string();
    let head = busy.head("CreateSecret", body.as_bytes(), "expect: 100-continue\r\n");
    busy.send(head.as_bytes()).expect("sent");
    assert_eq!(busy.receive().expect("an answer").status, 100);
    let (first, rest) = body.as_bytes().split_at(10);
    busy.send(first).expect("sent");

    server.terminate();
    server.until_said("stopping");
    assert!(idle.is_closed(), "a silent connection keeps the server");
    assert!(keys.connect().map_or(true, |mut it| it.is_closed()), "a new one is served");
    let ready = server.admin("GET", "/ready", "");
    assert_eq!(ready.status, 503, "{}", ready.text());

    busy.send(rest).expect("sent");
    let answer = busy.receive().expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(busy.is_closed(), "the connection goes on");
    assert_eq!(server.wait().code(), Some(0));
    assert!(!data.join("admin.sock").exists(), "the socket is left");
    let root_key = fs::read(data.join("root.key")).expect("a key");

    let server = Server::dev(&data);
    let found = server.keys();
    assert_eq!(found.access_key_id, keys.access_key_id);
    assert!(found.secret.same_as(&keys.secret), "another secret access key");
    assert_eq!(fs::read(data.join("root.key")).expect("a key"), root_key);
    let mut client = found.connect().expect("connected");
    assert_eq!(value_of(&mut client, "before", None), "before the signal");
    assert_eq!(value_of(&mut client, "during", None), "after the signal");
    server.stop();

    let records = journal::records(&data);
    assert_eq!(journal::count(&records)[&(answer.request_id().as_str(), "CreateSecret")], 1);
}
