//! Functions and roles over one store in memory, packages in memory, and a scripted runtime.

use async_trait::async_trait;
use base::{AccountId, Region, Sensitive, SystemEntropy, Timestamp, Uuid};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use envelope::{Key, Keyring, LocalRoot, Roots};
use policy::engine::{Grammar, Policy};
use serde_json::{Value, json};
use service::audit::{Encoded, TrailError};
use service::{Access, Call, Caller, Held, Kind, Ports, Reply, Row, Source, Trail, Turns};
use sigv4::{Credentials, Presented, Request, Signer, SigningKey, Verified, body_hash};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use store::backends::memory::Memory;
use strongroom_functions::{
    CodeStore, Elsewhere, Function, HOST, InvokeError, Invoked, Invoker, Machine, OPERATIONS,
    Prefix,
};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const STRANGER: &str = "444455556666";
pub(crate) const REGION: &str = "eu-west-1";
/// 2026-01-31T10:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_769_853_600);

pub(crate) struct Desk {
    pub(crate) backend: Memory,
    pub(crate) keyring: Keyring,
    pub(crate) region: Region,
    pub(crate) access: Access,
    pub(crate) machine: Machine,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) script: Arc<Script>,
    trail: Paper,
    turns: Turns,
}

#[derive(Default)]
struct Paper(Mutex<Vec<String>>);

#[async_trait]
impl Trail for Paper {
    async fn append(&self, records: &[Encoded]) -> Result<(), TrailError> {
        self.0.lock().expect("whole").extend(records.iter().map(|it| it.json.clone()));
        Ok(())
    }

    async fn append_committed(&self, records: &[Encoded]) -> Result<(), TrailError> {
        self.append(records).await
    }
}

/// Packages in memory.
#[derive(Default)]
pub(crate) struct Shelf(pub(crate) Mutex<BTreeMap<String, Bytes>>);

#[async_trait]
impl CodeStore for Shelf {
    async fn keep(&self, sha256: &str, package: Bytes) -> io::Result<()> {
        self.0.lock().expect("whole").insert(sha256.to_owned(), package);
        Ok(())
    }

    async fn folder(&self, sha256: &str) -> io::Result<PathBuf> {
        Ok(PathBuf::from(sha256))
    }

    async fn older(&self, _instant: Timestamp) -> io::Result<Vec<String>> {
        Ok(self.0.lock().expect("whole").keys().cloned().collect())
    }

    async fn remove(&self, sha256: &str, _instant: Timestamp) -> io::Result<()> {
        self.0.lock().expect("whole").remove(sha256);
        Ok(())
    }
}

/// A runtime that notes what it is to run, and answers with what it was told.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) asked: Mutex<Vec<String>>,
    pub(crate) answer: Mutex<Option<Result<Invoked, InvokeError>>>,
}

#[async_trait]
impl Invoker for Script {
    async fn invoke(
        &self,
        function: &Function,
        payload: Bytes,
        tail: bool,
    ) -> Result<Invoked, InvokeError> {
        let environment: Vec<_> = function
            .environment
            .iter()
            .map(|(name, it)| format!("{name}={}", String::from_utf8_lossy(it.expose())))
            .collect();
        let payload_text = String::from_utf8_lossy(&payload).into_owned();
        let asked = format!("{} {payload_text} {tail} {environment:?}", function.handler);
        self.asked.lock().expect("whole").push(asked);
        let scripted = self.answer.lock().expect("whole").take();
        scripted.unwrap_or(Ok(Invoked { payload, error: None, log: None }))
    }

    async fn queue(&self, function: &Function, payload: Bytes) -> Result<(), InvokeError> {
        self.invoke(function, payload, false).await.map(drop)
    }
}

/// An identity policy of these statements.
pub(crate) fn access(statements: &Value) -> Access {
    let text = json!({ "Version": "2012-10-17", "Statement": statements });
    let policy = Policy::compile(&text.to_string(), Grammar::Identity).expect("a policy");
    Access { identity: vec![Held::new("test", Arc::new(policy))], ..Access::default() }
}

pub(crate) fn allow(action: &str, resource: &str) -> Value {
    json!({ "Effect": "Allow", "Action": action, "Resource": resource })
}

pub(crate) fn arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
}

/// A zip archive with the empty file `app.py`.
pub(crate) fn package(name: &str) -> String {
    let name = name.as_bytes();
    let length = u16::try_from(name.len()).expect("short").to_le_bytes();
    let common = [&[10, 0, 0, 0, 0, 0, 0, 0, 0x21, 0x5a][..], &[0; 12], &length, &[0; 2]].concat();
    let local = [b"PK\x03\x04", &common[..], name].concat();
    let central = [b"PK\x01\x02\x1e\x03", &common[..], &[0; 14], name].concat();
    let mut end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec();
    end.extend_from_slice(&u32::try_from(central.len()).expect("short").to_le_bytes());
    end.extend_from_slice(&u32::try_from(local.len()).expect("short").to_le_bytes());
    end.extend_from_slice(&[0; 2]);
    STANDARD.encode([local, central, end].concat())
}

/// What a call answered.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) error: Option<&'static str>,
    pub(crate) body: Value,
}

impl Answered {
    /// `ok`, or status, name and message.
    pub(crate) fn told(&self) -> String {
        let Some(error) = self.error else { return "ok".to_owned() };
        let message = self.body["message"].as_str().or(self.body["Message"].as_str());
        format!("{} {error}: {}", self.status, message.unwrap_or(""))
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.told(), "ok");
        self.body
    }

    fn of(reply: &Reply) -> Self {
        let body = serde_json::from_slice(reply.body.as_slice()).unwrap_or(Value::Null);
        Self { status: reply.status, headers: reply.headers.clone(), error: reply.error, body }
    }
}

impl Desk {
    pub(crate) async fn open() -> Self {
        let root = LocalRoot::new("test", Key::random(&SystemEntropy)).expect("made");
        let (shelf, script) = (Arc::<Shelf>::default(), Arc::<Script>::default());
        let code: Arc<dyn CodeStore> = Arc::<Shelf>::clone(&shelf);
        let invoker: Arc<dyn Invoker> = Arc::<Script>::clone(&script);
        let far = Prefix::new(&arn("far-"), None).expect("a prefix");
        let desk = Self {
            backend: Memory::new(),
            keyring: Keyring::new(Roots::only(Arc::new(root))),
            region: REGION.parse().expect("valid"),
            access: access(&json!([allow("*", "*")])),
            machine: Machine { code, invoker: Some(invoker), elsewhere: Elsewhere::new([far]) },
            shelf,
            script,
            trail: Paper::default(),
            turns: Turns::default(),
        };
        let made = kms::initialize(&desk.backend, &desk.keyring, &SystemEntropy, NOW).await;
        made.expect("brand new");
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": { "Service": HOST },
                "Action": "sts:AssumeRole",
            },
        });
        desk.role("app", &trust).await;
        desk
    }

    /// The administrator of the account does `operation`.
    pub(crate) async fn call(&self, operation: &str, body: Value) -> Answered {
        self.call_as(ACCOUNT, &self.access, operation, body).await
    }

    /// The same for the user `admin` of another account, or with other policies.
    pub(crate) async fn call_as(
        &self,
        account: &str,
        access: &Access,
        operation: &str,
        body: Value,
    ) -> Answered {
        let caller = Caller {
            account: account.parse().expect("valid"),
            arn: format!("arn:aws:iam::{account}:user/admin"),
            principal_id: "AIDAEXAMPLE0000000001".to_owned(),
            user_name: "admin".to_owned(),
            access_key_id: "AKIAEXAMPLE000000001".to_owned(),
            kind: Kind::User,
            session: None,
        };
        let row = row(OPERATIONS, operation);
        self.serve((&caller, access), row, body.to_string().as_bytes()).await
    }

    async fn serve(&self, who: (&Caller, &Access), row: &Row, body: &[u8]) -> Answered {
        let source = Source { address: "127.0.0.1".into(), ..Source::default() };
        let (from, when) = ((&self.region, &source), (NOW, Uuid::random(&SystemEntropy)));
        let tools = (&SystemEntropy as &dyn base::Entropy, &self.keyring);
        let call = Call::new(signed().expect("signed"), who, from, when, tools);
        let call = call.with_port(&self.machine);
        let ports = Ports { backend: &self.backend, trail: &self.trail, turns: &self.turns };
        Answered::of(&row.serve(&call, body, ports).await)
    }

    /// Makes the role `name` that `trust` trusts.
    pub(crate) async fn role(&self, name: &str, trust: &Value) {
        let form = format!(
            "Action=CreateRole&RoleName={name}&AssumeRolePolicyDocument={}",
            trust.to_string().replace('%', "%25").replace('&', "%26").replace('+', "%2B")
        );
        let caller = Caller {
            account: ACCOUNT.parse().expect("valid"),
            arn: format!("arn:aws:iam::{ACCOUNT}:root"),
            principal_id: ACCOUNT.to_owned(),
            user_name: "root".to_owned(),
            access_key_id: "AKIAEXAMPLE000000001".to_owned(),
            kind: Kind::Root,
            session: None,
        };
        let row = row(identity::iam::OPERATIONS, "CreateRole");
        let made = self.serve((&caller, &Access::default()), row, form.as_bytes()).await;
        assert_eq!(made.status, 200);
    }

    /// Makes the function `name`.
    pub(crate) async fn function(&self, name: &str) -> Value {
        self.call("CreateFunction", function(name)).await.ok()
    }

    pub(crate) fn records(&self) -> Vec<Value> {
        let lines = self.trail.0.lock().expect("whole");
        lines.iter().map(|it| serde_json::from_str(it).expect("JSON")).collect()
    }

    pub(crate) fn last_record(&self) -> Value {
        self.records().pop().expect("a record")
    }
}

/// The smallest good input of CreateFunction.
pub(crate) fn function(name: &str) -> Value {
    json!({
        "FunctionName": name,
        "Runtime": "python3.12",
        "Role": format!("arn:aws:iam::{ACCOUNT}:role/app"),
        "Handler": "app.handler",
        "Code": { "ZipFile": package("app.py") },
    })
}

/// `base` with the members of `more`; null takes one away.
pub(crate) fn with(mut base: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().expect("members") {
        base[name] = value.clone();
    }
    let members = base.as_object_mut().expect("members");
    members.retain(|_, it| !it.is_null());
    base
}

pub(crate) fn account() -> AccountId {
    ACCOUNT.parse().expect("valid")
}

fn row<'a>(table: &'a [Row], name: &str) -> &'a Row {
    table.iter().find(|it| it.name == name).expect("a row")
}

fn signed() -> Option<Verified> {
    let secret = Sensitive::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned());
    let credentials =
        Credentials { access_key_id: "AKIAEXAMPLE000000001", secret: &secret, session_token: None };
    let host: [(&str, &[u8]); 1] = [("host", b"localhost")];
    let body_hash = body_hash(b"");
    let bare = Request { method: "POST", path: "/", query: "", headers: &host, body_hash };
    let signer = Signer { credentials, region: REGION, service: "lambda", at: NOW };
    let added = signer.sign(&bare).ok()?;
    let mut headers = host.to_vec();
    headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
    let request = Request { headers: &headers, ..bare };
    let scoped = Presented::parse(&request).ok()?.check_window(NOW, 5).ok()?;
    let scoped = scoped.check_scope(&["lambda"], |it| it == REGION).ok()?;
    scoped.verify(&SigningKey::derive(&secret, scoped.date(), REGION, "lambda")).ok()
}
