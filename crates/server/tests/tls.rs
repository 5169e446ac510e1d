//! TLS: what is agreed on, and how the certificate is exchanged.

#![expect(clippy::expect_used, reason = "helpers of tests")]

use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, HandshakeKind, NamedGroup, ProtocolVersion, RootCertStore};
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use testkit::World;
use testkit::http::Connection;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

fn address(world: &World) -> SocketAddr {
    *world.server().endpoints().tls.first().expect("in dev")
}

fn trusting(authority: &Path, protocols: &[&[u8]]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).expect("readable")).expect("an authority");
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|it| it.to_vec()).collect();
    Arc::new(config)
}

async fn connect(
    address: SocketAddr,
    config: &Arc<ClientConfig>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::clone(config)).connect(name, stream).await
}

#[tokio::test]
async fn speaks_tls_1_3_with_the_hybrid_first_and_resumes() {
    let world = World::start().await;
    let authority = world.server().endpoints().authority.clone().expect("in dev");
    let config = trusting(&authority, &[b"http/1.1"]);
    for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let stream = connect(address(&world), &config).await.expect("connected");
        let mut connection = Connection::over(stream);
        // Tickets come with the first answer.
        let answer = connection.request(("POST", "/"), &[("host", "localhost")], b"").await;
        assert_eq!(answer.expect("answered").status, 400);
        let stream = connection.into_stream();
        let (_, tls) = stream.get_ref();
        assert_eq!(tls.protocol_version(), Some(ProtocolVersion::TLSv1_3));
        let group = tls.negotiated_key_exchange_group().map(rustls::crypto::SupportedKxGroup::name);
        assert_eq!(group, Some(NamedGroup::X25519MLKEM768));
        assert_eq!(tls.alpn_protocol(), Some(&b"http/1.1"[..]));
        assert_eq!(tls.handshake_kind(), Some(kind));
    }
    world.stop().await;
}

#[tokio::test]
async fn records_say_how_a_call_was_protected() {
    let world = World::start().await;
    let authority = world.server().endpoints().authority.clone().expect("in dev");
    let stream = connect(address(&world), &trusting(&authority, &[])).await.expect("connected");
    let host = format!("localhost:{}", address(&world).port());
    let signing = world.signer(&world.admin, "secretsmanager");
    let mut headers = vec![
        ("host", host),
        ("x-amz-target", "secretsmanager.ListSecrets".to_owned()),
        ("user-agent", "a test".to_owned()),
    ];
    headers.extend(signing.sign_over("/", &headers, b"{}"));
    let headers: Vec<_> = headers.iter().map(|it| (it.0, it.1.as_str())).collect();
    let answer = Connection::over(stream).request(("POST", "/"), &headers, b"{}").await;
    assert_eq!(answer.expect("answered").status, 200);

    let (_, folder) = world.stop().await;
    let records: String = std::fs::read_dir(folder.path().join("data/journal"))
        .expect("a folder")
        .flatten()
        .filter_map(|it| std::fs::read_to_string(it.path()).ok())
        .collect();
    let record = records.lines().find(|it| it.contains("ListSecrets")).expect("recorded");
    for part in [
        r#""tlsVersion":"TLSv1.3""#,
        r#""cipherSuite":"TLS_AES_256_GCM_SHA384""#,
        r#""clientProvidedHostHeader":"localhost""#,
        r#""sourceIPAddress":"127.0.0.1""#,
        r#""userAgent":"a test""#,
    ] {
        assert!(record.contains(part), "{part}\n{record}");
    }
}

#[tokio::test]
async fn many_requests_share_one_h2_connection() {
    let world = World::start().await;
    let authority = world.server().endpoints().authority.clone().expect("in dev");
    let config = trusting(&authority, &[b"h2", b"http/1.1"]);
    let stream = connect(address(&world), &config).await.expect("connected");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let io = TokioIo::new(stream);
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.expect("h2");
    let connection = tokio::spawn(connection);

    // `:authority` is what `host` is elsewhere.
    let host = format!("localhost:{}", address(&world).port());
    let body = r#"{"MaxResults":1}"#;
    let signing = world.signer(&world.admin, "secretsmanager");
    let target = ("x-amz-target", "secretsmanager.ListSecrets".to_owned());
    let signed = signing.sign_over("/", &[("host", host.clone()), target.clone()], body.as_bytes());
    let request = || {
        let mut request = hyper::Request::post(format!("https://{host}/"));
        for (name, value) in signed.iter().chain([&target]) {
            request = request.header(*name, value);
        }
        request.body(Full::new(bytes::Bytes::from(body))).expect("a request")
    };
    let mut senders: Vec<_> = (0..20).map(|_| sender.clone()).collect();
    let answers = senders.iter_mut().map(|it| it.send_request(request())).collect::<Vec<_>>();
    for answer in answers {
        let answer = answer.await.expect("answered");
        assert_eq!((answer.status().as_u16(), answer.version()), (200, hyper::Version::HTTP_2));
        assert!(answer.headers().contains_key("x-amzn-requestid"));
        let body = answer.into_body().collect().await.expect("whole").to_bytes();
        assert_eq!(body, r#"{"SecretList":[]}"#);
    }
    drop((sender, senders));
    connection.await.expect("ended").expect("in order");
    world.stop().await;
}

/// Writes a fresh certificate for `localhost` that signs itself.
fn renew(certificate: &Path, key: &Path) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
    std::fs::write(key, made.signing_key.serialize_pem()).expect("written");
    std::fs::write(certificate, made.cert.pem()).expect("written");
}

#[tokio::test]
async fn a_changed_certificate_is_shown_to_the_next_connection() {
    let world = World::start_with(|config| {
        let tls = config.tls.as_mut().expect("in dev");
        tls.reload_interval = Duration::ZERO;
    })
    .await;
    let folder = world.folder().join("data/tls");
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let old = trusting(&folder.join("ca.pem"), &[]);
    let stream = connect(address(&world), &old).await.expect("connected");
    let mut kept = Connection::over(stream);

    // Half of a change leaves things as they are.
    std::fs::write(&key, "no key").expect("written");
    connect(address(&world), &trusting(&folder.join("ca.pem"), &[])).await.expect("the former");

    renew(&certificate, &key);
    let new = trusting(&certificate, &[]);
    connect(address(&world), &new).await.expect("the new one");
    let stranger = trusting(&folder.join("ca.pem"), &[]);
    connect(address(&world), &stranger).await.expect_err("of another authority");
    let answer = kept.request(("POST", "/"), &[("host", "localhost")], b"").await;
    assert_eq!(answer.expect("still open").status, 400);
    world.stop().await;
}

#[tokio::test]
async fn a_handshake_that_fails_is_counted() {
    let world = World::start_with(|config| {
        config.limits.header_timeout = Duration::from_millis(50);
    })
    .await;
    let mut plain = Connection::tcp(address(&world)).await.expect("connected");
    plain.send(b"POST / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    plain.closed().await.expect("closed");
    let mut silent = Connection::tcp(address(&world)).await.expect("connected");
    silent.closed().await.expect("closed");
    let metrics = world.admin_api(("GET", "/metrics"), &json!(null)).await.text();
    for line in
        ["strongroom_tls_handshakes_failed_total 1", "strongroom_connections_timed_out_total 1"]
    {
        assert!(metrics.lines().any(|it| it == line), "{line}\n{metrics}");
    }
    world.stop().await;
}
