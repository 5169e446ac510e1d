//! Real connections to a server in this process.

use super::*;
use crate::issuers::Issuers;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

const FINE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// A server whose certificate for `localhost` is of an authority of its own.
struct Host {
    address: String,
    authority: CertificateDer<'static>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Host {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn host(answer: String, tls: bool) -> Host {
    let mut params = CertificateParams::new(Vec::new()).expect("valid");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pair = KeyPair::generate().expect("generated");
    let authority = CertifiedIssuer::self_signed(params, pair).expect("signed");
    let pair = KeyPair::generate().expect("generated");
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("valid");
    let own = params.signed_by(&pair, &authority).expect("signed");
    let chain = vec![own.der().clone(), authority.der().clone()];
    let key = PrivateKeyDer::try_from(pair.serialize_der()).expect("a key");
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a certificate");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if tls {
                let Ok(stream) = acceptor.accept(stream).await else { continue };
                say(stream, &answer).await;
            } else {
                say(stream, &answer).await;
            }
        }
    });
    let scheme = if tls { "https" } else { "http" };
    let address = format!("{scheme}://localhost:{port}/x");
    Host { address, authority: authority.der().clone(), task }
}

async fn say(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &str) {
    let mut head = [0; 1024];
    let _count = stream.read(&mut head).await;
    let _sent = stream.write_all(answer.as_bytes()).await;
    let _closed = stream.shutdown().await;
}

fn fetcher(allow_private: bool, is_dev: bool, own: &[&CertificateDer<'static>]) -> Fetcher {
    let config = OidcConfig { allow_private, ca_bundle: None };
    let own = own.iter().map(|it| (*it).clone()).collect();
    Fetcher { own, ..Fetcher::new(&config, is_dev).expect("made") }
}

async fn read(fetcher: &Fetcher, address: &str, thumbprints: &[&str]) -> Result<usize, String> {
    let thumbprints: Vec<_> = thumbprints.iter().map(|it| (*it).to_owned()).collect();
    let read = fetcher.read(address, &thumbprints).await;
    read.map(|it| it.len()).map_err(|it| it.to_string())
}

#[tokio::test]
async fn only_who_is_vouched_for_is_heard() {
    let host = host(FINE.to_owned(), true).await;
    let print: String = digest(&host.authority);
    let wrong = "0".repeat(40);
    let known = fetcher(true, false, &[&host.authority]);
    let unknown = fetcher(true, false, &[]);
    assert_eq!(read(&known, &host.address, &[]).await, Ok(2));
    assert_eq!(read(&known, &host.address, &[&wrong]).await, Ok(2), "a known one is enough");
    assert_eq!(read(&unknown, &host.address, &[&wrong, &print]).await, Ok(2));
    for thumbprints in [&[][..], &[&*wrong]] {
        let error = read(&unknown, &host.address, thumbprints).await.expect_err("a stranger");
        assert!(error.contains("UnknownIssuer"), "{error}");
    }
    let other_name = host.address.replace("localhost", "127.0.0.1");
    let error = read(&unknown, &other_name, &[&print]).await.expect_err("another name");
    assert!(error.contains("not valid for name"), "{error}");
}

fn digest(certificate: &CertificateDer<'_>) -> String {
    use ::aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
    let bytes = digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate);
    bytes.as_ref().iter().map(|it| [it >> 4, it & 15]).fold(String::new(), |mut text, pair| {
        text.extend(pair.map(|it| char::from_digit(u32::from(it), 16).expect("a digit")));
        text
    })
}

#[tokio::test]
async fn private_addresses_are_asked_only_if_that_is_allowed() {
    let host = host(FINE.to_owned(), true).await;
    let closed = fetcher(false, false, &[&host.authority]);
    let error = read(&closed, &host.address, &[]).await.expect_err("private");
    assert_eq!(error, "it has no address that may be asked; see `oidc.allow_private`");
    for address in
        ["https://169.254.169.254/latest", "https://[::1]:1/", "https://[::ffff:10.0.0.1]/"]
    {
        let found = read(&closed, address, &[]).await;
        assert_eq!(found, Err(error.clone()), "{address}");
    }
}

#[tokio::test]
async fn plain_http_is_for_this_machine_in_dev() {
    let host = host(FINE.to_owned(), false).await;
    assert_eq!(read(&fetcher(true, true, &[]), &host.address, &[]).await, Ok(2));
    let error = read(&fetcher(true, false, &[]), &host.address, &[]).await.expect_err("plain");
    assert_eq!(error, "it is not reached by HTTPS");
    let dev = fetcher(true, true, &[]);
    for (address, expected) in [
        ("http://10.0.0.1/", "it has no address that may be asked; see `oidc.allow_private`"),
        ("ftp://localhost/", "it is not reached by HTTPS"),
        ("https://me@localhost/", "not an address"),
        ("/x", "not an address"),
    ] {
        assert_eq!(read(&dev, address, &[]).await, Err(expected.to_owned()), "{address}");
    }
}

#[tokio::test]
async fn answers_are_bounded_and_nobody_is_sent_on() {
    let long = "x".repeat(Keys::MAX_LEN + 1);
    let huge = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{long}", long.len());
    let elsewhere = "HTTP/1.1 302 Found\r\nlocation: /y\r\ncontent-length: 0\r\n\r\n".to_owned();
    let dev = fetcher(true, true, &[]);
    for (answer, expected) in [
        (huge, "length limit exceeded"),
        (elsewhere, "it answers 302 Found"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}".to_owned(),
            "error reading a body from connection",
        ),
        ("HTTP/1.1 200 OK\r\n\r\n{}".to_owned(), ""),
        ("no HTTP\r\n\r\n".to_owned(), "invalid HTTP version parsed"),
    ] {
        let host = host(answer.clone(), false).await;
        let found = read(&dev, &host.address, &[]).await.err().unwrap_or_default();
        assert!(found.contains(expected) && found.is_empty() == expected.is_empty(), "{found}");
    }
}

#[tokio::test]
async fn who_is_silent_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let issuer = oidc::Issuer::parse(&address).expect("valid");
    let issuers = Issuers::new(Box::new(fetcher(true, true, &[])));
    tokio::time::pause();
    let begun = Instant::now();
    let now = base::Timestamp::from_secs(1_769_853_600);
    assert!(issuers.keys(&issuer, &[], (None, now)).await.is_none());
    assert_eq!(begun.elapsed().as_secs(), 5);
}
