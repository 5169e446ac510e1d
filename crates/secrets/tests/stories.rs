//! Stories over days of fake time, served without a network.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "helpers of tests")]

use serde_json::{Value, json};
use std::time::Duration;
use store::backends::memory::Fault;
use store::{Backend, Commit, KeyRange};
use testkit::{Answered, Desk, caller};

const T1: &str = "11111111-1111-4111-8111-111111111111";
const T2: &str = "22222222-2222-4222-8222-222222222222";
const DAY: Duration = Duration::from_hours(24);
const PLACE: &str = "s/111122223333/us-east-1/";
const VALUES: &str = "s/111122223333/us-east-1/value/";

async fn desk_with_secret() -> Desk {
    let desk = Desk::open(7).await.expect("a desk");
    let made = desk
        .call(
            "CreateSecret",
            json!({ "Name": "t/one", "SecretString": "a", "ClientRequestToken": T1 }),
        )
        .await;
    assert_eq!(made.status, 200, "{made:?}");
    desk.trail.take();
    desk
}

fn token(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

async fn put(desk: &Desk, number: u32) -> Answered {
    let body =
        json!({ "SecretId": "t/one", "SecretString": "x", "ClientRequestToken": token(number) });
    desk.call("PutSecretValue", body).await
}

async fn describe(desk: &Desk) -> Answered {
    desk.call("DescribeSecret", json!({ "SecretId": "t/one" })).await
}

#[tokio::test]
async fn a_scheduled_deletion_is_done_when_its_window_ends_and_not_before() {
    let desk = desk_with_secret().await;
    let deleted =
        desk.call("DeleteSecret", json!({ "SecretId": "t/one", "RecoveryWindowInDays": 7 })).await;
    assert_eq!(deleted.status, 200);
    desk.clock.advance((DAY * 7).saturating_sub(Duration::from_millis(1)));
    assert_eq!(desk.settle().await.expect("steps"), 0);
    assert_eq!(describe(&desk).await.status, 200);
    desk.trail.take();

    desk.clock.advance(Duration::from_millis(1));
    assert_eq!(desk.settle().await.expect("steps"), 1);
    assert_eq!(describe(&desk).await.error(), Some("ResourceNotFoundException"));
    let names: Vec<_> = desk.trail.take().iter().map(|it| it["eventName"].clone()).collect();
    assert_eq!(names[..2], ["StartSecretVersionDelete", "EndSecretVersionDelete"]);
    let again = desk
        .call(
            "CreateSecret",
            json!({ "Name": "t/one", "SecretString": "b", "ClientRequestToken": T2 }),
        )
        .await;
    assert_eq!(again.status, 200, "the name is free: {again:?}");
    assert_eq!(leftovers(&desk, "due/").await, 0);
}

#[tokio::test]
async fn a_restored_secret_is_not_removed_later() {
    let desk = desk_with_secret().await;
    desk.call("DeleteSecret", json!({ "SecretId": "t/one" })).await;
    assert_eq!(desk.call("RestoreSecret", json!({ "SecretId": "t/one" })).await.status, 200);
    desk.clock.advance(DAY * 60);
    assert_eq!(desk.settle().await.expect("steps"), 0);
    let value = desk.call("GetSecretValue", json!({ "SecretId": "t/one" })).await;
    assert_eq!(value.get("SecretString"), "a");
    assert_eq!(leftovers(&desk, "due/").await, 0);
}

/// More versions than one transaction removes: the rest is the matter of later steps.
async fn desk_with_a_half_removed_secret() -> Desk {
    let desk = desk_with_secret().await;
    for number in 0..120 {
        assert_eq!(put(&desk, number).await.status, 200);
    }
    let forced = json!({ "SecretId": "t/one", "ForceDeleteWithoutRecovery": true });
    assert_eq!(desk.call("DeleteSecret", forced).await.status, 200);
    assert_eq!(leftovers(&desk, VALUES).await, 21);
    desk
}

#[tokio::test]
async fn what_is_being_removed_is_not_restored() {
    let desk = desk_with_a_half_removed_secret().await;
    let restored = desk.call("RestoreSecret", json!({ "SecretId": "t/one" })).await;
    assert_eq!(restored.error(), Some("ResourceNotFoundException"), "{restored:?}");
    desk.settle().await.expect("steps");
    assert_eq!(describe(&desk).await.error(), Some("ResourceNotFoundException"));
}

#[tokio::test]
async fn a_removal_ends_wherever_it_is_killed() {
    for fault in [Fault::Conflict, Fault::Fail, Fault::DieBefore, Fault::DieAfter] {
        let desk = desk_with_a_half_removed_secret().await;
        desk.backend.fault(fault, 1);
        let _killed = desk.settle().await;
        desk.backend.revive();
        desk.settle().await.expect("steps");
        for prefix in [VALUES, "due/", &format!("{PLACE}secret")] {
            let mut left = rows(&desk, prefix).await;
            left.retain(|(key, _)| !key.contains("/secret-count/"));
            assert!(left.is_empty(), "{fault:?} left {left:?}");
        }
        let outbox = rows(&desk, "outbox/").await;
        let ended = outbox.iter().filter(|(_, row)| {
            String::from_utf8_lossy(row).contains(r#""eventName":"EndSecretVersionDelete""#)
        });
        assert_eq!(ended.count(), 121, "{fault:?}: each version's removal is told once");
    }
}

#[tokio::test]
async fn a_damaged_secret_keeps_no_other_from_being_removed() {
    let desk = desk_with_secret().await;
    let (damaged, _) = rows(&desk, &format!("{PLACE}secret/")).await.remove(0);
    desk.call("DeleteSecret", json!({ "SecretId": "t/one" })).await;
    let (_, scheduled) = rows(&desk, &damaged).await.remove(0);
    let other = json!({ "Name": "t/two", "SecretString": "b", "ClientRequestToken": T2 });
    desk.call("CreateSecret", other).await;
    desk.call("DeleteSecret", json!({ "SecretId": "t/two" })).await;
    overwrite(&desk, &damaged, b"?").await;

    desk.clock.advance(DAY * 30);
    assert!(desk.settle().await.is_err(), "it is told");
    desk.settle().await.expect("steps");
    assert_eq!(leftovers(&desk, VALUES).await, 1, "the other one is gone");
    overwrite(&desk, &damaged, &scheduled).await;
    desk.clock.advance(Duration::from_hours(1));
    desk.settle().await.expect("steps");
    assert_eq!(leftovers(&desk, VALUES).await, 0);
    assert_eq!(leftovers(&desk, "due/").await, 0);
}

async fn overwrite(desk: &Desk, key: &str, row: &[u8]) {
    let writes = vec![(key.to_owned(), Some(row.to_vec()))];
    desk.backend.commit(Commit { writes, ..Commit::default() }).await.expect("written");
}

#[tokio::test]
async fn a_name_that_is_none_is_told_before_what_else_is_wrong() {
    let desk = desk_with_secret().await;
    for (operation, more) in [
        ("DeleteSecret", json!({ "RecoveryWindowInDays": 5 })),
        ("PutResourcePolicy", json!({ "ResourcePolicy": "{}", "PolicyName": "other" })),
        ("PutSecretValue", json!({})),
        ("UpdateSecret", json!({ "SecretString": "a", "SecretBinary": "YQ==" })),
    ] {
        let mut body = more;
        body["SecretId"] = json!("bad name");
        let refused = desk.call(operation, body).await;
        let text = refused.get("message").as_str().unwrap_or_default();
        assert!(text.starts_with("Invalid name."), "{operation}: {refused:?}");
    }
}

#[tokio::test]
async fn a_listing_ends_though_its_rows_lead_nowhere() {
    let desk = desk_with_secret().await;
    let (named, pointer) = rows(&desk, &format!("{PLACE}secret-name/")).await.remove(0);
    let (secret, _) = rows(&desk, &format!("{PLACE}secret/")).await.remove(0);
    let mut writes: Vec<_> =
        (0..200).map(|it| (format!("{named}{it}"), Some(pointer.clone()))).collect();
    writes.push((secret, None));
    desk.backend.commit(Commit { writes, ..Commit::default() }).await.expect("written");
    assert_eq!(list(&desk, json!({ "SortBy": "name" })).await, Vec::<String>::new());
}

#[tokio::test]
async fn versions_beyond_a_hundred_go_after_a_day_oldest_first() {
    let desk = desk_with_secret().await;
    for number in 0..119 {
        assert_eq!(put(&desk, number).await.status, 200);
        desk.clock.advance(Duration::from_mins(1));
    }
    desk.settle().await.expect("steps");
    assert_eq!(versions(&desk).await.len(), 120, "none is a day old");
    desk.clock.advance(DAY);
    desk.settle().await.expect("steps");
    let left = versions(&desk).await;
    assert_eq!(left.len(), 100);
    assert!(!left.contains(&T1.to_owned()) && !left.contains(&token(18)));
    assert!(left.contains(&token(19)) && left.contains(&token(118)));
    assert_eq!(leftovers(&desk, "due/").await, 0);
}

#[tokio::test]
async fn labelled_versions_are_kept_however_old() {
    let desk = desk_with_secret().await;
    let label = json!({ "SecretId": "t/one", "VersionStage": "KEEP", "MoveToVersionId": T1 });
    assert_eq!(desk.call("UpdateSecretVersionStage", label).await.status, 200);
    for number in 0..110 {
        put(&desk, number).await;
    }
    desk.clock.advance(DAY * 2);
    desk.settle().await.expect("steps");
    let left = versions(&desk).await;
    assert_eq!(left.len(), 100);
    assert!(left.contains(&T1.to_owned()));
}

#[tokio::test]
async fn a_read_marks_the_day_once_and_writes_once() {
    let desk = desk_with_secret().await;
    assert!(describe(&desk).await.get("LastAccessedDate").is_null());
    desk.call("GetSecretValue", json!({ "SecretId": "t/one" })).await;
    let day = describe(&desk).await.get("LastAccessedDate").clone();
    assert_eq!((day.as_f64().expect("number") % 86_400.0).to_bits(), 0, "a whole day");
    let commits = desk.backend.commits();
    desk.call("GetSecretValue", json!({ "SecretId": "t/one" })).await;
    assert_eq!(desk.backend.commits(), commits, "the second read of a day writes nothing");
    desk.clock.advance(DAY);
    desk.call("GetSecretValue", json!({ "SecretId": "t/one" })).await;
    assert_eq!(desk.backend.commits(), commits + 1);
}

#[tokio::test]
async fn another_accounts_caller_is_denied_and_learns_nothing() {
    let desk = desk_with_secret().await;
    let stranger = caller("444455556666").expect("valid");
    let arn = describe(&desk).await.get("ARN").as_str().expect("text").to_owned();
    let missing = arn.replace("t/one", "t/none");
    let partial = |arn: &str| arn.rsplit_once('-').expect("a suffix").0.to_owned();
    let mut texts = Vec::new();
    let ids = [arn.clone(), missing.clone(), partial(&arn), partial(&missing)];
    for (id, token) in ids.iter().zip([T1, "short", T1, T1]) {
        let body = json!({ "SecretId": id, "SecretString": "z", "ClientRequestToken": token });
        let denied = desk.call_as(&stranger, "PutSecretValue", body.to_string().as_bytes()).await;
        assert_eq!(denied.error(), Some("AccessDeniedException"), "{denied:?}");
        texts.push(denied.get("Message").as_str().expect("text").replace(id.as_str(), "ID"));
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "what exists and what doesn't look alike: {texts:?}");
    // By name, the stranger addresses its own account.
    let own = desk.call_as(&stranger, "GetSecretValue", br#"{"SecretId":"t/one"}"#).await;
    assert_eq!(own.error(), Some("ResourceNotFoundException"));
}

#[tokio::test]
async fn a_quota_counts_what_is_there_and_frees_what_is_gone() {
    let mut desk = Desk::open(7).await.expect("a desk");
    desk.quotas.secrets = Some(3);
    let create = |number: u32| {
        json!({ "Name": format!("q{number}"), "SecretString": "x",
        "ClientRequestToken": token(number) })
    };
    for number in 0..3 {
        assert_eq!(desk.call("CreateSecret", create(number)).await.status, 200);
    }
    let fourth = desk.call("CreateSecret", create(3)).await;
    assert_eq!(fourth.error(), Some("LimitExceededException"));
    desk.call("DeleteSecret", json!({ "SecretId": "q0" })).await;
    let scheduled = desk.call("CreateSecret", create(3)).await;
    assert_eq!(scheduled.error(), Some("LimitExceededException"), "it is still there");
    desk.call("DeleteSecret", json!({ "SecretId": "q1", "ForceDeleteWithoutRecovery": true }))
        .await;
    assert_eq!(desk.call("CreateSecret", create(3)).await.status, 200);
}

#[tokio::test]
async fn no_record_no_read() {
    let desk = desk_with_secret().await;
    desk.call("GetSecretValue", json!({ "SecretId": "t/one" })).await;
    desk.trail.tear(true);
    let refused = desk.call("GetSecretValue", json!({ "SecretId": "t/one" })).await;
    assert_eq!(refused.error(), Some("InternalServiceError"));
    assert!(refused.get("SecretString").is_null());
    // A change has its record in the outbox, in the same commit: it may be answered.
    assert_eq!(put(&desk, 1).await.status, 200);
    assert!(leftovers(&desk, "outbox/").await > 0);
    desk.trail.tear(false);
    assert_eq!(desk.call("GetSecretValue", json!({ "SecretId": "t/one" })).await.status, 200);
}

#[tokio::test]
async fn canaries_reach_no_record_and_no_row() {
    let desk = Desk::open(7).await.expect("a desk");
    let canary = "canary-7Qx";
    let calls = [
        ("CreateSecret", json!({ "Name": "c", "SecretString": canary, "ClientRequestToken": T1 })),
        (
            "PutSecretValue",
            json!({ "SecretId": "c", "SecretString": format!("{canary}2"),
            "ClientRequestToken": T2, "RotationToken": format!("{canary}-{}", "x".repeat(40)) }),
        ),
        (
            "UpdateSecret",
            json!({ "SecretId": "c", "SecretBinary": "Y2FuYXJ5LTdReA==",
            "ClientRequestToken": token(3) }),
        ),
        (
            "PutSecretValue",
            json!({ "SecretId": "c", "SecretString": format!("{canary}3"),
            "ClientRequestToken": T2 }),
        ),
        ("PutSecretValue", json!({ "SecretId": "c", "SecretString": { "a": canary } })),
        ("GetSecretValue", json!({ "SecretId": "c", "VersionId": T1 })),
        ("BatchGetSecretValue", json!({ "SecretIdList": ["c"] })),
        ("DeleteSecret", json!({ "SecretId": "c" })),
    ];
    for (operation, body) in calls {
        let answer = desk.call(operation, body).await;
        if answer.error().is_some() {
            assert!(!answer.body.to_string().contains(canary), "{operation}: {answer:?}");
        }
    }
    let records = desk.trail.take();
    assert_eq!(records.len(), 9, "one for each call and one for the batch's read");
    assert!(!json!(records).to_string().contains(canary));
    assert!(!json!(records).to_string().contains("Y2FuYXJ5"));
    for (key, row) in rows(&desk, "").await {
        assert!(!key.contains(canary));
        assert!(!String::from_utf8_lossy(&row).contains(canary), "{key}");
    }
}

#[tokio::test]
async fn a_record_leaves_out_what_is_too_long_for_it() {
    let desk = desk_with_secret().await;
    let long = "x".repeat(600_000);
    let refused = desk.call("GetSecretValue", json!({ "SecretId": long })).await;
    assert_eq!(refused.error(), Some("ValidationException"));
    let records = desk.trail.take();
    assert_eq!(records[0]["errorCode"], "ValidationException");
    assert!(records[0]["requestParameters"].is_null());
    assert!(records[0].to_string().len() < 10_000);
}

#[tokio::test]
async fn a_secret_without_a_value_goes_with_a_trace_too() {
    let desk = Desk::open(7).await.expect("a desk");
    desk.call("CreateSecret", json!({ "Name": "empty", "ClientRequestToken": T1 })).await;
    desk.call("DeleteSecret", json!({ "SecretId": "empty", "RecoveryWindowInDays": 7 })).await;
    desk.trail.take();
    desk.clock.advance(DAY * 7);
    desk.settle().await.expect("steps");
    let names: Vec<_> = desk.trail.take().iter().map(|it| it["eventName"].clone()).collect();
    assert_eq!(names, ["StartSecretVersionDelete", "EndSecretVersionDelete"]);
}

#[tokio::test]
async fn two_writers_lose_no_update() {
    let desk = desk_with_secret().await;
    let tags = (0..40).map(|number| {
        let tags = json!([{ "Key": format!("k{number}"), "Value": "v" }]);
        desk.call("TagResource", json!({ "SecretId": "t/one", "Tags": tags }))
    });
    let commits = desk.backend.commits();
    let answers = join_all(tags).await;
    assert!(answers.iter().all(|it| it.status == 200), "{answers:?}");
    assert!(desk.backend.commits() > commits + 40, "they were in each other's way");
    assert_eq!(describe(&desk).await.get("Tags").as_array().expect("list").len(), 40);
}

#[tokio::test]
async fn pages_show_each_secret_once_in_every_order() {
    let desk = Desk::open(7).await.expect("a desk");
    for number in 0..25 {
        let name = format!("n{:02}", (number * 7) % 25);
        let body =
            json!({ "Name": name, "SecretString": "x", "ClientRequestToken": token(number) });
        assert_eq!(desk.call("CreateSecret", body).await.status, 200);
        desk.clock.advance(Duration::from_secs(1));
    }
    for sort in ["created-date", "last-accessed-date", "last-changed-date", "name"] {
        for order in ["asc", "desc"] {
            for size in [1, 7, 25, 100] {
                let names = list(
                    &desk,
                    json!({ "SortBy": sort, "SortOrder": order,
                    "MaxResults": size }),
                )
                .await;
                let mut sorted = names.clone();
                sorted.sort();
                sorted.dedup();
                assert_eq!(sorted.len(), 25, "{sort} {order} {size}");
                if sort == "name" {
                    sorted.sort_by(|a, b| if order == "asc" { a.cmp(b) } else { b.cmp(a) });
                    assert_eq!(names, sorted);
                }
            }
        }
    }
    let filtered = json!({ "Filters": [{ "Key": "name", "Values": ["n1"] }], "MaxResults": 3 });
    assert_eq!(list(&desk, filtered).await.len(), 10);
    let token = desk.call("ListSecrets", json!({ "MaxResults": 1 })).await;
    let other = json!({ "SortBy": "name", "NextToken": token.get("NextToken") });
    let refused = desk.call("ListSecrets", other).await;
    assert_eq!(refused.error(), Some("InvalidNextTokenException"), "a token of another order");
}

async fn list(desk: &Desk, query: Value) -> Vec<String> {
    let mut names = Vec::new();
    let mut query = query;
    loop {
        let page = desk.call("ListSecrets", query.clone()).await;
        assert_eq!(page.status, 200, "{page:?}");
        let entries = page.get("SecretList").as_array().expect("list");
        names.extend(entries.iter().map(|it| it["Name"].as_str().expect("text").to_owned()));
        match page.get("NextToken") {
            Value::Null => return names,
            token => query["NextToken"] = token.clone(),
        }
    }
}

async fn versions(desk: &Desk) -> Vec<String> {
    let mut query = json!({ "SecretId": "t/one", "IncludeDeprecated": true, "MaxResults": 33 });
    let mut ids = Vec::new();
    loop {
        let page = desk.call("ListSecretVersionIds", query.clone()).await;
        let entries = page.get("Versions").as_array().expect("list");
        ids.extend(entries.iter().map(|it| it["VersionId"].as_str().expect("text").to_owned()));
        match page.get("NextToken") {
            Value::Null => return ids,
            token => query["NextToken"] = token.clone(),
        }
    }
}

async fn rows(desk: &Desk, prefix: &str) -> Vec<(String, Vec<u8>)> {
    let snapshot = desk.backend.snapshot().await.expect("a snapshot");
    snapshot.scan(&KeyRange::prefix(prefix), 100_000, false).await.expect("rows")
}

async fn leftovers(desk: &Desk, prefix: &str) -> usize {
    rows(desk, prefix).await.len()
}

/// Polls all futures in turn until each is done: side by side on one thread.
async fn join_all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = futures.map(|it| (Box::pin(it), None)).collect();
    std::future::poll_fn(|context| {
        let mut all = true;
        for (future, output) in &mut waiting {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(done) => *output = Some(done),
                    std::task::Poll::Pending => all = false,
                }
            }
        }
        if all { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    waiting.into_iter().filter_map(|(_, output)| output).collect()
}
