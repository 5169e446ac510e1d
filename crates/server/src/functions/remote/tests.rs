//! Real connections to a scripted endpoint in this process.

use super::*;
use crate::config::TlsConfig;
use crate::dev_certificate;
use async_trait::async_trait;
use base::{Sensitive, SystemClock, SystemEntropy};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const ARN: &str = "arn:aws:lambda:eu-west-1:111122223333:function:rotate";
const EVENT: &[u8] = br#"{"Step":"createSecret"}"#;
const FINE: &str = "x-amz-executed-version: $LATEST\r\n";

/// An endpoint that gives `answers` in turn, and nothing after the last one.
struct Endpoint {
    folder: tempfile::TempDir,
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
}

async fn endpoint(answers: Vec<String>) -> Endpoint {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |it: &str| folder.path().join("tls").join(it);
    let config = TlsConfig {
        certificate: at("cert.pem"),
        key: at("key.pem"),
        reload_interval: Duration::from_secs(1),
    };
    std::fs::create_dir(folder.path().join("tls")).expect("made");
    let authority = dev_certificate::ensure(&config, SystemClock.now()).expect("made");
    std::fs::rename(authority, folder.path().join("ca.pem")).expect("moved");
    let chain = CertificateDer::pem_file_iter(&config.certificate).expect("read");
    let key = PrivateKeyDer::from_pem_file(&config.key).expect("read");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain.map(|it| it.expect("one")).collect(), key)
        .expect("a certificate");
    std::fs::write(folder.path().join("key"), "canary-of-a-key\n").expect("written");
    private(&folder.path().join("key"));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let (acceptor, heard) = (TlsAcceptor::from(Arc::new(tls)), Arc::clone(&asked));
    let task = tokio::spawn(async move {
        let mut answers = answers.into_iter();
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                if stream.read_buf(&mut request).await.expect("read") == 0 {
                    break;
                }
            }
            heard.lock().expect("whole").push(String::from_utf8(request).expect("text"));
            match answers.next() {
                Some(answer) => {
                    let _sent = stream.write_all(answer.as_bytes()).await;
                    let _closed = stream.shutdown().await;
                }
                None => std::future::pending().await,
            }
        }
    });
    Endpoint { folder, port, asked, task }
}

fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("set");
}

impl Endpoint {
    fn config(&self) -> RemoteConfig {
        RemoteConfig {
            arn_prefix: "arn:aws:lambda:eu-west-1:111122223333:function:".to_owned(),
            endpoint: format!("https://localhost:{}", self.port),
            accounts: None,
            access_key_id: "AKIAREMOTE".to_owned(),
            secret_access_key_file: self.folder.path().join("key"),
            region: None,
            ca_bundle: Some(self.folder.path().join("ca.pem")),
            timeout: Duration::from_secs(20),
        }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("whole").clone()
    }
}

fn remotes(config: RemoteConfig) -> Remotes {
    let tools = (&(Arc::new(SystemClock) as _), &(Arc::new(SystemEntropy) as _));
    let remotes = Remotes::open(&[config], tools).expect("fits");
    Remotes { pause: Duration::ZERO, ..remotes }
}

/// The secrets of a rotation, or that nobody can tell.
struct Known(Option<&'static str>);

#[async_trait]
impl Hidden for Known {
    async fn texts(&self) -> Option<Vec<Sensitive>> {
        self.0.map(|it| vec![Sensitive::from(it.to_owned())])
    }
}

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl runtime::LogSink for Lines {
    fn line(&self, function_arn: &str, line: &str) {
        assert_eq!(function_arn, ARN);
        self.0.lock().expect("whole").push(line.to_owned());
    }
}

async fn step(remotes: &Remotes, known: Option<&'static str>) -> (Result<(), String>, Vec<String>) {
    let lines = Lines::default();
    let done = remotes.step(ARN, EVENT, &Known(known), &lines).await;
    (done, lines.0.into_inner().expect("whole"))
}

#[tokio::test]
async fn a_step_is_signed_and_its_log_masked() {
    let log = STANDARD.encode("START\nmade hunter22\n");
    let fine = answer(200, &format!("{FINE}x-amz-log-result: {log}\r\n"), "null");
    let endpoint = endpoint(vec![fine]).await;
    let remotes = remotes(endpoint.config());
    let (done, lines) = step(&remotes, Some("hunter22")).await;
    assert_eq!((done, lines), (Ok(()), vec!["START".to_owned(), "made [hidden]".to_owned()]));
    let asked = endpoint.asked().remove(0);
    let path = ARN.replace(':', "%3A");
    assert!(
        asked.starts_with(&format!("POST /2015-03-31/functions/{path}/invocations HTTP/1.1\r\n")),
        "{asked}"
    );
    for part in [
        "\r\nx-amz-invocation-type: RequestResponse\r\n",
        "\r\nauthorization: AWS4-HMAC-SHA256 Credential=AKIAREMOTE/",
        "/eu-west-1/lambda/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date;x-amz-invocation-type;x-amz-log-type, Signature=",
        "\r\n\r\n{\"Step\":\"createSecret\"}",
    ] {
        assert!(asked.contains(part), "{part} in {asked}");
    }
    assert!(!asked.contains("canary"));
}

#[tokio::test]
async fn what_isnt_a_success_says_why() {
    let failed = format!("{FINE}x-amz-function-error: Unhandled\r\n");
    let message = r#"{"errorMessage":"nobody accepts hunter22"}"#;
    let long = "x".repeat(answer::LARGEST + 1);
    let wrong = "x-amzn-errortype: UnrecognizedClientException:http://x\r\n";
    let said = r#"{"message":"The security token included in the request is invalid.\u001b[2J"}"#;
    for (answer, known, expected) in [
        (
            answer(200, &failed, message),
            Some("hunter22"),
            r#"{"errorMessage":"nobody accepts [hidden]"}"#,
        ),
        (
            answer(200, &failed, message),
            None,
            "the function has failed, and what it says is not told",
        ),
        (answer(200, "", "<html>"), Some("-"), "`[peer]` doesn't answer as Lambda does"),
        (answer(200, FINE, &long), Some("-"), "`[peer]` answers more than 6291556 bytes"),
        (answer(204, FINE, ""), Some("-"), "`[peer]` answers 204"),
        (answer(302, "location: https://x\r\n", ""), Some("-"), "`[peer]` answers 302"),
        (
            answer(403, wrong, said),
            Some("-"),
            "`[peer]` answers 403: UnrecognizedClientException The security token included in the request is \
             invalid. [2J",
        ),
        (
            "garbage\r\n\r\n".repeat(3),
            Some("-"),
            "`[peer]` can't be asked: invalid HTTP version parsed",
        ),
    ] {
        let mut expected = expected.to_owned();
        // What can't be read may be readable in a moment.
        let endpoint = endpoint(vec![answer.clone(), answer.clone(), answer.clone()]).await;
        let (done, lines) = step(&remotes(endpoint.config()), known).await;
        expected = expected.replace("[peer]", &format!("https://localhost:{}", endpoint.port));
        let told = done.expect_err("no success");
        assert_eq!(told, expected);
        assert!(lines.is_empty());
        let attempts = if answer.starts_with("garbage") { 3 } else { 1 };
        assert_eq!(endpoint.asked().len(), attempts, "{expected}");
    }
}

#[tokio::test]
async fn what_only_stumbles_is_asked_again() {
    for (statuses, expected) in [
        (&[429, 200][..], Ok(())),
        (&[503, 500, 200], Ok(())),
        (&[502, 502, 504, 200], Err("answers 504: TooManyRequestsException Rate Exceeded.")),
        (&[404, 200], Err("answers 404: TooManyRequestsException Rate Exceeded.")),
    ] {
        let mut headers = FINE.to_owned();
        let _infallible = write!(headers, "x-amzn-errortype: TooManyRequestsException\r\n");
        let said = r#"{"Type":"User","message":"Rate Exceeded."}"#;
        let answers = statuses.iter().map(|it| answer(*it, &headers, said)).collect();
        let endpoint = endpoint(answers).await;
        let (done, _) = step(&remotes(endpoint.config()), Some("-")).await;
        match (done, expected) {
            (Ok(()), Ok(())) => assert_eq!(endpoint.asked().len(), statuses.len()),
            (Err(told), Err(expected)) => assert!(told.ends_with(expected), "{told}"),
            (done, _) => panic!("{done:?}"),
        }
    }
}

#[tokio::test]
async fn who_is_late_or_not_there_or_not_believed() {
    let late = endpoint(Vec::new()).await;
    let limit = Duration::from_millis(300);
    let told = step(&remotes(RemoteConfig { timeout: limit, ..late.config() }), Some("-")).await;
    assert!(told.0.expect_err("late").ends_with("hasn't answered within 300ms"));

    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("https://localhost:{}", closed.local_addr().expect("an address").port());
    drop(closed);
    let told = step(&remotes(RemoteConfig { endpoint: address, ..late.config() }), Some("-")).await;
    assert!(told.0.expect_err("closed").contains("refused"));

    let (late, other) = (endpoint(Vec::new()).await, endpoint(Vec::new()).await);
    let ca_bundle = Some(other.folder.path().join("ca.pem"));
    let told = step(&remotes(RemoteConfig { ca_bundle, ..late.config() }), Some("-")).await;
    let told = told.0.expect_err("a stranger");
    assert!(told.contains("invalid peer certificate"), "{told}");
    assert_eq!(late.asked().len(), 0, "nothing is said to who isn't believed");
}

#[tokio::test]
async fn another_key_takes_effect_and_one_that_others_read_is_refused() {
    let fine = answer(200, FINE, "null");
    let endpoint = endpoint(vec![fine.clone(), fine]).await;
    let remotes = remotes(endpoint.config());
    let path = endpoint.folder.path().join("key");
    assert_eq!(step(&remotes, Some("-")).await.0, Ok(()));
    std::fs::write(&path, "another").expect("written");
    assert_eq!(step(&remotes, Some("-")).await.0, Ok(()));
    let asked = endpoint.asked();
    let signature = |it: &str| it.split("Signature=").nth(1).map(|it| it[..64].to_owned());
    assert_ne!(signature(&asked[0]), signature(&asked[1]));
    std::fs::remove_file(&path).expect("removed");
    let told = step(&remotes, Some("-")).await.0.expect_err("no key");
    assert!(told.starts_with("can't read the key file"), "{told}");
}
