//! Roles Anywhere and roles over one store in memory.

use crate::authority::Authority;
use async_trait::async_trait;
use base::{AccountId, Region, Sensitive, SystemEntropy, Timestamp, Uuid};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope::{Key, Keyring, LocalRoot, Roots};
use policy::engine::{Grammar, Policy};
use serde_json::{Value, json};
use service::audit::{Encoded, TrailError};
use service::{Access, Call, Caller, Held, Kind, Ports, Row, Source, Trail, Turns};
use sigv4::{Credentials, Presented, Request, Signer, SigningKey, Verified, body_hash};
use std::sync::{Arc, Mutex};
use store::backends::memory::Memory;
use strongroom_anywhere::{Certificate, HOST, OPERATIONS, trust};

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const REGION: &str = "eu-west-1";
/// 2026-01-31T10:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_769_853_600);

pub(crate) struct Desk {
    pub(crate) backend: Memory,
    pub(crate) keyring: Keyring,
    pub(crate) region: Region,
    pub(crate) access: Access,
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

/// What a call answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) error: Option<&'static str>,
    pub(crate) body: Value,
}

impl Answered {
    pub(crate) fn text(&self, pointer: &str) -> String {
        let found = self.body.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("no `{pointer}` in {}", self.body)).to_owned()
    }

    /// `ok`, or status, name and message.
    pub(crate) fn told(&self) -> String {
        let Some(error) = self.error else { return "ok".to_owned() };
        format!("{} {error}: {}", self.status, self.body["message"].as_str().unwrap_or(""))
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.told(), "ok");
        self
    }
}

/// An identity policy that allows `action`.
pub(crate) fn access(action: &str) -> Access {
    let text = json!({
        "Version": "2012-10-17",
        "Statement": { "Effect": "Allow", "Action": action, "Resource": "*" },
    });
    let policy = Policy::compile(&text.to_string(), Grammar::Identity).expect("a policy");
    Access { identity: vec![Held::new("test", Arc::new(policy))], ..Access::default() }
}

pub(crate) fn account() -> AccountId {
    ACCOUNT.parse().expect("valid")
}

impl Desk {
    pub(crate) async fn open() -> Self {
        let root = LocalRoot::new("test", Key::random(&SystemEntropy)).expect("made");
        let desk = Self {
            backend: Memory::new(),
            keyring: Keyring::new(Roots::only(Arc::new(root))),
            region: REGION.parse().expect("valid"),
            access: access("*"),
            trail: Paper::default(),
            turns: Turns::default(),
        };
        let made = kms::initialize(&desk.backend, &desk.keyring, &SystemEntropy, NOW).await;
        made.expect("brand new");
        desk
    }

    /// The administrator of the account does `operation`.
    pub(crate) async fn call(&self, operation: &str, body: Value) -> Answered {
        self.call_with(&self.access, operation, body).await
    }

    /// The same with other policies.
    pub(crate) async fn call_with(
        &self,
        access: &Access,
        operation: &str,
        body: Value,
    ) -> Answered {
        let caller = Caller {
            account: account(),
            arn: format!("arn:aws:iam::{ACCOUNT}:user/admin"),
            principal_id: "AIDAEXAMPLE0000000001".to_owned(),
            user_name: "admin".to_owned(),
            access_key_id: "AKIAEXAMPLE000000001".to_owned(),
            kind: Kind::User,
            session: None,
        };
        let row = row(OPERATIONS, operation);
        self.serve((&caller, access), row, body.to_string().as_bytes()).await
    }

    pub(crate) async fn serve(&self, who: (&Caller, &Access), row: &Row, body: &[u8]) -> Answered {
        let source = Source { address: "127.0.0.1".into(), ..Source::default() };
        let (from, when) = ((&self.region, &source), (NOW, Uuid::random(&SystemEntropy)));
        let tools = (&SystemEntropy as &dyn base::Entropy, &self.keyring);
        let call = Call::new(signed().expect("signed"), who, from, when, tools);
        let ports = Ports { backend: &self.backend, trail: &self.trail, turns: &self.turns };
        let reply = row.serve(&call, body, ports).await;
        let body = serde_json::from_slice(reply.body.as_slice()).unwrap_or(Value::Null);
        Answered { status: reply.status, error: reply.error, body }
    }

    /// Makes the role `name` that `trust` trusts.
    pub(crate) async fn role(&self, name: &str, trust: &Value) -> String {
        let form = format!(
            "Action=CreateRole&RoleName={name}&MaxSessionDuration=7200&AssumeRolePolicyDocument={}",
            trust.to_string().replace('%', "%25").replace('&', "%26").replace('+', "%2B")
        );
        let caller = Caller {
            account: account(),
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
        format!("arn:aws:iam::{ACCOUNT}:role/{name}")
    }

    /// CreateSession with `cert` and `members`, as the door and then the operation answer it.
    pub(crate) async fn session(&self, cert: &str, members: Value) -> String {
        let asked = Self::asked(cert, members);
        let leaf = match Certificate::parse(cert) {
            Ok(leaf) => leaf,
            Err(unfit) => return format!("door: {unfit}"),
        };
        let mut txn = store::begin(&self.backend);
        let asked_of = (&leaf, asked.as_bytes());
        match trust::caller(&mut txn, asked_of, &self.region, NOW).await.expect("read") {
            Ok(caller) => self.begin(&caller, &asked).await.told(),
            Err(refused) => format!("door: {refused}"),
        }
    }

    /// The operation alone, as if the door had let `serial` in.
    pub(crate) async fn let_in(&self, serial: &str, cert: &str, members: Value) -> Answered {
        let caller = Caller {
            account: account(),
            arn: HOST.to_owned(),
            principal_id: String::new(),
            user_name: String::new(),
            access_key_id: serial.to_owned(),
            kind: Kind::Service { name: HOST },
            session: None,
        };
        self.begin(&caller, &Self::asked(cert, members)).await
    }

    async fn begin(&self, caller: &Caller, asked: &str) -> Answered {
        let row = row(OPERATIONS, "CreateSession");
        self.serve((caller, &Access::default()), row, asked.as_bytes()).await
    }

    fn asked(cert: &str, mut members: Value) -> String {
        members["cert"] = Value::from(cert);
        members.to_string()
    }

    pub(crate) fn records(&self) -> Vec<Value> {
        let lines = self.trail.0.lock().expect("whole");
        lines.iter().map(|it| serde_json::from_str(it).expect("JSON")).collect()
    }
}

fn row<'a>(table: &'a [Row], name: &str) -> &'a Row {
    table.iter().find(|it| it.name == name).expect("a row")
}

/// An account that believes `authority`, and whose role `app` its profile lists.
pub(crate) struct Account {
    pub(crate) desk: Desk,
    pub(crate) authority: Authority,
    pub(crate) anchor: (String, String),
    pub(crate) profile: (String, String),
    pub(crate) role: String,
}

impl Account {
    pub(crate) async fn open() -> Self {
        Self::trusting(&Authority::root("Root").pem(), Authority::root("Root")).await
    }

    /// The same with `bundle` in place of what the authority says of itself.
    pub(crate) async fn trusting(bundle: &str, authority: Authority) -> Self {
        let desk = Desk::open().await;
        let bundle = if bundle.contains("BEGIN") { authority.pem() } else { bundle.to_owned() };
        let source = json!({
            "sourceType": "CERTIFICATE_BUNDLE",
            "sourceData": { "x509CertificateData": bundle },
        });
        let body = json!({ "name": "anchor", "source": source, "enabled": true });
        let made = desk.call("CreateTrustAnchor", body).await.ok();
        let id = |it: &str| made.text(&format!("/trustAnchor/{it}"));
        let anchor = (id("trustAnchorId"), id("trustAnchorArn"));
        let role = desk.role("app", &trusting_service(&json!({}))).await;
        let body = json!({ "name": "profile", "roleArns": [role], "enabled": true });
        let made = desk.call("CreateProfile", body).await.ok();
        let id = |it: &str| made.text(&format!("/profile/{it}"));
        let profile = (id("profileId"), id("profileArn"));
        Self { desk, authority, anchor, profile, role }
    }

    /// What a good request asks for.
    pub(crate) fn members(&self) -> Value {
        json!({
            "trustAnchorArn": self.anchor.1,
            "profileArn": self.profile.1,
            "roleArn": self.role,
        })
    }

    /// A good request with `more`.
    pub(crate) fn with(&self, more: &Value) -> Value {
        let mut members = self.members();
        for (name, value) in more.as_object().expect("members") {
            members[name] = value.clone();
        }
        members
    }

    pub(crate) async fn session(&self, cert: &str) -> String {
        self.desk.session(cert, self.members()).await
    }

    /// Imports what `authority` has revoked; answers the id.
    pub(crate) async fn import(&self, list: &str) -> String {
        let body = json!({
            "name": "crl",
            "crlData": STANDARD.encode(list),
            "enabled": true,
            "trustAnchorArn": self.anchor.1,
        });
        self.desk.call("ImportCrl", body).await.ok().text("/crl/crlId")
    }
}

/// A trust policy for the service.
pub(crate) fn trusting_service(condition: &Value) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": { "Service": HOST },
            "Action": ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
            "Condition": condition,
        },
    })
}

fn signed() -> Option<Verified> {
    let secret = Sensitive::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned());
    let credentials =
        Credentials { access_key_id: "AKIAEXAMPLE000000001", secret: &secret, session_token: None };
    let host: [(&str, &[u8]); 1] = [("host", b"localhost")];
    let body_hash = body_hash(b"");
    let bare = Request { method: "POST", path: "/", query: "", headers: &host, body_hash };
    let signer = Signer { credentials, region: REGION, service: "rolesanywhere", at: NOW };
    let added = signer.sign(&bare).ok()?;
    let mut headers = host.to_vec();
    headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
    let request = Request { headers: &headers, ..bare };
    let scoped = Presented::parse(&request).ok()?.check_window(NOW, 5).ok()?;
    let scoped = scoped.check_scope(&["rolesanywhere"], |it| it == REGION).ok()?;
    scoped.verify(&SigningKey::derive(&secret, scoped.date(), REGION, "rolesanywhere")).ok()
}
