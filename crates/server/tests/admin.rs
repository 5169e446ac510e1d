//! The admin API over its unix socket.

use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use testkit::World;
use testkit::http::Connection;

async fn get(world: &World, path: &str) -> (u16, Value) {
    let answer = world.admin_api(("GET", path), &Value::Null).await;
    (answer.status, answer.json())
}

async fn post(world: &World, path: &str, body: Value) -> (u16, Value) {
    let answer = world.admin_api(("POST", path), &body).await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn accounts_and_keys_are_made_listed_and_locked() {
    let world = World::start().await;
    let (status, made) = post(&world, "/v1/accounts", json!({ "AccountId": "111122223333" })).await;
    assert_eq!((status, &made["AccountId"]), (201, &json!("111122223333")));
    assert_eq!(made["SecretAccessKey"].as_str().map(str::len), Some(40));
    let (status, again) =
        post(&world, "/v1/accounts", json!({ "AccountId": "111122223333" })).await;
    assert_eq!((status, &again["Error"]), (409, &json!("account 111122223333 exists already")));
    assert!(again["Hint"].as_str().is_some_and(|it| !it.is_empty()));

    let (_, listed) = get(&world, "/v1/accounts").await;
    let listed: Vec<_> = listed["Accounts"].as_array().expect("a list").iter().collect();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().any(|it| it["AccountId"] == "111122223333"));

    let input = json!({ "AccountId": "111122223333", "UserName": "ci" });
    let (status, key) = post(&world, "/v1/access-keys", input).await;
    assert_eq!((status, &key["UserName"], &key["Status"]), (201, &json!("ci"), &json!("Active")));
    let id = key["AccessKeyId"].as_str().expect("an id");
    let (status, changed) =
        post(&world, &format!("/v1/access-keys/{id}/deactivate"), Value::Null).await;
    assert_eq!((status, &changed["Status"]), (200, &json!("Inactive")));
    assert!(changed.get("SecretAccessKey").is_none());
    let (_, keys) = get(&world, "/v1/access-keys?AccountId=111122223333").await;
    let keys = keys["AccessKeys"].as_array().expect("a list");
    assert_eq!(keys.len(), 2);
    assert!(keys.iter().all(|it| it.get("SecretAccessKey").is_none()));
    world.stop().await;
}

#[tokio::test]
async fn changes_leave_records_without_secrets() {
    let world = World::start().await;
    let (_, made) = post(&world, "/v1/accounts", json!({ "AccountId": "111122223333" })).await;
    let (_, folder) = world.stop().await;
    let records = records(folder.path());
    let record = records.lines().find(|it| it.contains("111122223333")).expect("recorded");
    for part in [
        r#""eventSource":"iam.amazonaws.com""#,
        r#""eventName":"CreateAccount""#,
        made["AccessKeyId"].as_str().expect("an id"),
    ] {
        assert!(record.contains(part), "{part}\n{record}");
    }
    assert!(!records.contains(made["SecretAccessKey"].as_str().expect("a secret")));
}

/// All lines of the journal of the server in `folder`, as they are by now.
fn records(folder: &Path) -> String {
    let files = std::fs::read_dir(folder.join("data/journal")).into_iter().flatten().flatten();
    files.filter_map(|it| std::fs::read_to_string(it.path()).ok()).collect()
}

#[tokio::test]
async fn what_hands_out_or_changes_keys_is_recorded_before_the_answer() {
    let world = World::start().await;
    let before = get(&world, "/v1/status").await.1["RootKey"]["Id"].clone();
    for (line, events) in [
        (("GET", "/v1/dev-credentials"), &["GetDevCredentials"][..]),
        (("POST", "/v1/backup"), &["CreateBackup"]),
        (("POST", "/v1/root-key/rotate"), &["StartRootKeyRotation", "EndRootKeyRotation"]),
    ] {
        let count = |event: &&str| {
            let member = format!(r#""eventName":"{event}""#);
            records(world.folder()).matches(&member).count()
        };
        let known: Vec<_> = events.iter().map(count).collect();
        assert_eq!(world.admin_api(line, &Value::Null).await.status, 200, "{line:?}");
        let told: Vec<_> = events.iter().map(count).collect();
        assert_eq!(told, known.iter().map(|it| it + 1).collect::<Vec<_>>(), "{line:?}");
    }
    let after = get(&world, "/v1/status").await.1["RootKey"]["Id"].clone();
    let records = records(world.folder());
    let with = |event: &str, part: &str| {
        records.lines().any(|it| it.contains(&format!(r#""{event}""#)) && it.contains(part))
    };
    assert!(with("GetDevCredentials", &world.admin.access_key_id), "{records}");
    assert!(with("CreateBackup", r#""revision":"#), "{records}");
    assert!(with("StartRootKeyRotation", before.as_str().expect("an id")), "{records}");
    assert!(with("EndRootKeyRotation", after.as_str().expect("an id")), "{records}");
    assert!(with("EndRootKeyRotation", r#""changed":true"#), "{records}");
    let secret = String::from_utf8_lossy(world.admin.secret.expose()).into_owned();
    assert!(!records.contains(&secret));
    world.stop().await;
}

#[tokio::test]
async fn mistakes_get_a_fact_and_a_hint() {
    let world = World::start().await;
    for (line, body, status, fact) in [
        (("GET", "/v1/nothing"), Value::Null, 404, "there is nothing here"),
        (("GET", "/"), Value::Null, 404, "there is nothing here"),
        (("DELETE", "/v1/accounts"), Value::Null, 404, "there is nothing here"),
        (("POST", "/v1/accounts"), json!({ "Id": 1 }), 400, "the body is malformed: "),
        (("POST", "/v1/accounts"), json!({ "AccountId": "1" }), 400, "the body is malformed: `1`"),
        (("POST", "/v1/access-keys"), json!({}), 400, "the body is malformed: missing field"),
        (
            ("POST", "/v1/access-keys"),
            json!({ "AccountId": "999999999999" }),
            404,
            "there is no account 999999999999",
        ),
        (
            ("POST", "/v1/access-keys"),
            json!({ "AccountId": world.admin.account, "UserName": "a/b" }),
            400,
            "`a/b` is no user name",
        ),
        (
            ("POST", "/v1/access-keys"),
            json!({ "AccountId": world.admin.account, "UserName": "Admin" }),
            409,
            "account ",
        ),
        (("POST", "/v1/access-keys/AKIAAAAAAAAAAAAAAAAA/activate"), Value::Null, 404, "there is"),
        (("GET", "/v1/access-keys"), Value::Null, 400, "`` is not a 12-digit account id"),
    ] {
        let answer = world.admin_api(line, &body).await;
        let told = answer.json();
        let error = told["Error"].as_str().unwrap_or_default();
        assert_eq!(answer.status, status, "{line:?} {told}");
        assert!(error.starts_with(fact), "{line:?} {told}");
        assert!(told["Hint"].as_str().is_some_and(|it| !it.is_empty()), "{line:?} {told}");
    }
    let long = json!({ "AccountId": "1".repeat(20_000) });
    assert_eq!(post(&world, "/v1/accounts", long).await.0, 400);
    world.stop().await;
}

#[tokio::test]
async fn the_socket_is_the_operators_and_tcp_only_measures() {
    let world = World::start_with(|config| {
        config.admin.listen = Some(([127, 0, 0, 1], 0).into());
    })
    .await;
    let endpoints = world.server().endpoints().clone();
    let mode = std::fs::metadata(&endpoints.admin).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let address = endpoints.metrics.expect("bound");
    for (path, status) in [
        ("/health", 200),
        ("/ready", 200),
        ("/metrics", 200),
        ("/v1/status", 404),
        ("/v1/dev-credentials", 404),
        ("/v1/accounts", 404),
    ] {
        let mut connection = Connection::tcp(address).await.expect("connected");
        let answer = connection.request(("GET", path), &[("host", "x")], b"").await;
        assert_eq!(answer.expect("answered").status, status, "{path}");
    }
    world.stop().await;
}

#[tokio::test]
async fn measurements_count_what_happens() {
    let world = World::start().await;
    world.call("ListSecrets", json!({})).await;
    world.call("GetSecretValue", json!({ "SecretId": "absent" })).await;
    let stranger = testkit::Credentials {
        access_key_id: "AKIAAAAAAAAAAAAAAAAA".to_owned(),
        secret: "x".to_owned().into(),
        account: String::new(),
    };
    world.call_as(&stranger, "ListSecrets", json!({})).await;
    let text = world.admin_api(("GET", "/metrics"), &Value::Null).await.text();
    for line in [
        r#"strongroom_requests_total{service="secretsmanager",operation="ListSecrets",outcome="success"} 1"#,
        r#"strongroom_requests_total{service="secretsmanager",operation="ListSecrets",outcome="client_error"} 1"#,
        r#"strongroom_requests_total{service="secretsmanager",operation="GetSecretValue",outcome="client_error"} 1"#,
        r#"strongroom_authentication_failures_total{reason="unknown_key"} 1"#,
        "strongroom_ready 1",
        "strongroom_connections_open 1",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
    assert!(text.contains("strongroom_build_info{version=\""));
    world.stop().await;
}

#[tokio::test]
async fn the_root_key_changes_while_requests_run() {
    let world = World::start().await;
    let token = "00000000-0000-4000-8000-000000000001";
    let input = json!({ "Name": "a", "SecretString": "value", "ClientRequestToken": token });
    assert_eq!(world.call("CreateSecret", input).await.status, 200);
    let before = get(&world, "/v1/status").await.1["RootKey"]["Id"].clone();
    let answer = world.admin_api(("POST", "/v1/root-key/rotate"), &Value::Null).await;
    assert_eq!(answer.status, 200);
    let text = answer.text();
    let last: Value =
        serde_json::from_str(text.lines().last().expect("some lines")).expect("a line of JSON");
    assert_eq!((&last["Finished"], &last["Done"]), (&json!(true), &last["Total"]), "{text}");
    let after = get(&world, "/v1/status").await.1["RootKey"]["Id"].clone();
    assert_eq!(after, last["RootKeyId"]);
    assert_ne!(after, before);
    let read = world.call("GetSecretValue", json!({ "SecretId": "a" })).await;
    assert_eq!(read.json()["SecretString"], "value");
    world.stop().await;
}

#[tokio::test]
async fn a_backup_is_whole() {
    let world = World::start().await;
    let answer = world.admin_api(("POST", "/v1/backup"), &Value::Null).await;
    assert_eq!(answer.status, 200);
    let mut bytes = &answer.body[..];
    let contents = store::backup::verify(&mut bytes, &mut |_| ()).await.expect("whole");
    assert!(contents.rows > 0);
    world.stop().await;
}
