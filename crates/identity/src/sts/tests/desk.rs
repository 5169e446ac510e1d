//! Two accounts with users and roles, and what serves their calls.

use crate::entities::{Given, Role, roles};
use crate::session::tests::{House, NOW, account, role};
use crate::session::{narrow, open};
use crate::sts::OPERATIONS;
use crate::user::{self, User};
use crate::{access, create_access_key, create_account};
use async_trait::async_trait;
use base::{AccountId, Sensitive, SystemEntropy, Timestamp, Uuid};
use policy::Document;
use policy::engine::{self, Pins};
use service::audit::{Encoded, TrailError};
use service::{Access, Call, Caller, Kind, Ports, Proof, Source, Turns, principals};
use sigv4::{Credentials, Presented, Request, Signer, SigningKey, Verified, body_hash};
use std::sync::Mutex;
use std::time::Duration;

pub(super) const ALLOW: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// Accounts 111122223333 with the user `alice`, and 444455556666 with `bob`; both without policies.
pub(super) struct Desk {
    pub(super) house: House,
    pub(super) now: Timestamp,
    trail: Paper,
    turns: Turns,
}

/// Somebody who signs.
#[derive(Clone)]
pub(super) struct Who {
    pub(super) caller: Caller,
    pub(super) access: Access,
}

/// What a call answered.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) body: String,
}

#[derive(Default)]
struct Paper(Mutex<Vec<String>>);

#[async_trait]
impl service::Trail for Paper {
    async fn append(&self, records: &[Encoded]) -> Result<(), TrailError> {
        let lines = records.iter().map(|it| it.json.clone());
        self.0.lock().expect("whole").extend(lines);
        Ok(())
    }

    async fn append_committed(&self, records: &[Encoded]) -> Result<(), TrailError> {
        self.append(records).await
    }
}

impl Answered {
    /// The text of the first element `name`.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let rest = self.body.split_once(&open)?.1;
        let text = rest.split_once(&close)?.0.to_owned();
        Some(text.replace("&apos;", "'").replace("&quot;", "\"").replace("&amp;", "&"))
    }

    /// The error's code and message.
    pub(super) fn error(&self) -> (String, String) {
        let get = |name| self.get(name).unwrap_or_default();
        (get("Code"), get("Message"))
    }
}

impl Desk {
    pub(super) async fn new() -> Self {
        let house = House::new().await;
        let desk = Self { house, now: NOW, trail: Paper::default(), turns: Turns::default() };
        for (account, name) in [(account(), "alice"), (other(), "bob")] {
            let mut txn = store::begin(&desk.house.backend);
            create_account(&mut txn, Some(account.clone()), &SystemEntropy, NOW)
                .await
                .expect("new");
            let scope = desk.house.scope(&account, NOW);
            create_access_key(&mut txn, &scope, name).await.expect("made");
            txn.commit().await.expect("committed");
            desk.user(&account, name, None).await;
        }
        desk
    }

    /// Gives the user `name` the one identity policy `text`, or none.
    pub(super) async fn user(&self, account: &AccountId, name: &str, text: Option<&str>) -> Who {
        let mut txn = store::begin(&self.house.backend);
        let user = user::find(&mut txn, account, name).await.expect("read").expect("there");
        let user = User { given: given(text), ..User::clone(&user) };
        user::save(&mut txn, account, &user).expect("saved");
        txn.commit().await.expect("committed");
        let caller = Caller {
            account: account.clone(),
            arn: user.arn,
            principal_id: user.id,
            user_name: user.name,
            access_key_id: "AKIAQNZGKIQY56JQ7WML".to_owned(),
            kind: Kind::User,
            session: None,
        };
        self.who(caller).await
    }

    /// `alice` with the one identity policy `text`, or none.
    pub(super) async fn alice(&self, text: Option<&str>) -> Who {
        self.user(&account(), "alice", text).await
    }

    /// The root user of the first account.
    pub(super) fn root() -> Who {
        let caller = Caller {
            account: account(),
            arn: "arn:aws:iam::111122223333:root".to_owned(),
            principal_id: account().to_string(),
            user_name: "root".to_owned(),
            access_key_id: "AKIAQNZGKIQY56JQ7WML".to_owned(),
            kind: Kind::Root,
            session: None,
        };
        Who { caller, access: Access::default() }
    }

    /// Makes the role `name` of the first account, as `adapt` wants it, which trusts as `trust` says.
    pub(super) async fn role(
        &self,
        (path, name): (&str, &str),
        trust: &str,
        adapt: impl FnOnce(&mut Role),
    ) -> String {
        let mut txn = store::begin(&self.house.backend);
        let id = crate::mint::unique_id("AROA", &SystemEntropy);
        let mut role = role(name, path, &id);
        principals::register(&mut txn, &role.arn, &role.id).expect("saved");
        let document = Document::parse(trust).expect("a policy");
        let known = principals::look_up(&mut txn, &document, &Pins::default()).await.expect("read");
        role.pins = engine::pin(&document, &known).expect("all exist");
        role.trust = trust.to_owned();
        adapt(&mut role);
        txn.save(&roles(), &(&account(), name), &role).expect("saved");
        txn.commit().await.expect("committed");
        role.arn
    }

    /// Whoever `caller` is, with the policies it has now.
    pub(super) async fn who(&self, caller: Caller) -> Who {
        let mut txn = store::begin(&self.house.backend);
        let access = access::gather(&mut txn, &caller).await.expect("read").expect("there");
        Who { caller, access }
    }

    /// The session whose credentials were `answered`.
    pub(super) async fn session(&self, answered: &Answered) -> Who {
        let get = |name| answered.get(name).unwrap_or_else(|| panic!("{}", answered.body));
        let (id, token) = (get("AccessKeyId"), get("SessionToken"));
        let mut txn = store::begin(&self.house.backend);
        let account = account();
        let scope = self.house.scope(&account, self.now);
        let opened = open(&mut txn, &scope, &id, &token).await.expect("good");
        assert!(opened.secret.same_as(&Sensitive::from(get("SecretAccessKey"))));
        let who = self.who(opened.claims.caller(&id)).await;
        let access = narrow(&mut txn, &opened.claims, who.access).await.expect("read");
        Who { access, ..who }
    }

    /// Serves the operation `name` with `parameters`.
    pub(super) async fn call(
        &self,
        who: &Who,
        name: &str,
        parameters: &[(&str, &str)],
    ) -> Answered {
        let answered = self.try_call(who, name, parameters).await;
        assert_ne!(answered.status, 500, "{answered:?}");
        answered
    }

    /// The same where the store may fail.
    pub(super) async fn try_call(
        &self,
        who: &Who,
        name: &str,
        parameters: &[(&str, &str)],
    ) -> Answered {
        let body = form(parameters);
        self.serve(signed(self.now, body.as_bytes()), who, name, &body).await
    }

    /// Serves the operation `name` with the parameters `body`, for whom `proof` is of.
    pub(super) async fn serve(
        &self,
        proof: impl Into<Proof>,
        who: &Who,
        name: &str,
        body: &str,
    ) -> Answered {
        let row = OPERATIONS.iter().find(|it| it.name == name).expect("a row");
        let (source, entropy) = (Source::default(), SystemEntropy);
        let call = Call::new(
            proof,
            (&who.caller, &who.access),
            (&self.house.region, &source),
            (self.now, Uuid::random(&entropy)),
            (&entropy, &self.house.keyring),
        );
        let Self { house, trail, turns, .. } = self;
        let ports = Ports { backend: &house.backend, trail, turns };
        let reply = row.serve(&call, body.as_bytes(), ports).await;
        let body = str::from_utf8(reply.body.as_slice()).expect("XML").to_owned();
        Answered { status: reply.status, body }
    }

    /// AssumeRole of `arn` as session `s1`, with further parameters.
    pub(super) async fn assume(&self, who: &Who, arn: &str, more: &[(&str, &str)]) -> Answered {
        let parameters = [&[("RoleArn", arn), ("RoleSessionName", "s1")], more].concat();
        self.call(who, "AssumeRole", &parameters).await
    }

    /// The audit records so far.
    pub(super) fn records(&self) -> Vec<serde_json::Value> {
        let lines = std::mem::take(&mut *self.trail.0.lock().expect("whole"));
        lines.iter().map(|it| serde_json::from_str(it).expect("JSON")).collect()
    }

    pub(super) fn advance(&mut self, seconds: u64) {
        self.now = self.now.plus(Duration::from_secs(seconds));
    }
}

pub(super) fn other() -> AccountId {
    "444455556666".parse().expect("valid")
}

/// A trust policy that lets `principal` do `actions`, under `condition`.
pub(super) fn trusting(principal: &str, actions: &[&str], condition: &str) -> String {
    let actions = serde_json::json!(actions);
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},
            "Action":{actions},"Condition":{condition}}}}}"#
    )
}

/// What may be done on the way to a role.
pub(super) const ALL: &[&str] = &["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"];

pub(super) fn given(text: Option<&str>) -> Given {
    let inline = text.map(|it| ("own".to_owned(), it.to_owned()));
    Given { inline: inline.into_iter().collect(), ..Given::default() }
}

/// `parameters` as a body.
pub(super) fn form(parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = parameters.iter().map(|it| format!("{}={}", it.0, escaped(it.1))).collect();
    pairs.join("&")
}

fn escaped(text: &str) -> String {
    let plain = |it: u8| it.is_ascii_alphanumeric() || b"-_.~".contains(&it);
    let one = |it: u8| if plain(it) { char::from(it).to_string() } else { format!("%{it:02X}") };
    text.bytes().map(one).collect()
}

/// A real signature, really verified: there is no other way to a call.
fn signed(now: Timestamp, body: &[u8]) -> Verified {
    let secret = Sensitive::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned());
    let credentials =
        Credentials { access_key_id: "AKIAQNZGKIQY56JQ7WML", secret: &secret, session_token: None };
    let (region, service, body_hash) = ("us-east-1", "sts", body_hash(body));
    let host: [(&str, &[u8]); 1] = [("host", b"localhost")];
    let bare = Request { method: "POST", path: "/", query: "", headers: &host, body_hash };
    let added = Signer { credentials, region, service, at: now }.sign(&bare).expect("signed");
    let mut headers = host.to_vec();
    headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
    let presented = Presented::parse(&Request { headers: &headers, ..bare }).expect("whole");
    let current = presented.check_window(now, 5).expect("now");
    let scoped = current.check_scope(&[service], |it| it == region).expect("here");
    let key = SigningKey::derive(&secret, scoped.date(), region, service);
    scoped.verify(&key).expect("right")
}
