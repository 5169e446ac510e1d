//! A server on disk: its start, its end, and what is there the next time.

#![expect(clippy::expect_used, reason = "helpers of tests")]

use base::{SystemClock, SystemEntropy};
use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use strongroom_server::config::{Listen, Mode, Provider};
use strongroom_server::{Config, Running, Server, StartError};
use tempfile::TempDir;
use testkit::World;
use testkit::http::{Answer, Connection, encode};

fn config(folder: &TempDir) -> Config {
    Config::dev(folder.path().join("data"), SocketAddr::from(([127, 0, 0, 1], 0)))
}

async fn start(config: Config) -> Result<Running, StartError> {
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    Server { config, clock, entropy, backend: None }.start().await
}

async fn refused(config: Config) -> String {
    start(config).await.err().expect("refused").to_string()
}

async fn admin(socket: &Path, line: (&str, &str), body: &str) -> Answer {
    let mut connection = Connection::unix(socket).await.expect("connected");
    connection.request(line, &[("host", "admin")], body.as_bytes()).await.expect("answered")
}

#[tokio::test]
async fn a_second_start_finds_the_same_data_and_keys() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut seen = Vec::new();
    for _ in 0..2 {
        let server = start(config(&folder)).await.expect("started");
        let socket = server.endpoints().admin.clone();
        let credentials = admin(&socket, ("GET", "/v1/dev-credentials"), "").await.json();
        let mut status = admin(&socket, ("GET", "/v1/status"), "").await.json();
        assert_eq!(status["Mode"], "dev");
        assert!(status["StoreRevision"].as_u64() > Some(0));
        let authority = std::fs::read(status["CaFile"].as_str().expect("a path")).expect("there");
        seen.push((
            credentials["AccessKeyId"].clone(),
            credentials["SecretAccessKey"].clone(),
            status["RootKey"].take(),
            status["JournalPublicKey"].take(),
            authority,
        ));
        server.shutdown().await;
        assert!(!socket.exists(), "the socket goes with the server");
    }
    assert_eq!(seen[0], seen[1]);
    let mode = |name: &str| {
        let path = folder.path().join("data").join(name);
        std::fs::metadata(path).expect(name).permissions().mode() & 0o777
    };
    assert_eq!((mode(""), mode("root.key"), mode("tls/key.pem")), (0o700, 0o600, 0o600));
}

#[tokio::test]
async fn mistakes_are_one_clear_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let shown = data.display();
    let server = start(config(&folder)).await.expect("started");
    let locked = format!("another process uses the store in `{shown}`");
    assert_eq!(refused(config(&folder)).await, locked);
    let taken = server.endpoints().plain[0];
    server.shutdown().await;

    let other = std::net::TcpListener::bind(taken).expect("free now");
    let mut busy = config(&folder);
    busy.server.listen = vec![Listen::Plain(taken)];
    let text = refused(busy).await;
    assert!(text.starts_with(&format!("can't listen at `{taken}`: ")), "{text}");
    drop(other);

    let key = data.join("root.key");
    let right = std::fs::read(&key).expect("there");
    std::fs::set_permissions(&key, Permissions::from_mode(0o640)).expect("changed");
    let text = refused(config(&folder)).await;
    assert!(text.contains("is open to group or others (mode 0640)\nhint: chmod 600"), "{text}");
    std::fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("changed");

    std::fs::write(&key, [7; 32]).expect("written");
    let text = refused(config(&folder)).await;
    assert!(text.starts_with("the store is sealed under root key `file:"), "{text}");
    std::fs::remove_file(&key).expect("removed");
    let text = refused(config(&folder)).await;
    assert!(text.ends_with("without it the store can't be read"), "{text}");
    assert!(!key.exists(), "never made over existing data");
    std::fs::write(&key, right).expect("written");
    std::fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("changed");

    std::fs::set_permissions(&data, Permissions::from_mode(0o755)).expect("changed");
    let text = refused(config(&folder)).await;
    assert_eq!(
        text,
        format!(
            "the data folder `{shown}` is open to group or others (mode 0755)\n\
             hint: chmod 700 {shown}"
        )
    );
    std::fs::set_permissions(&data, Permissions::from_mode(0o700)).expect("changed");

    let mut absent = config(&folder);
    (absent.mode, absent.server.data) = (Mode::Server, folder.path().join("absent"));
    let text = refused(absent).await;
    assert!(text.contains("does not exist\nhint: make it with `mkdir -m 700 "), "{text}");

    // After all that it starts as before.
    start(config(&folder)).await.expect("started").shutdown().await;
}

#[tokio::test]
async fn a_start_that_fails_makes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let taken = other.local_addr().expect("bound");
    let mut mistakes = [(); 4].map(|()| {
        let mut config = config(&folder);
        config.server.data = folder.path().join("deep/within/data");
        config
    });
    mistakes[0].server.listen.push(Listen::Plain(taken));
    mistakes[1].server.listen.push(Listen::Tls(taken));
    mistakes[2].admin.listen = Some(taken);
    mistakes[3].limits.connections = 0;
    for (place, config) in mistakes.into_iter().enumerate() {
        refused(config).await;
        let left = std::fs::read_dir(folder.path()).expect("there").count();
        assert_eq!(left, 0, "mistake {place}");
    }
    drop(other);
    start(config(&folder)).await.expect("started").shutdown().await;
}

#[tokio::test]
async fn a_passphrase_opens_what_it_has_sealed() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("passphrase");
    let with = |text: &str| {
        std::fs::write(&file, text).expect("written");
        let mut config = config(&folder);
        config.root_key.provider = Provider::Passphrase;
        config.root_key.path = Some(file.clone());
        config
    };
    assert!(refused(with("short\n")).await.contains("fewer than 14 characters"));
    for text in ["correct horse battery\n", "correct horse battery"] {
        start(with(text)).await.expect("started").shutdown().await;
    }
    let text = refused(with("wrong horse battery\n")).await;
    assert!(text.starts_with("the store is sealed under root key `passphrase:"), "{text}");
    let text = refused(config(&folder)).await;
    assert!(text.contains("root.key` does not exist"), "{text}");
}

#[tokio::test]
async fn what_a_dead_server_left_is_replaced_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("data/admin.sock");
    start(config(&folder)).await.expect("started").shutdown().await;

    drop(std::os::unix::net::UnixListener::bind(&socket).expect("bound"));
    assert!(socket.exists(), "left behind");
    start(config(&folder)).await.expect("started").shutdown().await;

    let alive = std::os::unix::net::UnixListener::bind(&socket).expect("bound");
    assert!(refused(config(&folder)).await.ends_with("another process does"));
    drop(alive);
    std::fs::remove_file(&socket).expect("removed");
    std::fs::write(&socket, "precious").expect("written");
    assert!(refused(config(&folder)).await.ends_with("it exists and is no socket"));
    assert_eq!(std::fs::read(&socket).expect("still there"), b"precious");
}

#[tokio::test]
async fn clients_may_come_over_a_unix_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("api.sock");
    let listen = Listen::Unix(path.clone());
    let world = World::start_with(|config| config.server.listen.push(listen)).await;
    let target = "secretsmanager.ListSecrets";
    let headers = world.signed(&world.admin, target, b"{}");
    let headers: Vec<_> = headers.iter().map(|it| (it.0, it.1.as_str())).collect();
    let mut connection = Connection::unix(&path).await.expect("connected");
    let answer = connection.request(("POST", "/"), &headers, b"{}").await.expect("answered");
    assert_eq!(answer.status, 200, "{}", answer.text());
    world.stop().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn a_stop_lets_running_requests_finish_and_takes_no_more() {
    let world = World::start().await;
    let address = world.address();
    let headers = world.signed(&world.admin, "secretsmanager.ListSecrets", b"{}");
    let mut headers: Vec<_> = headers.iter().map(|it| (it.0, it.1.as_str())).collect();
    headers.extend([("expect", "100-continue"), ("content-length", "2")]);
    let mut idle = Connection::tcp(address).await.expect("connected");
    idle.request(("POST", "/"), &[("host", "x")], b"").await.expect("answered");
    let mut running = Connection::tcp(address).await.expect("connected");
    running.send(&encode(("POST", "/"), &headers, b"")).await.expect("sent");
    assert_eq!(running.receive().await.expect("answered").status, 100, "the body is awaited");

    let stopping = tokio::spawn(world.stop());
    assert_eq!(idle.closed().await.expect("closed"), b"");
    assert!(Connection::tcp(address).await.is_err(), "no longer listening");
    assert!(!stopping.is_finished());
    running.send(b"{}").await.expect("sent");
    let answer = running.receive().await.expect("answered");
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    stopping.await.expect("stopped");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let world = World::start_with(|config| {
        config.server.drain_timeout = Duration::from_millis(50);
    })
    .await;
    let mut running = Connection::tcp(world.address()).await.expect("connected");
    let headers = [
        ("host", "x"),
        ("x-amz-target", "secretsmanager.ListSecrets"),
        ("expect", "100-continue"),
        ("content-length", "10"),
    ];
    running.send(&encode(("POST", "/"), &headers, b"")).await.expect("sent");
    assert_eq!(running.receive().await.expect("answered").status, 100, "the body is awaited");
    world.stop().await;
    assert_eq!(running.closed().await.expect("closed"), b"");
}
