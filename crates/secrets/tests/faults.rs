//! Every mutating operation, with a fault at every commit it makes.
//!
//! What was answered is there, what was not answered left nothing (or, where the machine died after
//! the disk had it, everything), and the same call again ends where the first one would have.

#![expect(clippy::expect_used, reason = "helpers of tests")]

use serde_json::{Value, json};
use store::backends::memory::Fault;
use store::{Backend, KeyRange};
use testkit::Desk;

const T1: &str = "11111111-1111-4111-8111-111111111111";
const T2: &str = "22222222-2222-4222-8222-222222222222";

/// Operation, input, whether the same call again succeeds after it was done.
fn cases() -> Vec<(&'static str, Value, bool)> {
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"secretsmanager:CancelRotateSecret","Resource":"*"}]}"#;
    vec![
        (
            "CreateSecret",
            json!({ "Name": "new", "SecretString": "v", "ClientRequestToken": T2 }),
            true,
        ),
        (
            "PutSecretValue",
            json!({ "SecretId": "old", "SecretString": "v", "ClientRequestToken": T2 }),
            true,
        ),
        (
            "UpdateSecret",
            json!({ "SecretId": "old", "SecretString": "v", "ClientRequestToken": T2 }),
            false,
        ),
        (
            "UpdateSecret",
            json!({ "SecretId": "old", "Description": "d", "ClientRequestToken": T2 }),
            true,
        ),
        (
            "UpdateSecretVersionStage",
            json!({ "SecretId": "old", "VersionStage": "X", "MoveToVersionId": T1 }),
            true,
        ),
        ("DeleteSecret", json!({ "SecretId": "old" }), false),
        ("DeleteSecret", json!({ "SecretId": "old", "ForceDeleteWithoutRecovery": true }), true),
        ("RestoreSecret", json!({ "SecretId": "gone" }), true),
        ("TagResource", json!({ "SecretId": "old", "Tags": [{ "Key": "k", "Value": "v" }] }), true),
        ("UntagResource", json!({ "SecretId": "old", "TagKeys": ["t"] }), true),
        ("PutResourcePolicy", json!({ "SecretId": "old", "ResourcePolicy": policy }), true),
        ("DeleteResourcePolicy", json!({ "SecretId": "old" }), true),
        ("GetSecretValue", json!({ "SecretId": "old" }), true),
    ]
}

async fn desk() -> Desk {
    let desk = Desk::open(3).await.expect("a desk");
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":{"AWS":"444455556666"},"Action":"*","Resource":"*"}]}"#;
    for (operation, body) in [
        (
            "CreateSecret",
            json!({ "Name": "old", "SecretString": "a", "ClientRequestToken": T1,
            "Tags": [{ "Key": "t", "Value": "1" }] }),
        ),
        ("PutResourcePolicy", json!({ "SecretId": "old", "ResourcePolicy": policy })),
        ("CreateSecret", json!({ "Name": "gone", "SecretString": "a", "ClientRequestToken": T1 })),
        ("DeleteSecret", json!({ "SecretId": "gone" })),
    ] {
        assert_eq!(desk.call(operation, body).await.status, 200, "{operation}");
    }
    desk
}

/// All rows but the outbox, whose records have ids of their own.
async fn state(desk: &Desk) -> Vec<(String, Vec<u8>)> {
    let snapshot = desk.backend.snapshot().await.expect("a snapshot");
    let rows = snapshot.scan(&KeyRange::prefix(""), 100_000, false).await.expect("rows");
    rows.into_iter().filter(|(key, _)| !key.starts_with("outbox/")).collect()
}

/// The keys of the rows: values of two runs differ where they were sealed anew.
fn keys(state: &[(String, Vec<u8>)]) -> Vec<String> {
    state.iter().map(|(key, _)| key.clone()).collect()
}

/// How many commits the call makes when nothing goes wrong.
async fn commits(operation: &str, body: &Value) -> u64 {
    let desk = desk().await;
    let before = desk.backend.commits();
    assert_eq!(desk.call(operation, body.clone()).await.status, 200, "{operation} {body}");
    desk.backend.commits() - before
}

#[tokio::test]
async fn a_failed_commit_leaves_nothing_and_a_retry_succeeds() {
    for fault in [Fault::Fail, Fault::Full, Fault::DieBefore] {
        for (operation, body, _) in cases() {
            for nth in 0..commits(operation, &body).await {
                let desk = desk().await;
                let before = state(&desk).await;
                desk.backend.fault(fault, 1 + nth);
                // A full disk stops no read: only what marks it as read is lost.
                let goes_on = operation == "GetSecretValue" && fault == Fault::Full;
                desk.trail.take();
                let failed = desk.call(operation, body.clone()).await;
                let status = if goes_on { 200 } else { 500 };
                assert_eq!(failed.status, status, "{operation} {fault:?} {nth}: {failed:?}");
                assert_eq!(failed.get("SecretString").is_null(), !goes_on);
                assert_eq!(desk.trail.take().len(), 1, "{operation} {fault:?}: its record");
                desk.backend.revive();
                assert_eq!(state(&desk).await, before, "{operation} {fault:?} left something");
                let retried = desk.call(operation, body.clone()).await;
                assert_eq!(retried.status, 200, "{operation} {fault:?}: {retried:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_death_after_the_disk_had_it_keeps_all_and_a_retry_ends_the_same() {
    for (operation, body, repeatable) in cases() {
        for nth in 0..commits(operation, &body).await {
            let whole = desk().await;
            whole.call(operation, body.clone()).await;
            let desk = desk().await;
            desk.backend.fault(Fault::DieAfter, 1 + nth);
            let unknown = desk.call(operation, body.clone()).await;
            assert_eq!(unknown.status, 500, "{operation}: {unknown:?}");
            desk.backend.revive();
            assert_eq!(keys(&state(&desk).await), keys(&state(&whole).await), "{operation}");
            let again = desk.call(operation, body.clone()).await;
            assert_eq!(again.status == 200, repeatable, "{operation}: {again:?}");
        }
    }
}

#[tokio::test]
async fn a_conflict_is_not_seen_from_outside() {
    for (operation, body, _) in cases() {
        for nth in 0..commits(operation, &body).await {
            let desk = desk().await;
            desk.backend.fault(Fault::Conflict, 1 + nth);
            desk.trail.take();
            let answer = desk.call(operation, body.clone()).await;
            assert_eq!(answer.status, 200, "{operation}: {answer:?}");
            let records = desk.trail.take();
            let own = records.iter().filter(|it| it["eventName"] == operation).count();
            assert_eq!(own, 1, "{operation}: one call, one record, however often it ran");
        }
    }
}

#[tokio::test]
async fn every_change_has_its_record_in_the_same_commit() {
    for (operation, body, _) in cases() {
        let desk = desk().await;
        // The machine dies after the commit, before the journal hears of it.
        desk.backend.fault(Fault::DieAfter, 1);
        desk.call(operation, body.clone()).await;
        desk.backend.revive();
        let snapshot = desk.backend.snapshot().await.expect("a snapshot");
        let outbox = snapshot.scan(&KeyRange::prefix("outbox/"), 1000, true).await.expect("rows");
        let found = outbox.iter().any(|(_, row)| {
            String::from_utf8_lossy(row).contains(&format!(r#""eventName":"{operation}""#))
        });
        assert!(found, "{operation} left a change without a record");
    }
}
