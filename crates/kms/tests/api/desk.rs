//! KMS served without a network: one store, callers with the policies they are given, a clock moved by hand.

use async_trait::async_trait;
use base::{AccountId, Region, Sensitive, SystemEntropy, Timestamp, Uuid};
use envelope::{Key, Keyring, LocalRoot, Roots};
use policy::engine::{Grammar, Policy};
use serde_json::{Value, json};
use service::audit::{Encoded, TrailError};
use service::{Access, Call, Caller, Held, Kind, Ports, Source, Trail, Turns};
use sigv4::{Credentials, Presented, Request, Signer, SigningKey, Verified, body_hash};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::Table;
use store::backends::memory::Memory;
use strongroom_kms::{OPERATIONS, initialize, maintenance};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const OTHER: &str = "444455556666";
pub(crate) const REGION: &str = "us-east-1";
const START: Timestamp = Timestamp::from_secs(1_769_853_600);

/// A store with a root key, and a trail on paper.
pub(crate) struct Desk {
    pub(crate) backend: Memory,
    pub(crate) keyring: Keyring,
    pub(crate) region: Region,
    now: Mutex<Timestamp>,
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

/// A caller and its policies.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) caller: Caller,
    pub(crate) access: Access,
}

/// A row of another crate's table.
#[derive(serde::Serialize, serde::Deserialize)]
struct Bare {
    id: String,
}

store::json_record!(Bare, 1);

const BARE: Table<str, Bare> = Table::new(ToOwned::to_owned);

/// What a call answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answered(pub(crate) Value);

impl Answered {
    pub(crate) fn text(&self, pointer: &str) -> String {
        let found = self.0.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("no `{pointer}` in {}", self.0)).to_owned()
    }

    /// The error's type; nothing for a success.
    pub(crate) fn error(&self) -> &str {
        self.0["__type"].as_str().unwrap_or("")
    }

    pub(crate) fn message(&self) -> &str {
        self.0["message"].as_str().or(self.0["Message"].as_str()).unwrap_or("")
    }

    /// Type and message of an error; `ok` for a success.
    pub(crate) fn told(&self) -> String {
        match self.error() {
            "" => "ok".to_owned(),
            error => format!("{error}: {}", self.message()),
        }
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.told(), "ok");
        self
    }
}

impl Person {
    /// The user `name` of `account` with the one identity policy `policy`, or with none.
    pub(crate) fn user(account: &str, name: &str, policy: Option<Value>) -> Self {
        let account: AccountId = account.parse().expect("valid");
        let id = format!("AIDA{:0<16}", name.to_uppercase());
        let caller = Caller {
            arn: format!("arn:aws:iam::{account}:user/{name}"),
            account,
            principal_id: id,
            user_name: name.to_owned(),
            access_key_id: "AKIAEXAMPLE000000001".to_owned(),
            kind: Kind::User,
            session: None,
        };
        Self { caller, access: access(policy) }
    }

    /// A session of the role `name` of `account`.
    pub(crate) fn role(account: &str, name: &str, policy: Option<Value>) -> Self {
        let mut person = Self::user(account, name, policy);
        let (role_arn, role_id) =
            (format!("arn:aws:iam::{account}:role/{name}"), format!("AROA{name:0<16}"));
        person.caller.principal_id = format!("{role_id}:s");
        person.caller.arn = format!("arn:aws:sts::{account}:assumed-role/{name}/s");
        person.caller.kind = Kind::RoleSession { role_arn, role_id };
        person
    }

    pub(crate) fn admin() -> Self {
        Self::user(ACCOUNT, "admin", Some(allow("*", "*")))
    }
}

fn access(policy: Option<Value>) -> Access {
    let held = policy.map(|it| {
        let text = it.to_string();
        let policy = Policy::compile(&text, Grammar::Identity).expect("a policy");
        Held::new("test", Arc::new(policy))
    });
    Access { identity: held.into_iter().collect(), ..Access::default() }
}

/// An identity policy that allows `action` on `resource`.
pub(crate) fn allow(action: &str, resource: &str) -> Value {
    document(&json!([{ "Effect": "Allow", "Action": action, "Resource": resource }]))
}

pub(crate) fn document(statements: &Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// A key policy's statement.
pub(crate) fn statement(effect: &str, principal: &str, action: &str) -> Value {
    json!({ "Effect": effect, "Principal": { "AWS": principal }, "Action": action, "Resource": "*" })
}

pub(crate) fn root(account: &str) -> String {
    format!("arn:aws:iam::{account}:root")
}

impl Desk {
    pub(crate) async fn open() -> Self {
        let root = LocalRoot::new("test", Key::random(&SystemEntropy)).expect("made");
        let keyring = Keyring::new(Roots::only(Arc::new(root)));
        let backend = Memory::new();
        initialize(&backend, &keyring, &SystemEntropy, START).await.expect("brand new");
        let desk = Self {
            backend,
            keyring,
            region: REGION.parse().expect("valid"),
            now: Mutex::new(START),
            trail: Paper::default(),
            turns: Turns::default(),
        };
        desk.register(&Person::admin()).await;
        desk
    }

    /// Lets policies and grants know of `person`.
    pub(crate) async fn register(&self, person: &Person) {
        let Caller { arn, principal_id, account, user_name, kind, .. } = &person.caller;
        let (kind, arn, id) = match kind {
            Kind::RoleSession { role_arn, role_id } => ("role", role_arn, role_id),
            _ => ("user", arn, principal_id),
        };
        let mut txn = store::begin(&self.backend);
        service::principals::register(&mut txn, arn, id).expect("saved");
        let row = Bare { id: id.clone() };
        txn.save(&BARE, &format!("a/{account}/{kind}/{user_name}"), &row).expect("saved");
        txn.commit().await.expect("alone");
    }

    /// Deletes what [`Desk::register`] has made.
    pub(crate) async fn unregister(&self, person: &Person) {
        let Caller { arn, principal_id, account, user_name, kind, .. } = &person.caller;
        let (kind, arn, id) = match kind {
            Kind::RoleSession { role_arn, role_id } => ("role", role_arn, role_id),
            _ => ("user", arn, principal_id),
        };
        let mut txn = store::begin(&self.backend);
        service::principals::forget(&mut txn, arn, id);
        txn.remove(&BARE, &format!("a/{account}/{kind}/{user_name}"));
        txn.commit().await.expect("alone");
    }

    pub(crate) fn now(&self) -> Timestamp {
        *self.now.lock().expect("whole")
    }

    pub(crate) fn advance(&self, days: u64) {
        let mut now = self.now.lock().expect("whole");
        *now = now.plus(Duration::from_hours(24 * days));
    }

    /// Serves `operation` for the administrator.
    pub(crate) async fn call(&self, operation: &str, body: Value) -> Answered {
        self.call_as(&Person::admin(), operation, body).await
    }

    pub(crate) async fn call_as(&self, who: &Person, operation: &str, body: Value) -> Answered {
        let row = OPERATIONS.iter().find(|it| it.name == operation).expect("an operation");
        let body = body.to_string();
        let source = Source { address: "127.0.0.1".into(), ..Source::default() };
        let call = self.bare_call(who, &source);
        let reply = row.serve(&call, body.as_bytes(), self.ports()).await;
        assert!(reply.status < 500, "{operation}: {:?}", reply.cause);
        Answered(serde_json::from_slice(reply.body.as_slice()).expect("JSON"))
    }

    /// A call by `who`, not yet to any operation.
    pub(crate) fn bare_call<'a>(&'a self, who: &'a Person, source: &'a Source) -> Call<'a> {
        let signed = signed(self.now()).expect("signed");
        Call::new(
            signed,
            (&who.caller, &who.access),
            (&self.region, source),
            (self.now(), Uuid::random(&SystemEntropy)),
            (&SystemEntropy, &self.keyring),
        )
    }

    pub(crate) fn ports(&self) -> Ports<'_> {
        Ports { backend: &self.backend, trail: &self.trail, turns: &self.turns }
    }

    /// Does what is due until nothing is; gives the number of steps.
    pub(crate) async fn settle(&self) -> usize {
        let mut steps = 0;
        loop {
            let now = self.now();
            let step = maintenance::step(self.ports(), &self.keyring, &SystemEntropy, now).await;
            match step.expect("works") {
                Some(next) if next <= now => steps += 1,
                _ => return steps,
            }
        }
    }

    /// A key of the account with `policy`, or the default one; its ARN.
    pub(crate) async fn key(&self, policy: Option<Value>) -> String {
        let mut body = json!({ "BypassPolicyLockoutSafetyCheck": true });
        if let Some(policy) = policy {
            body["Policy"] = Value::String(policy.to_string());
        }
        self.call("CreateKey", body).await.ok().text("/KeyMetadata/Arn")
    }

    /// The blob of `secret` in base64 under `key`, with `context`.
    pub(crate) async fn encrypt(&self, key: &str, context: Value) -> String {
        let body = json!({ "KeyId": key, "Plaintext": SECRET, "EncryptionContext": context });
        self.call("Encrypt", body).await.ok().text("/CiphertextBlob")
    }

    /// The audit records so far, and the last of them.
    pub(crate) fn records(&self) -> Vec<String> {
        self.trail.0.lock().expect("whole").clone()
    }
}

/// `canary-4711-canary`.
pub(crate) const SECRET: &str = "Y2FuYXJ5LTQ3MTEtY2FuYXJ5";

fn signed(now: Timestamp) -> Option<Verified> {
    let secret = Sensitive::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned());
    let credentials =
        Credentials { access_key_id: "AKIAEXAMPLE000000001", secret: &secret, session_token: None };
    let host: [(&str, &[u8]); 1] = [("host", b"localhost")];
    let body_hash = body_hash(b"");
    let bare = Request { method: "POST", path: "/", query: "", headers: &host, body_hash };
    let signer = Signer { credentials, region: REGION, service: "kms", at: now };
    let added = signer.sign(&bare).ok()?;
    let mut headers = host.to_vec();
    headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
    let request = Request { headers: &headers, ..bare };
    let scoped = Presented::parse(&request).ok()?.check_window(now, 5).ok()?;
    let scoped = scoped.check_scope(&["kms"], |it| it == REGION).ok()?;
    scoped.verify(&SigningKey::derive(&secret, scoped.date(), REGION, "kms")).ok()
}
