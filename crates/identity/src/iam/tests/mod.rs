//! Operations as clients call them, over a store in memory.

mod accessed;
mod credential_report;
mod devices;
mod granting;
mod groups;
mod linked;
mod logins;
mod policies;
mod profiles;
mod providers;
mod roles;
mod simulation;
mod users;
mod who_can;

use crate::iam::OPERATIONS;
use crate::{access, account};
use async_trait::async_trait;
use base::{AccountId, Region, Sensitive, SystemEntropy, Timestamp, Uuid};
use envelope::{Key, Keyring, LocalRoot, Roots};
use policy::engine::{Grammar, Policy};
use service::audit::{Encoded, TrailError};
use service::{Access, Call, Caller, Held, Kind, Ports, Source, Trail, Turns};
use sigv4::{Credentials, Presented, Request, Signer, SigningKey, Verified, body_hash};
use std::sync::{Arc, Mutex};
use store::backends::memory::Memory;

const ACCOUNT: &str = "111122223333";
const NOW: Timestamp = Timestamp::from_secs(1_769_853_600);

/// One account, and an administrator who calls.
pub(super) struct Desk {
    pub(super) backend: Memory,
    keyring: Keyring,
    region: Region,
    turns: Turns,
    pub(super) caller: Caller,
    pub(super) access: Access,
    pub(super) paper: Paper,
    pub(super) now: Timestamp,
}

/// Code, status and message of a refusal; none of a success.
pub(super) type Refused<'a> = Option<(&'a str, u16, &'a str)>;

/// What a call answered.
#[derive(Debug)]
pub(super) struct Answered {
    status: u16,
    /// The XML, without white space between elements.
    pub(super) text: String,
}

impl Desk {
    pub(super) async fn open() -> Self {
        let root = LocalRoot::new("test", Key::fill_with(|it| it.fill(7))).expect("made");
        let keyring = Keyring::new(Roots::only(Arc::new(root)));
        let backend = Memory::new();
        kms::initialize(&backend, &keyring, &SystemEntropy, NOW).await.expect("empty");
        let account: AccountId = ACCOUNT.parse().expect("valid");
        let mut txn = store::begin(&backend);
        account::create_account(&mut txn, Some(account.clone()), &SystemEntropy, NOW)
            .await
            .expect("new");
        txn.commit().await.expect("committed");
        let caller = Caller {
            arn: format!("arn:aws:iam::{account}:user/admin"),
            account,
            principal_id: "AIDAEXAMPLEUSERID0001".to_owned(),
            user_name: "admin".to_owned(),
            access_key_id: "AKIAEXAMPLE000000001".to_owned(),
            kind: Kind::User,
            session: None,
        };
        let region = "us-east-1".parse().expect("valid");
        let access = access_of(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#);
        let (turns, paper) = (Turns::default(), Paper::default());
        Self { backend, keyring, region, turns, caller, access, paper, now: NOW }
    }

    /// Serves `operation` with `form`, in which `{A}` stands for the account.
    pub(super) async fn call(&self, operation: &str, form: &str) -> Answered {
        let form = form.replace("{A}", ACCOUNT);
        let row = OPERATIONS.iter().find(|it| it.name == operation).expect("in the table");
        let source = Source { address: "127.0.0.1".into(), ..Source::default() };
        let call = Call::new(
            signed(self.now, form.as_bytes()),
            (&self.caller, &self.access),
            (&self.region, &source),
            (self.now, Uuid::random(&SystemEntropy)),
            (&SystemEntropy, &self.keyring),
        );
        let ports = Ports { backend: &self.backend, trail: &self.paper, turns: &self.turns };
        let reply = row.serve(&call, form.as_bytes(), ports).await;
        let text = str::from_utf8(reply.body.as_slice()).expect("text");
        let text = text.lines().map(str::trim).collect();
        assert!(reply.cause.is_none(), "{operation}: {:?}", reply.cause);
        Answered { status: reply.status, text }
    }

    /// Serves what must succeed.
    pub(super) async fn done(&self, operation: &str, form: &str) -> Answered {
        let answered = self.call(operation, form).await;
        assert_eq!(answered.status, 200, "{operation} {form}: {}", answered.text);
        answered
    }

    /// Serves each operation in turn, and compares code and message of its refusal; none is a success.
    pub(super) async fn expect(&self, cases: &[(&str, &str, Refused<'_>)]) {
        for (operation, form, expected) in cases {
            let answered = self.call(operation, form).await;
            let expected = expected.map(|(code, status, message)| {
                (code.to_owned(), status, message.replace("{A}", ACCOUNT))
            });
            assert_eq!(answered.error(), expected, "{operation} {form}");
        }
    }

    /// What the administrator's place is taken by may do: one statement.
    pub(super) fn allowed(self, statement: &str) -> Self {
        Self { access: access_of(statement), ..self }
    }

    /// What the user or role that `caller` names may do now, by what is stored.
    pub(super) async fn gathered(&self, caller: &Caller) -> Option<Access> {
        let mut txn = store::begin(&self.backend);
        access::gather(&mut txn, caller).await.expect("whole")
    }
}

impl Answered {
    /// The text of the first element `name`.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }

    /// The texts of all elements `name`.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let parts = self.text.split(&open).skip(1);
        parts.filter_map(|it| Some(it.split_once(&close)?.0)).collect()
    }

    /// Code, status and message of a refusal.
    pub(super) fn error(&self) -> Option<(String, u16, String)> {
        let message = self.get("Message")?.replace("&apos;", "'").replace("&quot;", "\"");
        Some((self.get("Code")?.to_owned(), self.status, message))
    }
}

pub(super) fn access_of(statement: &str) -> Access {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    let policy = Policy::compile(&text, Grammar::Identity).expect("a policy");
    Access { identity: vec![Held::new("test", Arc::new(policy))], ..Access::default() }
}

/// What was recorded.
#[derive(Default)]
pub(super) struct Paper(Mutex<Vec<String>>);

impl Paper {
    /// The last record.
    pub(super) fn last(&self) -> serde_json::Value {
        let records = self.0.lock().expect("nobody panicked");
        serde_json::from_str(records.last().expect("recorded")).expect("JSON")
    }

    fn keep(&self, records: &[Encoded]) {
        let records = records.iter().map(|it| it.json.clone());
        self.0.lock().expect("nobody panicked").extend(records);
    }
}

#[async_trait]
impl Trail for Paper {
    async fn append(&self, records: &[Encoded]) -> Result<(), TrailError> {
        self.keep(records);
        Ok(())
    }

    async fn append_committed(&self, records: &[Encoded]) -> Result<(), TrailError> {
        self.keep(records);
        Ok(())
    }
}

/// A real signature, really verified: there is no other way to a call.
fn signed(now: Timestamp, body: &[u8]) -> Verified {
    let secret = Sensitive::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned());
    let credentials =
        Credentials { access_key_id: "AKIAEXAMPLE000000001", secret: &secret, session_token: None };
    let (region, service) = ("us-east-1", "iam");
    let host: [(&str, &[u8]); 1] = [("host", b"localhost")];
    let hash = body_hash(body);
    let bare = Request { method: "POST", path: "/", query: "", headers: &host, body_hash: hash };
    let added = Signer { credentials, region, service, at: now }.sign(&bare).expect("signs");
    let mut headers = host.to_vec();
    headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
    let request = Request { headers: &headers, ..bare };
    let scoped = Presented::parse(&request).expect("signed").check_window(now, 5).expect("fresh");
    let scoped = scoped.check_scope(&[service], |it| it == region).expect("in scope");
    let key = SigningKey::derive(&secret, scoped.date(), region, service);
    scoped.verify(&key).expect("right")
}

#[tokio::test]
async fn every_operation_is_denied_to_strangers_before_anything_else() {
    let desk = Desk::open().await.allowed(r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#);
    for row in OPERATIONS {
        let answered = desk.call(row.name, "UserName=a/b&PolicyArn=x&RoleName=%20").await;
        let (code, status, message) = answered.error().expect("an error");
        assert_eq!((code.as_str(), status), ("AccessDenied", 403), "{row:?}: {message}");
        assert!(message.contains("with an explicit deny in an identity-based policy"), "{message}");
    }
}

#[tokio::test]
async fn what_is_required_is_told() {
    let desk = Desk::open().await;
    for row in OPERATIONS {
        let answered = desk.call(row.name, "").await;
        let Some((code, status, message)) = answered.error() else {
            let optional = row.name.starts_with("List") || NEEDS_NOTHING.contains(&row.name);
            assert!(optional, "{row:?} needs nothing");
            continue;
        };
        if NEEDS_NOTHING.contains(&row.name) {
            assert!(
                ["NoSuchEntity", "FeatureDisabled", "ReportNotPresent"].contains(&code.as_str())
            );
        } else if code == "NoSuchEntity" {
            // About the caller, who isn't stored here.
            assert_eq!(message, "The user with name admin cannot be found.", "{row:?}");
        } else {
            assert_eq!((code.as_str(), status), ("ValidationError", 400), "{row:?}");
            assert!(message.contains("failed to satisfy constraint: Member must not be null"));
        }
    }
}

/// Operations about the account as a whole.
const NEEDS_NOTHING: [&str; 10] = [
    "DeleteAccountPasswordPolicy",
    "DisableOutboundWebIdentityFederation",
    "EnableOutboundWebIdentityFederation",
    "GenerateCredentialReport",
    "GetAccountAuthorizationDetails",
    "GetAccountPasswordPolicy",
    "GetAccountSummary",
    "GetCredentialReport",
    "GetOutboundWebIdentityFederationInfo",
    "UpdateAccountPasswordPolicy",
];
