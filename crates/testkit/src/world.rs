//! A server in this process.

use crate::chance::Seeded;
use crate::clock::HandMoved;
use crate::http::{Answer, Connection};
use base::{Clock, Sensitive, Timestamp};
use serde_json::{Value, json};
use server::{Config, Running, Server};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use store::Backend;
use store::backends::memory::Memory;
use tempfile::TempDir;

/// A running server over a store in memory, and the keys of its first account.
pub struct World {
    /// The clock of the server and of all signatures.
    pub clock: Arc<HandMoved>,
    /// The store, to be told to fail.
    pub store: Arc<Memory>,
    /// The admin user of the first account.
    pub admin: Credentials,
    running: Running,
    folder: TempDir,
}

/// An access key and its secret.
#[derive(Debug)]
pub struct Credentials {
    /// `AKIA…`.
    pub access_key_id: String,
    /// The secret access key.
    pub secret: Sensitive,
    /// The account.
    pub account: String,
}

impl Credentials {
    fn of(value: &Value) -> Self {
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Self {
            access_key_id: text("AccessKeyId"),
            secret: Sensitive::from(text("SecretAccessKey")),
            account: text("AccountId"),
        }
    }
}

impl World {
    /// A world as `strongroom dev` would be, on ports that the kernel chooses, at the start of 2026.
    pub async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    /// The same, with a configuration changed by `adapt`.
    pub async fn start_with(adapt: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap_or_else(|error| fail("no folder", &error));
        Self::resume((Arc::new(Memory::new()), folder), adapt).await
    }

    /// The same over what [`World::stop`] has left.
    pub async fn resume(
        (store, folder): (Arc<Memory>, TempDir),
        adapt: impl FnOnce(&mut Config),
    ) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut config = Config::dev(folder.path().join("data"), address);
        adapt(&mut config);
        let clock = Arc::new(HandMoved::new(Timestamp::from_secs(1_767_225_600)));
        let server = Server {
            config,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            entropy: Arc::new(Seeded::new(1)),
            backend: Some(Arc::clone(&store) as Arc<dyn Backend>),
        };
        let running = server.start().await.unwrap_or_else(|error| fail("no start", &error));
        let admin = Credentials {
            access_key_id: String::new(),
            secret: Sensitive::default(),
            account: String::new(),
        };
        let mut world = Self { clock, store, admin, running, folder };
        let admin = world.admin_api(("GET", "/v1/dev-credentials"), &Value::Null).await;
        world.admin = Credentials::of(&admin.json());
        world
    }

    /// The running server.
    pub fn server(&self) -> &Running {
        &self.running
    }

    /// The folder of all files, with the data folder `data` in it.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The address of plain HTTP.
    pub fn address(&self) -> SocketAddr {
        match &self.running.endpoints().plain[..] {
            [address, ..] => *address,
            [] => SocketAddr::from(([127, 0, 0, 1], 0)),
        }
    }

    /// Lets time pass, and with it what falls due.
    pub async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        let done = self.running.catch_up().await;
        done.unwrap_or_else(|error| fail("what is due was not done", &error));
    }

    /// Calls a Secrets Manager operation as the first account's admin in `us-east-1`.
    pub async fn call(&self, operation: &str, input: Value) -> Answer {
        self.call_as(&self.admin, operation, input).await
    }

    /// The same as somebody else.
    pub async fn call_as(&self, caller: &Credentials, operation: &str, input: Value) -> Answer {
        let body = input.to_string();
        let target = format!("secretsmanager.{operation}");
        let headers = self.signed(caller, &target, body.as_bytes());
        let headers: Vec<_> = headers.iter().map(|it| (it.0, it.1.as_str())).collect();
        self.send(("POST", "/"), &headers, body.as_bytes()).await
    }

    /// The headers of a signed request for `target` with `body`.
    pub fn signed(
        &self,
        caller: &Credentials,
        target: &str,
        body: &[u8],
    ) -> Vec<(&'static str, String)> {
        let host = self.address().to_string();
        let mut headers = vec![
            ("host", host),
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target", target.to_owned()),
        ];
        headers.extend(self.signer(caller, "secretsmanager").sign_over("/", &headers, body));
        headers
    }

    /// What signs as `caller` now, in `us-east-1`.
    pub fn signer<'a>(&self, caller: &'a Credentials, service: &'a str) -> Signing<'a> {
        Signing { caller, service, region: "us-east-1", at: self.clock.now() }
    }

    /// Sends one request over a connection of its own.
    pub async fn send(&self, line: (&str, &str), headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let answer = async {
            let mut connection = Connection::tcp(self.address()).await?;
            connection.request(line, headers, body).await
        };
        answer.await.unwrap_or_else(|error: io::Error| fail("no answer", &error))
    }

    /// A request to the admin API.
    pub async fn admin_api(&self, line: (&str, &str), body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = async {
            let mut connection = Connection::unix(&self.running.endpoints().admin).await?;
            connection.request(line, &[("host", "admin")], body.as_bytes()).await
        };
        answer.await.unwrap_or_else(|error: io::Error| fail("no answer", &error))
    }

    /// Another account with an admin of its own.
    pub async fn another_account(&self) -> Credentials {
        Credentials::of(&self.admin_api(("POST", "/v1/accounts"), &json!({})).await.json())
    }

    /// Stops the server in order, and gives the store and the folder back.
    pub async fn stop(self) -> (Arc<Memory>, TempDir) {
        self.running.shutdown().await;
        (self.store, self.folder)
    }
}

/// Signs requests as one caller for one place at one instant; every part may be bent.
#[derive(Clone, Copy, Debug)]
pub struct Signing<'a> {
    /// Who signs.
    pub caller: &'a Credentials,
    /// The signing name.
    pub service: &'a str,
    /// The Region's name.
    pub region: &'a str,
    /// When.
    pub at: Timestamp,
}

impl Signing<'_> {
    fn signer(&self) -> sigv4::Signer<'_> {
        let Self { caller, service, region, at } = *self;
        let Credentials { access_key_id, secret, .. } = caller;
        let credentials = sigv4::Credentials { access_key_id, secret, session_token: None };
        sigv4::Signer { credentials, region, service, at }
    }

    /// The headers to add to a `POST` of `body` to `target`.
    pub fn sign_over(
        &self,
        target: &str,
        headers: &[(&'static str, String)],
        body: &[u8],
    ) -> Vec<(&'static str, String)> {
        self.sign(("POST", target), headers, body)
    }

    /// The headers to add to a request.
    pub fn sign(
        &self,
        (method, target): (&str, &str),
        headers: &[(&'static str, String)],
        body: &[u8],
    ) -> Vec<(&'static str, String)> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers: Vec<_> = headers.iter().map(|it| (it.0, it.1.as_bytes())).collect();
        let body_hash = sigv4::body_hash(body);
        let request = sigv4::Request { method, path, query, headers: &headers, body_hash };
        self.signer().sign(&request).unwrap_or_else(|error| fail("not signed", &error))
    }

    /// The query that makes a request a presigned one.
    pub fn presign(
        &self,
        (method, target): (&str, &str),
        headers: &[(&'static str, String)],
        lifetime: u32,
    ) -> String {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers: Vec<_> = headers.iter().map(|it| (it.0, it.1.as_bytes())).collect();
        let body_hash = sigv4::body_hash(b"");
        let request = sigv4::Request { method, path, query, headers: &headers, body_hash };
        let signed = self.signer().presign(&request, lifetime);
        signed.unwrap_or_else(|error| fail("not signed", &error))
    }
}

#[expect(clippy::panic, reason = "a test that can't begin has failed")]
fn fail(what: &str, error: &dyn std::fmt::Display) -> ! {
    panic!("{what}: {error}")
}
