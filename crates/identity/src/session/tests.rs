//! Sessions over a store in memory.

use super::*;
use crate::entities::{Role, roles};
use crate::{Error, Status, access, set_status, user};
use base::{AccountId, Region, Sensitive, SystemEntropy, Timestamp};
use envelope::{Key, Keyring, LocalRoot, Roots};
use proptest::prelude::*;
use service::{Access, Kind};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::backends::memory::Memory;

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const HOUR: Duration = Duration::from_hours(1);

/// A store, and what opens it.
pub(crate) struct House {
    pub(crate) backend: Memory,
    pub(crate) keyring: Keyring,
    pub(crate) region: Region,
}

impl House {
    pub(crate) async fn new() -> Self {
        let root = LocalRoot::new("test", Key::random(&SystemEntropy)).expect("made");
        let house = Self {
            backend: Memory::new(),
            keyring: Keyring::new(Roots::only(Arc::new(root))),
            region: "us-east-1".parse().expect("valid"),
        };
        kms::initialize(&house.backend, &house.keyring, &SystemEntropy, NOW).await.expect("empty");
        house
    }

    pub(crate) fn scope<'a>(&'a self, account: &'a AccountId, now: Timestamp) -> kms::Scope<'a> {
        let Self { keyring, region, .. } = self;
        kms::Scope { keyring, entropy: &SystemEntropy, now, account, region }
    }

    async fn issue(&self, claims: &Claims, least: usize) -> Result<Credentials, IssueError> {
        let mut txn = store::begin(&self.backend);
        let scope = self.scope(&claims.account, claims.issued);
        let issued = issue(&mut txn, &scope, claims, least).await?;
        txn.commit().await.map_err(Error::from)?;
        Ok(issued)
    }

    pub(crate) async fn open(
        &self,
        access_key_id: &str,
        token: &str,
        now: Timestamp,
    ) -> Result<Opened, Rejected> {
        let mut txn = store::begin(&self.backend);
        let opened = open(&mut txn, &self.scope(&account(), now), access_key_id, token).await;
        assert!(!txn.writes_anything(), "to open is to read");
        opened
    }

    async fn rotate(&self, now: Timestamp) -> (Timestamp, bool) {
        let mut txn = store::begin(&self.backend);
        let next = rotate(&mut txn, &self.scope(&account(), now)).await.expect("rotated");
        let wrote = txn.writes_anything();
        txn.commit().await.expect("committed");
        (next, wrote)
    }
}

pub(crate) fn account() -> AccountId {
    "111122223333".parse().expect("valid")
}

pub(crate) fn shown(secret: &Sensitive) -> &str {
    str::from_utf8(secret.expose()).expect("text")
}

fn of_role() -> Principal {
    let text = str::to_owned;
    Principal::Role {
        arn: text("arn:aws:iam::111122223333:role/x/app"),
        id: text("AROAEXAMPLE0000000001"),
        session: text("s1"),
    }
}

fn claims() -> Claims {
    Claims::new(&account(), of_role(), NOW, NOW.plus(HOUR))
}

#[tokio::test]
async fn comes_back_as_it_went_out() {
    let house = House::new().await;
    let issued = house.issue(&claims(), 0).await.expect("issued");
    assert!(issued.access_key_id.starts_with("ASIA"), "{}", issued.access_key_id);
    assert_eq!(account_of(&issued.access_key_id), Some(account()));
    assert_eq!((issued.secret.len(), issued.packed), (40, None));
    let opened = house.open(&issued.access_key_id, shown(&issued.token), NOW).await.expect("good");
    assert_eq!(opened.claims, claims());
    assert!(opened.secret.same_as(&issued.secret));

    // Without anything remembered, too.
    house.keyring.forget();
    let opened = house.open(&issued.access_key_id, shown(&issued.token), NOW).await.expect("good");
    assert!(opened.secret.same_as(&issued.secret));
}

#[tokio::test]
async fn no_two_sessions_share_anything() {
    let house = House::new().await;
    let one = house.issue(&claims(), 0).await.expect("issued");
    let two = house.issue(&claims(), 0).await.expect("issued");
    assert_ne!(one.access_key_id, two.access_key_id);
    assert!(!one.token.same_as(&two.token) && !one.secret.same_as(&two.secret));
    for (id, token) in [(&one.access_key_id, &two.token), (&two.access_key_id, &one.token)] {
        let moved = house.open(id, shown(token), NOW).await;
        assert!(matches!(moved, Err(Rejected::Invalid)), "{moved:?}");
    }
    let elsewhere = House::new().await;
    elsewhere.issue(&claims(), 0).await.expect("issued");
    let foreign = elsewhere.open(&one.access_key_id, shown(&one.token), NOW).await;
    assert!(matches!(foreign, Err(Rejected::Invalid)), "{foreign:?}");
}

#[tokio::test]
async fn a_changed_token_is_invalid() {
    let house = House::new().await;
    let issued = house.issue(&claims(), 0).await.expect("issued");
    let token = shown(&issued.token);
    let mut changed: Vec<String> = (0..token.len()).map(|it| token[..it].to_owned()).collect();
    for place in 0..token.len() {
        for bit in 0..7 {
            let mut bytes = token.as_bytes().to_vec();
            bytes[place] ^= 1 << bit;
            changed.push(String::from_utf8(bytes).expect("ASCII"));
        }
    }
    changed.extend([format!("{token}="), format!(" {token}"), "A".repeat(4096), "A".repeat(9000)]);
    for text in changed {
        let opened = house.open(&issued.access_key_id, &text, NOW).await;
        assert!(matches!(opened, Err(Rejected::Invalid)), "{text}: {opened:?}");
    }
}

#[tokio::test]
async fn ends_at_its_instant() {
    let house = House::new().await;
    let Credentials { access_key_id: id, token, expiration, .. } =
        house.issue(&claims(), 0).await.expect("issued");
    assert_eq!(expiration, NOW.plus(HOUR));
    let last = expiration.minus(Duration::from_millis(1));
    assert!(house.open(&id, shown(&token), last).await.is_ok());
    for later in [expiration, expiration.plus(24 * HOUR)] {
        let opened = house.open(&id, shown(&token), later).await;
        assert!(matches!(opened, Err(Rejected::Expired)), "{opened:?}");
    }
    let other = house.open("ASIAQNZGKIQY56JQ7WML", shown(&token), expiration).await;
    assert!(matches!(other, Err(Rejected::Invalid)), "not ours before not any more: {other:?}");
}

#[tokio::test]
async fn root_keys_come_and_go() {
    let house = House::new().await;
    assert_eq!(house.rotate(NOW).await, (NOW.plus(WEEK), true), "the first one");
    let old = house.issue(&claims(), 0).await.expect("issued");
    let root = |it: &Credentials| Token::parse(shown(&it.token)).expect("a token").root();
    let early = NOW.plus(WEEK).minus(HOUR);
    assert_eq!(house.rotate(early).await, (NOW.plus(WEEK), false), "too early");

    let issued = NOW.plus(WEEK).minus(Duration::from_secs(1));
    let long = Claims { issued, expires: issued.plus(36 * HOUR), ..claims() };
    let long = house.issue(&long, 0).await.expect("issued");
    assert_eq!(root(&old), root(&long));

    let changed = NOW.plus(WEEK);
    assert_eq!(house.rotate(changed).await, (changed.plus(KEPT), true));
    let new = Claims { issued: changed, expires: changed.plus(WEEK), ..claims() };
    let new = house.issue(&new, 0).await.expect("issued");
    assert_ne!(root(&old), root(&new));

    // The longest session reaches its end.
    let last = long.expiration.minus(Duration::from_millis(1));
    assert!(house.open(&long.access_key_id, shown(&long.token), last).await.is_ok());
    let gone = changed.plus(KEPT);
    let opened = house.open(&long.access_key_id, shown(&long.token), gone).await;
    assert!(matches!(opened, Err(Rejected::Invalid)), "nothing opens it any more: {opened:?}");
    assert_eq!(house.rotate(gone).await, (changed.plus(WEEK), true), "removes the old one");
    assert_eq!(house.rotate(gone).await, (changed.plus(WEEK), false));
    assert!(house.open(&new.access_key_id, shown(&new.token), gone).await.is_ok());
}

#[tokio::test]
async fn a_lost_root_key_is_not_made_anew() {
    let house = House::new().await;
    let issued = house.issue(&claims(), 0).await.expect("issued");
    let root = Token::parse(shown(&issued.token)).expect("a token").root();
    let mut txn = store::begin(&house.backend);
    let key = format!("session-root/{root}");
    txn.set_aside(&key).await.expect("moved");
    txn.commit().await.expect("committed");
    let opened = house.open(&issued.access_key_id, shown(&issued.token), NOW).await;
    assert!(matches!(opened, Err(Rejected::Invalid)), "though remembered: {opened:?}");
    let again = house.issue(&claims(), 0).await.expect_err("no root key");
    assert!(matches!(again, IssueError::Failed(Error::Kms(kms::Error::Missing { .. }))), "{again}");
}

#[tokio::test]
async fn nothing_secret_is_printed() {
    let house = House::new().await;
    let issued = house.issue(&claims(), 0).await.expect("issued");
    let opened = house.open(&issued.access_key_id, shown(&issued.token), NOW).await.expect("good");
    let token = Token::parse(shown(&issued.token)).expect("a token");
    let text = format!("{issued:?} {opened:?} {token:?}");
    assert!(
        !text.contains(shown(&issued.token)) && !text.contains(shown(&issued.secret)),
        "{text}"
    );
    assert!(text.contains("ASIA") && text.len() < 1500, "{text}");
}

#[tokio::test]
async fn a_token_is_as_long_as_asked_and_no_longer_than_it_may_be() {
    let house = House::new().await;
    let short = house.issue(&claims(), 0).await.expect("issued").token.len();
    for least in [1, short, short + 1, 1000, 1001, 1002, 1003, 4093, 4096] {
        let issued = house.issue(&claims(), least).await.expect("issued");
        let length = issued.token.len();
        assert!((least.max(short)..=4096).contains(&length), "{least}: {length}");
        assert!(length < least.max(short) + 4, "{least}: {length}");
        assert!(house.open(&issued.access_key_id, shown(&issued.token), NOW).await.is_ok());
    }
    let with = |length: usize| {
        let policy = serde_json::json!({ "x": "y".repeat(length) }).to_string();
        Claims { policy: Some(policy), ..claims() }
    };
    let mut longest = 0;
    for length in (2000..3000).step_by(7) {
        match house.issue(&with(length), 4096).await {
            Ok(issued) => {
                assert!(issued.packed.is_some_and(|it| (60..=100).contains(&it)), "{issued:?}");
                longest = length;
            }
            Err(error) => {
                assert!(matches!(error, IssueError::TooLarge(101..150)), "{error}");
                assert!(longest + 7 == length || longest < length);
            }
        }
    }
    assert!((2500..2950).contains(&longest), "{longest}");
}

#[test]
fn callers_of_each_kind() {
    let text = str::to_owned;
    let (arn, id) = ("arn:aws:iam::111122223333:user/a/ada", "AIDAEXAMPLE0000000001");
    let pair = Some((text(arn), text(id)));
    let (federated, named) = (
        Principal::Federated { name: text("bob"), user: pair.clone() },
        Principal::User { arn: text(arn), id: text(id) },
    );
    let session = "arn:aws:sts::111122223333:assumed-role/app/s1";
    let root = "arn:aws:iam::111122223333:root";
    for (principal, arn, id, name) in [
        (of_role(), session, "AROAEXAMPLE0000000001:s1", "app"),
        (named, arn, id, "ada"),
        (Principal::Root, root, "111122223333", "root"),
        (federated, "arn:aws:sts::111122223333:federated-user/bob", "111122223333:bob", "bob"),
    ] {
        let caller = Claims::new(&account(), principal, NOW, NOW).caller("ASIAX");
        assert_eq!((caller.arn.as_str(), caller.principal_id.as_str()), (arn, id));
        assert_eq!((caller.user_name.as_str(), caller.access_key_id.as_str()), (name, "ASIAX"));
        assert!(caller.session.is_some_and(|it| it.issued == NOW));
        match caller.kind {
            Kind::RoleSession { role_arn, .. } => assert!(role_arn.ends_with(":role/x/app")),
            Kind::FederatedUser { user } => assert_eq!(user, pair),
            Kind::Root | Kind::Service { .. } | Kind::User | Kind::WebIdentity { .. } => (),
        }
    }
}

#[test]
fn who_may_call_iam() {
    let user = Principal::User { arn: String::new(), id: String::new() };
    let federated = Principal::Federated { name: String::new(), user: None };
    for (principal, mfa, expected) in [
        (of_role(), None, true),
        (user.clone(), None, false),
        (user, Some(NOW), true),
        (Principal::Root, None, false),
        (federated, Some(NOW), false),
    ] {
        let claims = Claims { mfa, ..Claims::new(&account(), principal, NOW, NOW) };
        assert_eq!(may_call_iam(&claims.caller("ASIAX")), expected, "{claims:?}");
    }
}

#[test]
fn claims_never_change_under_their_version() {
    let text = str::to_owned;
    let claims = Claims {
        parent: Some(text("AKIAX")),
        mfa: Some(Timestamp::from_millis(3)),
        source_identity: Some(text("ada")),
        provider: Some(text("idp")),
        tags: BTreeMap::from([(text("k"), text("v"))]),
        transitive: vec![text("k")],
        chained: true,
        policy: Some(text(r#"{"Statement":[]}"#)),
        policy_arns: vec![text("arn")],
        ..Claims::new(
            &account(),
            Principal::Root,
            Timestamp::from_millis(1),
            Timestamp::from_millis(2),
        )
    };
    let whole = r#"{"a":"111122223333","w":"o","i":1,"e":2,"k":"AKIAX","m":3,"s":"ada","f":"idp","t":{"k":"v"},"r":["k"],"c":true,"d":{"Statement":[]},"p":["arn"]}"#;
    assert_eq!(claims.to_bytes().as_deref(), Ok(whole.as_bytes()));
    assert_eq!(Claims::from_bytes(whole.as_bytes()), Some(claims));
    for (principal, expected) in [
        (
            of_role(),
            r#"{"a":{"r":"arn:aws:iam::111122223333:role/x/app","i":"AROAEXAMPLE0000000001","s":"s1"}}"#,
        ),
        (Principal::User { arn: text("r"), id: text("i") }, r#"{"u":{"r":"r","i":"i"}}"#),
        (Principal::Federated { name: text("n"), user: None }, r#"{"f":{"n":"n"}}"#),
        (
            Principal::Federated { name: text("n"), user: Some((text("r"), text("i"))) },
            r#"{"f":{"n":"n","u":["r","i"]}}"#,
        ),
    ] {
        assert_eq!(serde_json::to_string(&principal).expect("JSON"), expected);
    }
    let unknown = r#"{"a":"111122223333","w":"o","i":1,"e":2,"z":1}"#;
    assert_eq!(Claims::from_bytes(unknown.as_bytes()), None, "it might be a limit");
}

/// A role as it is stored.
pub(crate) fn role(name: &str, path: &str, id: &str) -> Role {
    Role {
        name: name.to_owned(),
        path: path.to_owned(),
        id: id.to_owned(),
        arn: format!("arn:aws:iam::{}:role{path}{name}", account()),
        created: NOW,
        trust: String::new(),
        pins: policy::engine::Pins::default(),
        description: None,
        max_session: 3600,
        boundary: None,
        given: crate::entities::Given::default(),
        tags: Vec::new(),
        revoked: None,
        linked: None,
    }
}

#[tokio::test]
async fn ends_with_its_role() {
    let house = House::new().await;
    let stored = role("app", "/x/", "AROAEXAMPLE0000000001");
    let later = Some(NOW.plus(Duration::from_millis(1)));
    let other = role("app", "/x/", "AROAEXAMPLE0000000002");
    for (stored, expected) in [
        (Some(stored.clone()), (true, true)),
        (Some(Role { revoked: Some(NOW), ..stored.clone() }), (true, true)),
        (Some(Role { revoked: later, ..stored }), (false, true)),
        (Some(other), (false, false)),
        (None, (false, false)),
    ] {
        let mut txn = store::begin(&house.backend);
        let account = account();
        match &stored {
            Some(role) => txn.save(&roles(), &(&account, "app"), role).expect("saved"),
            None => txn.remove(&roles(), &(&account, "app")),
        }
        let stands = stands(&mut txn, &claims()).await.expect("read");
        let gathered = access::gather(&mut txn, &claims().caller("ASIAX")).await.expect("read");
        assert_eq!((stands, gathered.is_some()), expected, "{stored:?}");
    }
}

#[tokio::test]
async fn ends_with_the_key_that_began_it() {
    let house = House::new().await;
    let (account, mut txn) = (account(), store::begin(&house.backend));
    let made = crate::create_account(&mut txn, Some(account.clone()), &SystemEntropy, NOW).await;
    made.expect("made");
    let scope = house.scope(&account, NOW);
    let (key, _) = crate::create_access_key(&mut txn, &scope, "ada").await.expect("made");
    let user = user::find(&mut txn, &account, "ada").await.expect("read").expect("there");
    let principal = Principal::User { arn: user.arn.clone(), id: user.id.clone() };
    let parent = Some(key.id.clone());
    let claims = Claims { parent, ..Claims::new(&account, principal, NOW, NOW.plus(HOUR)) };
    assert!(stands(&mut txn, &claims).await.expect("read"));
    set_status(&mut txn, &key.id, Status::Inactive).await.expect("there");
    assert!(!stands(&mut txn, &claims).await.expect("read"));
    let gone = Claims { parent: Some("AKIAQNZGKIQY56JQ7WML".to_owned()), ..claims };
    assert!(!stands(&mut txn, &gone).await.expect("read"));
}

#[tokio::test]
async fn a_session_narrows_its_principal() {
    let house = House::new().await;
    let mut txn = store::begin(&house.backend);
    let text = str::to_owned;
    let tags = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|it| (text(it.0), text(it.1))).collect()
    };
    let access = || Access { tags: tags(&[("Team", "a"), ("stays", "b")]), ..Access::default() };
    let bare = narrow(&mut txn, &claims(), access()).await.expect("read");
    assert!(bare.session.is_none() && bare.tags == access().tags);

    let arns = ["arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::111122223333:policy/gone"];
    let claims = Claims {
        tags: tags(&[("TEAM", "c"), ("new", "d")]),
        policy: Some(text(r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#)),
        policy_arns: arns.map(text).to_vec(),
        ..claims()
    };
    let narrowed = narrow(&mut txn, &claims, access()).await.expect("read");
    assert_eq!(narrowed.tags, tags(&[("TEAM", "c"), ("new", "d"), ("stays", "b")]));
    let held = narrowed.session.expect("policies");
    let ids: Vec<_> = held.iter().map(|it| &*it.id).collect();
    assert_eq!(ids, ["session-policy", arns[0], arns[1]]);
    let gone = &held[2].policy.statements()[0];
    assert_eq!(gone.effect(), policy::Effect::Deny, "what it denied is not known");
}

fn any_principal() -> impl Strategy<Value = Principal> {
    let pair = prop::option::of((any::<String>(), any::<String>()));
    prop_oneof![
        Just(Principal::Root),
        any::<(String, String)>().prop_map(|(arn, id)| Principal::User { arn, id }),
        any::<(String, String, String)>().prop_map(|(arn, id, session)| Principal::Role {
            arn,
            id,
            session
        }),
        (any::<String>(), pair).prop_map(|(name, user)| Principal::Federated { name, user }),
    ]
}

fn any_claims() -> impl Strategy<Value = Claims> {
    let times = any::<(i64, i64, Option<i64>)>();
    let texts = prop::collection::vec(any::<String>(), 0..3);
    let tags = prop::collection::btree_map(any::<String>(), any::<String>(), 0..4);
    let options = any::<(Option<String>, Option<String>, Option<String>, Option<String>, bool)>();
    (any_principal(), times, tags, (texts.clone(), texts), options).prop_map(
        |(principal, times, tags, (transitive, policy_arns), options)| {
            let (parent, source_identity, provider, policy, chained) = options;
            let at = Timestamp::from_millis;
            Claims {
                mfa: times.2.map(at),
                policy: policy.map(|it| serde_json::json!([it]).to_string()),
                parent,
                source_identity,
                provider,
                tags,
                transitive,
                chained,
                policy_arns,
                ..Claims::new(&account(), principal, at(times.0), at(times.1))
            }
        },
    )
}

proptest! {
    #[test]
    fn claims_survive_their_token(claims in any_claims(), id: String, other: String) {
        let bytes = claims.to_bytes().expect("JSON");
        prop_assert_eq!(Claims::from_bytes(&bytes), Some(claims.clone()));
        let (key, root) = (Key::random(&SystemEntropy), RootId::of([1, 2, 3, 4]));
        match Token::seal((root, &key), &id, bytes, 0, &SystemEntropy) {
            Ok(token) => {
                let text = token.text();
                prop_assert!(text.len() <= Token::MAX_LEN);
                let read = Token::parse(shown(&text)).expect("a token");
                prop_assert_eq!(&read, &token);
                prop_assert_eq!(read.root(), root);
                prop_assert_eq!(read.open(&key, &id), Some(claims));
                prop_assert_eq!(read.open(&key, &other).is_some(), id == other);
                prop_assert!(read.open(&Key::random(&SystemEntropy), &id).is_none());
            }
            Err(error) => prop_assert_eq!(error, envelope::SealError::TooLong),
        }
    }

    #[test]
    fn any_claims_name_somebody(claims in any_claims()) {
        let caller = claims.caller("ASIAX");
        prop_assert_eq!(caller.account, account());
        let session = caller.session.expect("a session");
        prop_assert_eq!((session.issued, session.expires), (claims.issued, claims.expires));
        prop_assert_eq!(session.tags, claims.tags);
    }

    #[test]
    fn any_text_is_a_token_or_none(text: String, bytes: Vec<u8>) {
        for text in [text, base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes)] {
            if let Some(token) = Token::parse(&text) {
                let again = token.text();
                prop_assert_eq!(shown(&again), text);
            }
        }
    }

    #[test]
    fn any_bytes_are_claims_or_none(bytes: Vec<u8>) {
        let _either = Claims::from_bytes(&bytes);
    }
}
