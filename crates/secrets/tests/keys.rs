//! What callers are told when the key of a secret can't be used.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "helpers of tests")]

use kms::KeyState;
use serde_json::{Value, json};
use store::{Backend, Commit, KeyRange};
use testkit::{Answered, Desk};

const T1: &str = "11111111-1111-4111-8111-111111111111";
const T2: &str = "22222222-2222-4222-8222-222222222222";
const KEYS: &str = "s/111122223333/us-east-1/key/";

async fn desk() -> Desk {
    let desk = Desk::open(7).await.expect("a desk");
    let made = json!({ "Name": "one", "SecretString": "a", "ClientRequestToken": T1 });
    assert_eq!(desk.call("CreateSecret", made).await.status, 200);
    desk
}

/// The row of the one key there is, and the key's ARN.
async fn key(desk: &Desk) -> (String, String) {
    let snapshot = desk.backend.snapshot().await.expect("a snapshot");
    let rows = snapshot.scan(&KeyRange::prefix(KEYS), 2, false).await.expect("rows");
    assert_eq!(rows.len(), 1, "one key");
    let (row, _) = &rows[0];
    let id = row.strip_prefix(KEYS).expect("the prefix");
    (row.clone(), format!("arn:aws:kms:us-east-1:111122223333:key/{id}"))
}

async fn put_into(desk: &Desk, state: KeyState) -> String {
    let (_, arn) = key(desk).await;
    let mut txn = store::begin(&*desk.backend);
    kms::set_state(&mut txn, &arn, state).await.expect("the key exists");
    txn.commit().await.expect("alone");
    arn
}

/// `text` in the frame of KMS's answers, with the request's id taken out.
fn framed(verb: &str, text: &str, code: &str) -> String {
    format!(
        "Secrets Manager can't {verb} the secret value: {text} (Service: AWSKMS; Status Code: 400; \
         Error Code: {code}; Request ID: ID; Proxy: null)"
    )
}

/// The error's type and its text, with a request id of the right form taken out.
fn told(answer: &Answered) -> (String, String) {
    assert_eq!(answer.status, 400, "{answer:?}");
    let text = answer.get("Message").as_str().expect("a message").to_owned();
    (answer.error().expect("a type").to_owned(), without_id(&text))
}

fn without_id(text: &str) -> String {
    let (head, rest) = text.split_once("Request ID: ").expect("an id");
    let (id, tail) = rest.split_once(';').expect("more");
    let lengths: Vec<_> = id.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12], "{text}");
    format!("{head}Request ID: ID;{tail}")
}

fn writes() -> [(&'static str, Value); 3] {
    let value = |mut body: Value| {
        body["SecretString"] = json!("b");
        body["ClientRequestToken"] = json!(T2);
        body
    };
    [
        ("CreateSecret", value(json!({ "Name": "two" }))),
        ("PutSecretValue", value(json!({ "SecretId": "one" }))),
        ("UpdateSecret", value(json!({ "SecretId": "one" }))),
    ]
}

fn reads() -> [(&'static str, Value); 2] {
    // The same token again: the value that is there must be opened to be compared.
    let again = json!({ "SecretId": "one", "SecretString": "a", "ClientRequestToken": T1 });
    [("GetSecretValue", json!({ "SecretId": "one" })), ("PutSecretValue", again)]
}

#[tokio::test]
async fn a_key_that_is_not_enabled_is_told_in_kmss_words() {
    #[rustfmt::skip]
    let cases = [
        (KeyState::Disabled,               "is disabled.",         "DisabledException"),
        (KeyState::PendingDeletion,        "is pending deletion.", "KMSInvalidStateException"),
        (KeyState::PendingReplicaDeletion, "is pending deletion.", "KMSInvalidStateException"),
        (KeyState::PendingImport,          "is pending import.",   "KMSInvalidStateException"),
        (KeyState::Creating,               "is creating.",         "KMSInvalidStateException"),
        (KeyState::Unavailable,            "is unavailable.",      "KMSInvalidStateException"),
    ];
    for (state, words, code) in cases {
        let desk = desk().await;
        let text = format!("{} {words}", put_into(&desk, state).await);
        for (operation, body) in reads() {
            let expected = ("DecryptionFailure".to_owned(), framed("decrypt", &text, code));
            assert_eq!(told(&desk.call(operation, body).await), expected, "{operation}");
        }
        for (operation, body) in writes() {
            let expected = ("EncryptionFailure".to_owned(), framed("encrypt", &text, code));
            assert_eq!(told(&desk.call(operation, body).await), expected, "{operation}");
        }

        put_into(&desk, KeyState::Enabled).await;
        for (operation, body) in reads().into_iter().chain(writes().into_iter().take(2)) {
            assert_eq!(
                desk.call(operation, body).await.status,
                200,
                "{operation}: nothing was left"
            );
        }
    }
}

#[tokio::test]
async fn a_batch_tells_of_the_key_beside_the_values() {
    let desk = desk().await;
    let text = format!("{} is disabled.", put_into(&desk, KeyState::Disabled).await);
    let batch = desk.call("BatchGetSecretValue", json!({ "SecretIdList": ["one"] })).await;
    assert_eq!(batch.status, 200, "{batch:?}");
    let [problem] = batch.get("Errors").as_array().expect("a list").as_slice() else {
        panic!("not one problem: {batch:?}")
    };
    assert_eq!(problem.get("ErrorCode"), Some(&json!("DecryptionFailure")));
    let message = problem.get("Message").and_then(Value::as_str).expect("a message");
    assert_eq!(without_id(message), framed("decrypt", &text, "DisabledException"));
}

#[tokio::test]
async fn what_needs_no_key_asks_none() {
    let desk = desk().await;
    put_into(&desk, KeyState::Disabled).await;
    for (operation, more) in [
        ("DescribeSecret", json!({})),
        ("ListSecretVersionIds", json!({ "IncludeDeprecated": true })),
        ("UpdateSecret", json!({ "Description": "d", "ClientRequestToken": T2 })),
        ("UpdateSecretVersionStage", json!({ "VersionStage": "X", "MoveToVersionId": T1 })),
        ("DeleteSecret", json!({})),
        ("RestoreSecret", json!({})),
    ] {
        let mut body = more;
        body["SecretId"] = json!("one");
        let answer = desk.call(operation, body).await;
        assert_eq!(answer.status, 200, "{operation}: {answer:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_gone_is_told_to_readers() {
    let desk = desk().await;
    let (row, arn) = key(&desk).await;
    let writes = vec![(row, None)];
    desk.backend.commit(Commit { writes, ..Commit::default() }).await.expect("removed");
    let text = format!("Key '{arn}' does not exist");
    let expected = ("DecryptionFailure".to_owned(), framed("decrypt", &text, "NotFoundException"));
    assert_eq!(told(&desk.call("GetSecretValue", json!({ "SecretId": "one" })).await), expected);
    // The account's own key can't be gone for a writer: this is damage, and no fault of the caller's.
    let put = json!({ "SecretId": "one", "SecretString": "b", "ClientRequestToken": T2 });
    assert_eq!(desk.call("PutSecretValue", put).await.status, 500);
}

#[tokio::test]
async fn labels_are_counted_before_the_key_is_asked() {
    let desk = desk().await;
    put_into(&desk, KeyState::Disabled).await;
    let labels: Vec<_> = (0..20).map(|it| format!("L{it}")).collect();
    let put = json!({ "SecretId": "one", "SecretString": "b", "ClientRequestToken": T2,
        "VersionStages": labels });
    let refused = desk.call("PutSecretValue", put).await;
    assert_eq!(refused.error(), Some("LimitExceededException"), "{refused:?}");
}
