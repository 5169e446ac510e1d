//! What is done without a request, and what it costs.

#![expect(clippy::expect_used, reason = "helpers of tests")]

mod counting;

use counting::Counting;
use serde_json::{Value, json};
use service::{Ports, Turns};
use std::collections::BTreeMap;
use std::time::Duration;
use store::backends::memory::Fault;
use store::{Backend, Commit, KeyRange};
use strongroom_secrets::{Error, maintenance};
use testkit::Desk;

const DAY: Duration = Duration::from_hours(24);
const VALUES: &str = "s/111122223333/us-east-1/value/";

fn token(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

async fn done(desk: &Desk, operation: &str, body: Value) -> Value {
    let answer = desk.call(operation, body).await;
    assert_eq!(answer.status, 200, "{operation}: {answer:?}");
    answer.body
}

async fn create(desk: &Desk, name: &str) {
    let body = json!({ "Name": name, "SecretString": "v", "ClientRequestToken": token(0) });
    done(desk, "CreateSecret", body).await;
}

/// A desk with the secret `one` in so many versions, each of a value of 3 KB.
async fn desk_with_versions(versions: u32) -> Desk {
    let desk = Desk::open(11).await.expect("a desk");
    create(&desk, "one").await;
    for number in 1..versions {
        let value = "v".repeat(3000);
        let put = json!({ "SecretId": "one", "SecretString": value,
            "ClientRequestToken": token(number) });
        done(&desk, "PutSecretValue", put).await;
    }
    desk
}

async fn rows(desk: &Desk, prefix: &str) -> BTreeMap<String, Vec<u8>> {
    let snapshot = desk.backend.snapshot().await.expect("a snapshot");
    let rows = snapshot.scan(&KeyRange::prefix(prefix), 100_000, false).await.expect("rows");
    rows.into_iter().collect()
}

async fn overwrite(desk: &Desk, key: &str, row: &[u8]) {
    let writes = vec![(key.to_owned(), Some(row.to_vec()))];
    desk.backend.commit(Commit { writes, ..Commit::default() }).await.expect("written");
}

/// How many records of the outbox tell of `event`.
async fn told(desk: &Desk, event: &str) -> usize {
    let name = format!(r#""eventName":"{event}""#);
    let outbox = rows(desk, "outbox/").await;
    outbox.values().filter(|row| String::from_utf8_lossy(row).contains(&name)).count()
}

#[tokio::test]
async fn damaged_due_rows_are_set_aside_and_keep_nobody_waiting() {
    for damage in [&b""[..], b"?", b"\0\x01{}", b"\0\x01{\"at\":", b"\xff\xff{}"] {
        let desk = Desk::open(3).await.expect("a desk");
        for name in ["damaged", "whole"] {
            create(&desk, name).await;
            done(&desk, "DeleteSecret", json!({ "SecretId": name })).await;
            desk.clock.advance(Duration::from_secs(1));
        }
        let due = rows(&desk, "due/").await;
        let (first, _) = due.first_key_value().expect("two rows");
        for key in [first, "due/", "due/000000000000/nobody", "due/0000/a/b/c/d"] {
            overwrite(&desk, key, damage).await;
        }

        desk.clock.advance(DAY * 31);
        let told = desk.settle().await.expect_err("it is told");
        assert!(matches!(&told, Error::Store(store::Error::Corrupt { .. })), "{told:?}");
        desk.settle().await.expect("nothing is in the way any more");
        assert!(rows(&desk, VALUES).await.is_empty(), "{damage:?}: both secrets are gone");
        assert!(rows(&desk, "due/").await.is_empty(), "{damage:?}");
        let aside = rows(&desk, "quarantine/due/").await;
        assert_eq!(aside.len(), 4, "{damage:?}: not a byte is lost");
        assert!(aside.values().all(|it| it == damage));
    }
}

#[tokio::test]
async fn trimming_looks_at_each_version_once_and_at_no_value() {
    const VERSIONS: u32 = 1_000;
    let desk = desk_with_versions(VERSIONS).await;
    desk.settle().await.expect("none is a day old");
    assert_eq!(rows(&desk, VALUES).await.len(), 1_000);
    desk.clock.advance(DAY * 2);

    let (backend, turns) = (Counting::over(&desk.backend), Turns::default());
    let ports = Ports { backend: &backend, trail: &*desk.trail, turns: &turns };
    let now = base::Clock::now(&*desk.clock);
    let step = || maintenance::step(ports, &base::SystemEntropy, now);
    while step().await.expect("a step").is_some_and(|next| next <= now) {}

    assert_eq!(rows(&desk, VALUES).await.len(), 100);
    assert_eq!(told(&desk, "EndSecretVersionDelete").await, 900);
    let (rows, bytes) = backend.read();
    assert!(rows < 1_100, "{rows} rows were read");
    assert!(bytes < 400 * rows, "{bytes} bytes of {rows} rows were read");
}

#[tokio::test]
async fn trimming_ends_wherever_it_is_killed() {
    for fault in [Fault::Conflict, Fault::Fail, Fault::DieBefore, Fault::DieAfter] {
        for nth in 1..=3 {
            let desk = desk_with_versions(320).await;
            desk.clock.advance(DAY * 2);
            desk.backend.fault(fault, nth);
            let _killed = desk.settle().await;
            desk.backend.revive();
            desk.settle().await.expect("steps");
            assert_eq!(rows(&desk, VALUES).await.len(), 100, "{fault:?} {nth}");
            assert_eq!(told(&desk, "EndSecretVersionDelete").await, 220, "{fault:?} {nth}");
            assert!(rows(&desk, "due/").await.is_empty(), "{fault:?} {nth}");
        }
    }
}

#[tokio::test]
async fn a_version_that_gets_a_label_meanwhile_is_kept_and_another_goes() {
    let desk = desk_with_versions(120).await;
    desk.clock.advance(DAY * 2);
    let label = json!({ "SecretId": "one", "VersionStage": "KEEP", "MoveToVersionId": token(0) });
    // The label is committed after trimming has looked, and before it removes.
    let (labelled, settled) =
        tokio::join!(biased; desk.call("UpdateSecretVersionStage", label), desk.settle());
    assert_eq!(labelled.status, 200, "{labelled:?}");
    settled.expect("steps");
    let left = rows(&desk, VALUES).await;
    assert_eq!(left.len(), 100);
    let kept = |number| left.keys().any(|it| it.ends_with(&token(number)));
    assert!(kept(0) && !kept(1) && !kept(20) && kept(21));
}

#[tokio::test]
async fn restoring_is_told_of_each_version() {
    let desk = desk_with_versions(150).await;
    done(&desk, "DeleteSecret", json!({ "SecretId": "one" })).await;
    done(&desk, "RestoreSecret", json!({ "SecretId": "one" })).await;
    assert_eq!(told(&desk, "CancelSecretVersionDelete").await, 150);
    assert_eq!(told(&desk, "RestoreSecret").await, 1);
    done(&desk, "RestoreSecret", json!({ "SecretId": "one" })).await;
    assert_eq!(told(&desk, "CancelSecretVersionDelete").await, 150, "nothing was scheduled");
}

/// The hot path of writes: a further row would cost every put.
#[tokio::test]
async fn a_put_writes_five_rows() {
    let desk = desk_with_versions(2).await;
    let before = rows(&desk, "").await;
    let put = json!({ "SecretId": "one", "SecretString": "w", "ClientRequestToken": token(2) });
    done(&desk, "PutSecretValue", put).await;
    let after = rows(&desk, "").await;
    let keys = before.keys().chain(after.keys().filter(|it| !before.contains_key(*it)));
    let written = keys.filter(|it| before.get(*it) != after.get(*it));
    let mut tables: Vec<_> = written.map(|it| table(it)).collect();
    tables.sort_unstable();
    assert_eq!(tables, ["outbox", "secret", "secret-changed", "secret-changed", "value"]);
}

fn table(key: &str) -> &str {
    let mut parts = key.split('/');
    match parts.next() {
        Some("s") => parts.nth(2).unwrap_or_default(),
        first => first.unwrap_or_default(),
    }
}
