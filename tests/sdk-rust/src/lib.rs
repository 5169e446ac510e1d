//! A running `strongroom dev` of its own, and SDK configurations for it.

mod agent;
mod issuer;

pub use agent::Agent;
pub use issuer::Issuer;

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_secretsmanager::config::{BehaviorVersion, Region};
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// One `strongroom dev` process with its own data folder; both end with this value.
pub struct Server {
    process: Child,
    told: serde_json::Value,
    folder: tempfile::TempDir,
}

/// How to reach it.
#[derive(Clone, Copy, Debug)]
pub enum Door {
    /// HTTP on loopback.
    Plain,
    /// HTTPS, trusting the server's own authority only.
    Tls,
}

impl Server {
    /// Starts it and returns once it answers: `strongroom env` waits for that.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder of our own");
        let data = folder.path().join("data");
        let process = Command::new(binary())
            .args(["dev", "--listen", "127.0.0.1:0", "--log", "error", "--data"])
            .arg(&data)
            .stdout(Stdio::null())
            .spawn()
            .expect("the server starts");
        // From here on the process ends with `server`, whatever fails below.
        let mut server = Self { process, told: serde_json::Value::Null, folder };
        let waited = Command::new(binary()).arg("env").arg("--data").arg(&data).output();
        assert!(waited.expect("env runs").status.success(), "the server doesn't answer");
        server.told = credentials(&data.join("admin.sock"));
        server
    }

    /// An IAM client.
    pub fn iam(&self, door: Door, region: &'static str) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.shared(door, region))
    }

    /// A KMS client.
    pub fn kms(&self, door: Door, region: &'static str) -> aws_sdk_kms::Client {
        aws_sdk_kms::Client::new(&self.shared(door, region))
    }

    /// A Secrets Manager client.
    pub fn secrets(&self, door: Door, region: &'static str) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.shared(door, region))
    }

    /// A Secrets Manager client with the credentials of `provider`.
    pub fn secrets_as(
        &self,
        door: Door,
        region: &'static str,
        provider: impl ProvideCredentials + 'static,
    ) -> aws_sdk_secretsmanager::Client {
        let config = self.shared(door, region).into_builder();
        let config = config.credentials_provider(SharedCredentialsProvider::new(provider));
        aws_sdk_secretsmanager::Client::new(&config.build())
    }

    /// An STS client.
    pub fn sts(&self, door: Door, region: &'static str) -> aws_sdk_sts::Client {
        aws_sdk_sts::Client::new(&self.shared(door, region))
    }

    /// Runs a subcommand on this server's data folder.
    pub fn run(&self, words: &[&str]) {
        let data = self.folder.path().join("data");
        let done = Command::new(binary()).args(words).arg("--data").arg(data).output();
        let done = done.expect("the subcommand runs");
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// A new file of `text`, for its owner's eyes, that ends with the server.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("a file of our own");
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&path, private).expect("it is ours");
        path.to_str().expect("a readable name").to_owned()
    }

    /// The admin's key: its id, and its secret.
    pub fn key(&self) -> (&str, &str) {
        (self.text("AccessKeyId"), self.text("SecretAccessKey"))
    }

    /// What every client is made from, and credential providers too: the admin's key.
    pub fn shared(&self, door: Door, region: &'static str) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region))
            .credentials_provider(SharedCredentialsProvider::new(self.keys()))
            .endpoint_url(self.endpoint(door))
            .http_client(self.http(door))
            .time_source(SystemTimeSource::new())
            .build()
    }

    fn keys(&self) -> Credentials {
        let (id, secret) = self.key();
        Credentials::new(id, secret, None, None, "dev")
    }

    /// Its address at `door`.
    pub fn endpoint(&self, door: Door) -> &str {
        match door {
            Door::Plain => self.text("Endpoint"),
            Door::Tls => self.text("TlsEndpoint"),
        }
    }

    fn http(&self, door: Door) -> aws_sdk_secretsmanager::config::SharedHttpClient {
        let builder = aws_smithy_http_client::Builder::new();
        match door {
            Door::Plain => builder.build_http(),
            Door::Tls => {
                let authority = std::fs::read(self.text("CaFile")).expect("the authority is there");
                let trusted = TrustStore::empty().with_pem_certificate(authority);
                let context = TlsContext::builder().with_trust_store(trusted).build();
                builder
                    .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                    .tls_context(context.expect("the authority is readable"))
                    .build_https()
            }
        }
    }

    fn text(&self, member: &str) -> &str {
        self.told[member].as_str().expect("dev-credentials tells it")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then a test has failed already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn credentials(socket: &Path) -> serde_json::Value {
    let mut stream = UnixStream::connect(socket).expect("the admin socket is there");
    stream.write_all(b"GET /v1/dev-credentials HTTP/1.0\r\n\r\n").expect("it takes a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (_, body) = answer.split_once("\r\n\r\n").expect("HTTP");
    serde_json::from_str(body).expect("JSON")
}

fn binary() -> PathBuf {
    std::env::var_os("STRONGROOM_BINARY").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/debug/strongroom"),
        PathBuf::from,
    )
}
