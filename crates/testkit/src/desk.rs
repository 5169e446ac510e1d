//! Operations served without a network.

use crate::PaperTrail;
use crate::chance::Seeded;
use crate::clock::HandMoved;
use async_trait::async_trait;
use base::{AccountId, Clock, Malformed, Region, Sensitive, Timestamp, Uuid};
use envelope::{Key, Keyring, LocalRoot, Roots};
use policy::engine::{Grammar, Policy};
use serde_json::Value;
use service::{Access, Call, Caller, Gate, Held, Kind, Ports, Quotas, Source, Turns};
use sigv4::{Credentials, Presented, Request, Signer, SigningKey, Verified, body_hash};
use std::sync::Arc;
use store::backends::memory::Memory;
use store::{Backend, Commit, Revision, Snapshot};

/// A server without doors: one store in memory, one key, one clock, calls one by one or side by side.
pub struct Desk {
    /// The store, for faults and for looking inside.
    pub backend: Arc<Memory>,
    /// The time of the next call.
    pub clock: Arc<HandMoved>,
    /// The audit records so far.
    pub trail: Arc<PaperTrail>,
    /// What an account may store at most.
    pub quotas: Quotas,
    /// The user of account 111122223333 that [`Desk::call`] signs for.
    pub caller: Caller,
    /// The policies of every caller: all is allowed.
    pub access: Access,
    /// Where calls come from: this machine.
    pub source: Source,
    region: Region,
    /// All chance.
    pub entropy: Arc<Seeded>,
    /// What seals and opens values.
    pub keyring: Arc<Keyring>,
    /// Where calls queue that compete for the same rows.
    pub turns: Arc<Turns>,
    /// Where readers wait, if they do.
    pub gate: Option<Arc<dyn Gate>>,
}

/// What a call answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

impl Answered {
    /// The member `name`, or null.
    pub fn get(&self, name: &str) -> &Value {
        self.body.get(name).unwrap_or(&Value::Null)
    }

    /// The error's type; nothing for a success.
    pub fn error(&self) -> Option<&str> {
        self.get("__type").as_str()
    }
}

impl Desk {
    /// A fresh desk on 2026-01-31, all chance from `seed`.
    pub async fn open(seed: u64) -> Result<Self, Box<dyn std::error::Error>> {
        let entropy = Arc::new(Seeded::new(seed));
        let root = LocalRoot::new("test", Key::random(&*entropy))?;
        let keyring = Arc::new(Keyring::new(Roots::only(Arc::new(root))));
        let clock = Arc::new(HandMoved::new(Timestamp::from_secs(1_769_853_600)));
        let backend = Arc::new(Memory::new());
        kms::initialize(&*backend, &keyring, &*entropy, clock.now()).await?;
        Ok(Self {
            backend,
            clock,
            trail: Arc::new(PaperTrail::default()),
            quotas: Quotas::default(),
            caller: caller("111122223333")?,
            access: administrator()?,
            source: Source { address: "127.0.0.1".into(), ..Source::default() },
            region: "us-east-1".parse()?,
            entropy,
            keyring,
            turns: Arc::new(Turns::default()),
            gate: None,
        })
    }

    /// Serves `operation`, one of KMS behind `kms:`, with `body` for the desk's own caller.
    pub async fn call(&self, operation: &str, body: Value) -> Answered {
        self.call_as(&self.caller, operation, body.to_string().as_bytes()).await
    }

    /// Serves `operation` with the raw `body` for `caller`.
    pub async fn call_as(&self, caller: &Caller, operation: &str, body: &[u8]) -> Answered {
        self.call_with((caller, &self.access), operation, body).await
    }

    /// Serves `operation` with the raw `body` for a caller with these policies.
    pub async fn call_with(
        &self,
        (caller, access): (&Caller, &Access),
        operation: &str,
        body: &[u8],
    ) -> Answered {
        let (table, name) = match operation.strip_prefix("kms:") {
            Some(name) => (kms::OPERATIONS, name),
            None => (secrets::OPERATIONS, operation),
        };
        let Some(row) = table.iter().find(|it| it.name == name) else {
            return Answered { status: 400, body: serde_json::json!({ "__type": "no such row" }) };
        };
        let Some(signed) = signed(self.clock.now(), body) else {
            return Answered { status: 400, body: serde_json::json!({ "__type": "not signed" }) };
        };
        let call = Call::new(
            signed,
            (caller, access),
            (&self.region, &self.source),
            (self.clock.now(), Uuid::random(&*self.entropy)),
            (&*self.entropy, &self.keyring),
        )
        .under(self.quotas);
        let call = match &self.gate {
            Some(gate) => call.through(&**gate),
            None => call,
        };
        let reply = row.serve(&call, body, self.ports()).await;
        let body = serde_json::from_slice(reply.body.as_slice()).unwrap_or(Value::Null);
        Answered { status: reply.status, body }
    }

    /// Does what is due until nothing is; gives the number of steps.
    pub async fn settle(&self) -> Result<usize, secrets::Error> {
        let mut steps = 0;
        loop {
            let now = self.clock.now();
            match secrets::maintenance::step(self.ports(), &*self.entropy, now).await? {
                Some(next) if next <= now => steps += 1,
                _ => return Ok(steps),
            }
        }
    }

    fn ports(&self) -> Ports<'_> {
        Ports { backend: self, trail: &*self.trail, turns: &self.turns }
    }
}

/// The store, with a pause before each commit: calls side by side have all read before one writes.
#[async_trait]
impl Backend for Desk {
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, store::Error> {
        self.backend.snapshot().await
    }

    async fn commit(&self, commit: Commit) -> Result<Revision, store::Error> {
        tokio::task::yield_now().await;
        self.backend.commit(commit).await
    }
}

/// The administrator of `account`.
pub fn caller(account: &str) -> Result<Caller, Malformed> {
    let account: AccountId = account.parse()?;
    Ok(Caller {
        arn: format!("arn:aws:iam::{account}:user/admin"),
        account,
        principal_id: "AIDAEXAMPLEUSERID0001".to_owned(),
        user_name: "admin".to_owned(),
        access_key_id: "AKIAEXAMPLE000000001".to_owned(),
        kind: Kind::User,
        session: None,
    })
}

/// The policies of somebody who may do everything in the own account.
pub fn administrator() -> Result<Access, policy::engine::Malformed> {
    access(r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#)
}

/// The policies of somebody with the one identity policy `text`.
pub fn access(text: &str) -> Result<Access, policy::engine::Malformed> {
    let policy = Policy::compile(text, Grammar::Identity)?;
    Ok(Access { identity: vec![Held::new("test", Arc::new(policy))], ..Access::default() })
}

/// A real signature over a request with `body`, really verified: there is no other way to a call.
pub fn signed(now: Timestamp, body: &[u8]) -> Option<Verified> {
    let secret = Sensitive::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned());
    let credentials =
        Credentials { access_key_id: "AKIAEXAMPLE000000001", secret: &secret, session_token: None };
    let (region, service) = ("us-east-1", "secretsmanager");
    let host: [(&str, &[u8]); 1] = [("host", b"localhost")];
    let hash = body_hash(body);
    let bare = Request { method: "POST", path: "/", query: "", headers: &host, body_hash: hash };
    let added = Signer { credentials, region, service, at: now }.sign(&bare).ok()?;
    let mut headers = host.to_vec();
    headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
    let request = Request { headers: &headers, ..bare };
    let scoped = Presented::parse(&request).ok()?.check_window(now, 5).ok()?;
    let scoped = scoped.check_scope(&[service], |it| it == region).ok()?;
    let key = SigningKey::derive(&secret, scoped.date(), region, service);
    scoped.verify(&key).ok()
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Desk").field("clock", &self.clock).finish_non_exhaustive()
    }
}
