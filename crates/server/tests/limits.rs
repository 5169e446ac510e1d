//! Everything a stranger can send is bounded.

use base::Clock;
use serde_json::json;
use std::time::{Duration, Instant};
use testkit::World;
use testkit::http::{Connection, encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

#[tokio::test]
async fn long_bodies_are_refused_unread() {
    let world = World::start().await;
    let host = world.address().to_string();
    let headers = [("host", host.as_str()), ("x-amz-target", "secretsmanager.ListSecrets")];

    // A promise is enough.
    let mut connection = Connection::tcp(world.address()).await.expect("connected");
    let mut promising = headers.to_vec();
    promising.push(("content-length", "1048577"));
    connection.send(&encode(("POST", "/"), &promising, b"")).await.expect("sent");
    let answer = connection.receive().await.expect("answered");
    assert_eq!((answer.status, &answer.json()["__type"]), (413, &json!("RequestEntityTooLarge")));

    // So are chunks that never end.
    let mut connection = Connection::tcp(world.address()).await.expect("connected");
    let head = format!(
        "POST / HTTP/1.1\r\nhost: {host}\r\nx-amz-target: secretsmanager.ListSecrets\r\n\
         transfer-encoding: chunked\r\n\r\n"
    );
    connection.send(head.as_bytes()).await.expect("sent");
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for _ in 0..17 {
        // The server may have hung up already.
        let _closed = connection.send(chunk.as_bytes()).await;
    }
    if let Ok(answer) = connection.receive().await {
        assert_eq!(answer.status, 413);
    }

    // One byte less is looked at.
    let body = vec![b' '; 1 << 20];
    let answer = world.send(("POST", "/"), &headers, &body).await;
    assert_eq!(answer.json()["__type"], "MissingAuthenticationTokenException");
    world.stop().await;
}

#[tokio::test]
async fn long_heads_are_refused() {
    let world = World::start_with(|config| config.limits.header_bytes = 8192).await;
    let host = world.address().to_string();
    for (long, status) in [("x".repeat(7000), 400), ("x".repeat(9000), 431)] {
        let headers = [("host", host.as_str()), ("x-long", &long)];
        let answer = world.send(("POST", "/"), &headers, b"").await;
        assert_eq!(answer.status, status);
    }
    let many: Vec<_> = (0..200).map(|it| (format!("x-{it}"), "y")).collect();
    let headers: Vec<_> = many.iter().map(|it| (it.0.as_str(), it.1)).collect();
    assert_eq!(world.send(("POST", "/"), &headers, b"").await.status, 431);
    world.stop().await;
}

#[tokio::test]
async fn many_headers_are_refused_over_h2_too() {
    let world = World::start().await;
    // POST, http, /, the target, and one short header again and again by its place in the table.
    let mut head = b"\x83\x86\x84\x00\x0cx-amz-target\x1asecretsmanager.ListSecrets".to_vec();
    head.extend_from_slice(b"\x40\x01a\x01b");
    head.resize(head.len() + 99, 0xbe);

    // A frame: length, kind, flags, stream, payload.
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let length = u8::try_from(payload.len()).expect("short");
        [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
    };
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    let sent = [preface, frame(4, 0, 0, b""), frame(1, 4, 1, &head)].concat();
    let mut stream = TcpStream::connect(world.address()).await.expect("connected");
    stream.write_all(&sent).await.expect("sent");
    let answered = async {
        let mut header = [0; 9];
        while header[3] != 1 {
            stream.read_exact(&mut header).await.expect("open");
            let mut payload = vec![0; usize::from(header[2])];
            stream.read_exact(&mut payload).await.expect("open");
        }
    };
    timeout(Duration::from_secs(5), answered).await.expect("answered though the body has not come");
    drop(stream);
    world.stop().await;
}

#[tokio::test]
async fn what_is_no_http_is_turned_away() {
    let world = World::start().await;
    for bytes in [&b"\x16\x03\x01\x02\x00\x01"[..], b"GET\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n"] {
        let mut connection = Connection::tcp(world.address()).await.expect("connected");
        connection.send(bytes).await.expect("sent");
        let answer = connection.closed().await.expect("closed");
        let text = String::from_utf8_lossy(&answer);
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{text}");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let world = World::start_with(|config| {
        config.limits.request_timeout = Duration::from_millis(50);
    })
    .await;
    let headers =
        [("host", "x"), ("x-amz-target", "secretsmanager.ListSecrets"), ("content-length", "10")];
    let mut connection = Connection::tcp(world.address()).await.expect("connected");
    connection.send(&encode(("POST", "/"), &headers, b"12345")).await.expect("sent");
    let answer = connection.receive().await.expect("answered");
    assert_eq!((answer.status, &answer.json()["__type"]), (408, &json!("RequestTimeout")));
    world.stop().await;
}

#[tokio::test]
async fn heads_and_silence_have_an_end() {
    let world = World::start_with(|config| {
        config.limits.header_timeout = Duration::from_millis(50);
        config.limits.idle_timeout = Duration::from_millis(50);
    })
    .await;
    for bytes in [&b""[..], b"POST / HTTP/1.1\r\nhost:"] {
        let mut connection = Connection::tcp(world.address()).await.expect("connected");
        connection.send(bytes).await.expect("sent");
        assert_eq!(connection.closed().await.expect("closed"), b"");
    }
    let mut connection = Connection::tcp(world.address()).await.expect("connected");
    let answer = connection.request(("POST", "/"), &[("host", "x")], b"").await.expect("answered");
    assert_eq!(answer.status, 400);
    assert_eq!(connection.closed().await.expect("closed"), b"");

    let metrics = world.admin_api(("GET", "/metrics"), &json!(null)).await.text();
    assert!(metrics.contains("strongroom_connections_timed_out_total 2"), "{metrics}");
    world.stop().await;
}

#[tokio::test]
async fn only_those_who_have_signed_may_be_silent_for_long() {
    let (short, long) = (Duration::from_millis(50), Duration::from_hours(1));
    for (header_timeout, idle_timeout, target) in [
        (short, long, None),
        // Long for a head, so that only a signature makes silence end early.
        (long, short, Some("secretsmanager.ListSecrets")),
    ] {
        let world = World::start_with(|config| {
            config.limits.header_timeout = header_timeout;
            config.limits.idle_timeout = idle_timeout;
        })
        .await;
        let headers = match target {
            Some(target) => world.signed(&world.admin, target, b"{}"),
            None => vec![("host", "x".to_owned())],
        };
        let headers: Vec<_> = headers.iter().map(|it| (it.0, it.1.as_str())).collect();
        let mut connection = Connection::tcp(world.address()).await.expect("connected");
        let answer = connection.request(("POST", "/"), &headers, b"{}").await.expect("answered");
        assert_eq!(answer.status == 200, target.is_some(), "{}", answer.text());
        let closed = timeout(Duration::from_secs(30), connection.closed()).await;
        assert_eq!(closed.expect("in time").expect("closed"), b"", "{target:?}");
        world.stop().await;
    }
}

#[tokio::test]
async fn an_operation_that_is_named_twice_is_none() {
    let world = World::start().await;
    let mut headers = world.signed(&world.admin, "secretsmanager.ListSecrets", b"{}");
    headers.push(("x-amz-target", "secretsmanager.ListSecrets".to_owned()));
    let headers: Vec<_> = headers.iter().map(|it| (it.0, it.1.as_str())).collect();
    let answer = world.send(("POST", "/"), &headers, b"{}").await;
    let expected = json!({ "__type": "UnknownOperationException" });
    assert_eq!((answer.status, answer.json()), (400, expected));
    world.stop().await;
}

#[tokio::test]
async fn further_connections_wait_for_room() {
    let world = World::start_with(|config| config.limits.connections = 1).await;
    let mut first = Connection::tcp(world.address()).await.expect("connected");
    let request = [("host", "x")];
    first.request(("POST", "/"), &request, b"").await.expect("answered");

    let mut second = Connection::tcp(world.address()).await.expect("queued");
    second.send(&encode(("POST", "/"), &request, b"")).await.expect("sent");
    for _ in 0..10 {
        first.request(("POST", "/"), &request, b"").await.expect("answered");
    }
    let text = world.admin_api(("GET", "/metrics"), &json!(null)).await.text();
    assert!(text.contains("strongroom_requests_total"), "the admin API has room of its own");
    drop(first);
    assert_eq!(second.receive().await.expect("answered").status, 400);
    world.stop().await;
}

#[tokio::test]
async fn rates_are_kept_and_refusals_recorded() {
    let world = World::start_with(|config| {
        config.throttle.enabled = true;
        config.throttle.account.list = 2;
    })
    .await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(world.call("ListSecrets", json!({})).await);
    }
    assert_eq!(statuses.iter().map(|it| it.status).collect::<Vec<_>>(), [200, 200, 400]);
    let expected = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;
    assert_eq!(statuses[2].text(), expected);
    let other = world.another_account().await;
    assert_eq!(world.call_as(&other, "ListSecrets", json!({})).await.status, 200);
    world.clock.advance(Duration::from_millis(500));
    assert_eq!(world.call("ListSecrets", json!({})).await.status, 200);
    assert!(world.clock.now().millis() % 1000 == 500);

    let (_, folder) = world.stop().await;
    assert_eq!(refusals(folder.path()), 1);
}

/// How many records of refusals are in the journal of the server in `folder`.
fn refusals(folder: &std::path::Path) -> usize {
    let files = std::fs::read_dir(folder.join("data/journal")).into_iter().flatten().flatten();
    let records: String = files.filter_map(|it| std::fs::read_to_string(it.path()).ok()).collect();
    records.matches(r#""errorCode":"ThrottlingException""#).count()
}

#[tokio::test]
async fn a_flood_of_refusals_is_slowed_down_and_recorded() {
    const FLOOD: usize = 160;
    let world = World::start_with(|config| {
        config.throttle.enabled = true;
        config.throttle.account.list = 0;
    })
    .await;
    let headers = world.signed(&world.admin, "secretsmanager.ListSecrets", b"{}");
    let headers: Vec<_> = headers.iter().map(|it| (it.0, it.1.as_str())).collect();
    let request = encode(("POST", "/"), &headers, b"{}");
    let mut flood = tokio::task::JoinSet::new();
    for _ in 0..FLOOD {
        let (address, request) = (world.address(), request.clone());
        flood.spawn(async move {
            let mut connection = Connection::tcp(address).await?;
            connection.send(&request).await?;
            connection.receive().await
        });
    }
    while let Some(answer) = flood.join_next().await {
        let answer = answer.expect("ended").expect("answered");
        assert_eq!(answer.json()["__type"], "ThrottlingException");
    }
    // The clock of the world stands still: 100 at once, and of the others each waits 10 ms longer.
    let begun = Instant::now();
    assert_eq!(world.call("ListSecrets", json!({})).await.status, 400);
    let least = Duration::from_millis(10) * u32::try_from(FLOOD - 100).expect("small");
    assert!(least <= begun.elapsed(), "{:?}", begun.elapsed());
    let (_, folder) = world.stop().await;
    assert_eq!(refusals(folder.path()), FLOOD + 1, "each leaves its record");
}
