//! Messages: what they tell, what is proposed, and how long they are.

use super::*;
use crate::engine::{
    Attached, Caller, CallerKind, Door, Grammar, MapContext, Policies, Policy, Request, decide,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const SECRET: &str = "arn:aws:secretsmanager:us-east-1:111122223333:secret:app/db-a1b2c3";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd";
const ROLE: &str = "arn:aws:iam::111122223333:role/team/app";
const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/app/s1";

/// Texts of statements by where they are attached.
#[derive(Clone, Default)]
struct Given {
    identity: Vec<Value>,
    boundary: Option<Value>,
    session: Option<Value>,
    resource: Vec<Value>,
    door: Door,
    by_role: bool,
    action: &'static str,
    target: &'static str,
}

fn policy(statement: &Value, grammar: Grammar) -> Policy {
    let text = json!({ "Version": "2012-10-17", "Statement": statement }).to_string();
    Policy::compile(&text, grammar).expect("a policy")
}

fn attach<'a>(list: &'a [Policy], id: &'a str) -> Vec<Attached<'a>> {
    list.iter().map(|policy| Attached { id, policy }).collect()
}

impl Given {
    fn ask<T>(&self, look: impl Fn(&Request<'_>, &Policies<'_>) -> T) -> T {
        let of_resource = match self.door {
            Door::Key { .. } => Grammar::Key,
            Door::Resource => Grammar::Resource,
            Door::Trust => Grammar::Trust,
        };
        let all =
            |list: &[Value], grammar| list.iter().map(|it| policy(it, grammar)).collect::<Vec<_>>();
        let identity = all(&self.identity, Grammar::Identity);
        let resource = all(&self.resource, of_resource);
        let boundary = self.boundary.as_ref().map(|it| policy(it, Grammar::Boundary));
        let session = self.session.as_ref().map(|it| [policy(it, Grammar::Session)]);
        let session = session.as_ref().map(|it| attach(it, "given"));
        let account = "111122223333".parse().expect("an account");
        let owner = self.target.split(':').nth(4).and_then(|it| it.parse().ok());
        let kind = if self.by_role {
            CallerKind::RoleSession { role_arn: ROLE, role_id: "AROAAPP" }
        } else {
            CallerKind::User { id: "AIDAALICE" }
        };
        let arn = if self.by_role { SESSION } else { ALICE };
        let context = MapContext::new().with("aws:SourceIp", "192.0.2.10");
        let request = Request {
            caller: Caller { account: &account, arn, kind },
            action: self.action,
            resource: Some(self.target),
            resource_account: owner.as_ref().unwrap_or(&account),
            context: &context,
        };
        let policies = Policies {
            identity: &attach(&identity, "inline"),
            resource: &attach(&resource, "default"),
            boundary: boundary.as_ref().map(|policy| Attached { id: "cap", policy }),
            session: session.as_deref(),
            door: self.door,
            ..Policies::default()
        };
        look(&request, &policies)
    }

    fn message(&self) -> Message {
        let asker = Asker {
            request_id: "5b1fcb2f-6d5c-47b1-9f5e-3c1e0f2a9d44",
            at: Timestamp::from_secs(1_769_853_600),
            id: "AIDAALICE",
            name: Some("alice"),
        };
        self.ask(|request, policies| {
            Message::of(request, policies, asker, (Side::Both, decide(request, policies)))
        })
    }

    /// The same with every change made, as it is proposed.
    fn changed(mut self, message: &Message) -> Self {
        for change in &message.changes {
            let statement = message.statement_for(change).expect("a statement");
            let list = match change.kind {
                PolicyKind::Identity => &mut self.identity,
                PolicyKind::PermissionsBoundary => {
                    self.boundary = Some(statement);
                    continue;
                }
                PolicyKind::Session => {
                    self.session = Some(statement);
                    continue;
                }
                _ => &mut self.resource,
            };
            match &change.denial {
                // Each policy of these tests has one statement.
                Some(_) => {
                    let deny = list.iter_mut().find(|it| it["Effect"] == "Deny");
                    *deny.expect("a denial") = statement;
                }
                None => list.push(statement),
            }
        }
        self
    }
}

fn allow(action: &str) -> Value {
    json!({ "Effect": "Allow", "Action": action, "Resource": "*" })
}

fn deny(action: &str, condition: &Value) -> Value {
    json!({ "Sid": "No", "Effect": "Deny", "Action": action, "Resource": "*", "Condition": condition })
}

fn read() -> Given {
    let (action, target) = ("secretsmanager:GetSecretValue", SECRET);
    Given { action, target, ..Given::default() }
}

fn decrypt() -> Given {
    let (action, target) = ("kms:Decrypt", KEY);
    Given { action, target, door: Door::Key { grant: false }, ..Given::default() }
}

fn to(statement: Value, principal: &str) -> Value {
    let mut statement = statement;
    statement["Principal"] = json!({ "AWS": principal });
    statement
}

#[test]
fn the_smallest_changes_allow_the_request_and_nothing_less_does() {
    use PolicyKind as Kind;
    let all = || vec![allow("*")];
    let root = || to(allow("kms:*"), "arn:aws:iam::111122223333:root");
    let here = json!({ "IpAddress": { "aws:SourceIp": "192.0.2.0/24" } });
    let trust = Given { action: "sts:AssumeRole", target: ROLE, door: Door::Trust, ..read() };
    #[rustfmt::skip]
    let cases = [
        ("no statement",       read(),                                                             vec![(Kind::Identity, false)]),
        ("another action",     Given { identity: vec![allow("kms:*")], ..read() },                 vec![(Kind::Identity, false)]),
        ("explicit deny",      Given { identity: vec![allow("*"), deny("*", &here)], ..read() }, vec![(Kind::Identity, true)]),
        ("deny and nothing",   Given { identity: vec![deny("*", &here)], ..read() },        vec![(Kind::Identity, true), (Kind::Identity, false)]),
        ("deny of a resource", Given { identity: all(), resource: vec![to(deny("*", &here), ALICE)], ..read() }, vec![(Kind::Resource, true)]),
        ("boundary",           Given { identity: all(), boundary: Some(allow("iam:*")), ..read() }, vec![(Kind::PermissionsBoundary, false)]),
        ("boundary, identity", Given { boundary: Some(allow("iam:*")), ..read() },                 vec![(Kind::PermissionsBoundary, false), (Kind::Identity, false)]),
        ("session policy",     Given { identity: all(), session: Some(allow("iam:*")), by_role: true, ..read() }, vec![(Kind::Session, false)]),
        ("silent key policy",  Given { identity: all(), ..decrypt() },                             vec![(Kind::Resource, false)]),
        ("key left to all",    Given { resource: vec![root()], ..decrypt() },                      vec![(Kind::Identity, false)]),
        ("trust policy",       Given { identity: all(), ..trust },                                 vec![(Kind::RoleTrust, false)]),
        ("across accounts",    Given { target: "arn:aws:secretsmanager:us-east-1:444455556666:secret:x-a1b2c3", ..read() },
                                                                                                   vec![(Kind::Resource, false), (Kind::Identity, false)]),
    ];
    for (name, given, expected) in cases {
        let message = given.message();
        let changes: Vec<_> =
            message.changes.iter().map(|it| (it.kind, it.denial.is_some())).collect();
        assert_eq!(changes, expected, "{name}");
        let after = given.clone().changed(&message);
        let is_allowed = |given: &Given| given.ask(|request, all| decide(request, all).is_allow());
        assert!(!is_allowed(&given) && is_allowed(&after), "{name}");
        assert_eq!(message.advice().len(), expected.len(), "{name}");
        for left_out in 0..message.changes.len() {
            let mut fewer = message.clone();
            fewer.changes.remove(left_out);
            assert!(!is_allowed(&given.clone().changed(&fewer)), "{name} without {left_out}");
        }
    }
}

#[test]
fn a_proposal_is_no_wider_than_what_was_asked() {
    let message = read().message();
    let statement = message.statement_for(&message.changes[0]).expect("a statement");
    let expected = json!({
        "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": SECRET,
    });
    assert_eq!(statement, expected);

    let create = Given { action: "secretsmanager:CreateSecret", ..read() }.message();
    let statement = create.statement_for(&create.changes[0]).expect("a statement");
    assert_eq!(statement["Resource"], SECRET.replace("a1b2c3", "??????"));

    let except = json!({ "ArnNotEquals": { "aws:principalarn": ROLE } });
    let given = Given { resource: vec![to(deny("*", &except), "*")], ..read() };
    let message = Given { identity: vec![allow("*")], ..given }.message();
    let statement = message.statement_for(&message.changes[0]).expect("a statement");
    assert_eq!(statement["Condition"]["ArnNotEquals"]["aws:principalarn"], json!([ROLE, ALICE]));
}

#[test]
fn statements_come_with_what_of_them_matched() {
    let here = json!({ "IpAddress": { "aws:SourceIp": "198.51.100.0/24" } });
    let mut near = allow("secretsmanager:*");
    near["Condition"] = here;
    let mut far = allow("secretsmanager:Get*");
    far["Resource"] = json!("arn:aws:secretsmanager:*:*:secret:other");
    let message = Given { identity: vec![far, near, allow("kms:*")], ..read() }.message();
    assert_eq!((message.verdict, message.by), (Verdict::ImplicitDeny, Some(PolicyKind::Identity)));
    let [near, far] = message.statements.as_slice() else { panic_with(&message) };
    assert!(near.resource && near.principal && !near.holds() && !near.conditions[0].holds);
    assert!(!far.resource);
    let ip = message.conditions.iter().find(|it| it.0 == "aws:SourceIp");
    assert_eq!(ip.map(|it| it.1.as_slice()), Some(&["192.0.2.10".to_owned()][..]));
    assert_eq!(message.policies.iter().map(|it| it.about).sum::<usize>(), 2);
}

fn panic_with(message: &Message) -> ! {
    unreachable!("{message:?}")
}

#[test]
fn what_was_decided_stands_in_the_form_of_aws() {
    let message =
        Given { identity: vec![deny("secretsmanager:*", &json!({}))], ..read() }.message();
    let decoded = message.decoded();
    assert_eq!(decoded["explicitDeny"], true);
    assert_eq!(
        decoded["matchedStatements"]["items"][0],
        json!({
            "statementId": "No",
            "effect": "DENY",
            "principals": { "items": [{ "value": "AIDAALICE" }] },
            "principalGroups": { "items": [] },
            "actions": { "items": [{ "value": "secretsmanager:*" }] },
            "resources": { "items": [{ "value": "*" }] },
            "conditions": { "items": [] },
        })
    );
    let principal = &decoded["context"]["principal"];
    assert_eq!(*principal, json!({ "id": "AIDAALICE", "name": "alice", "arn": ALICE }));
    assert_eq!(decoded.get("truncated"), None);
}

#[test]
fn long_policies_are_cut_and_counted() {
    let long = |n: usize| {
        let mut it = deny("secretsmanager:*", &json!({}));
        it["Condition"] =
            json!({ "StringEquals": { "aws:PrincipalTag/x": vec!["\u{e9}\"".repeat(90); n + 1] } });
        it
    };
    let message = Given { identity: (0..60).map(long).collect(), ..read() }.message();
    let bytes = message.clone().to_bytes();
    assert!(bytes.len() <= Message::MAX_LEN, "{}", bytes.len());
    let read = Message::from_bytes(&bytes).expect("a message");
    let left = read.left_out;
    assert!(left.statements >= 36 && left.values > 0 && left.policies >= 20, "{left:?}");
    assert_eq!(read.statements.len() + left.statements, 60);
    assert!(read.decoded().get("truncated").is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_message_is_never_too_long(
        resource in ".{0,3000}", values in prop::collection::vec(".{0,400}", 0..80), texts in prop::collection::vec(".{0,1500}", 0..30),
    ) {
        let mut message = read().message();
        message.resource = Some(resource);
        message.conditions = values.iter().map(|it| (it.clone(), vec![it.clone(); 20])).collect();
        let statement = Given { identity: vec![allow("secretsmanager:*")], ..read() }.message();
        let of = |text: &String| Considered { text: text.clone(), ..statement.statements[0].clone() };
        message.statements = texts.iter().map(of).collect();
        let bytes = message.to_bytes();
        prop_assert!(bytes.len() <= Message::MAX_LEN);
        let read = Message::from_bytes(&bytes);
        prop_assert!(read.is_some());
        prop_assert_eq!(read.map(Message::to_bytes), Some(bytes));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Message::from_bytes(&bytes).is_none());
    }
}

#[test]
fn a_control_policy_that_lets_nothing_through_is_named_with_its_place() {
    let allow = |action: &str| json!({ "Effect": "Allow", "Action": action, "Resource": "*" });
    let full = policy(&allow("*"), Grammar::ServiceControl);
    let lists = policy(&allow("secretsmanager:List*"), Grammar::ServiceControl);
    let given = Given {
        identity: vec![allow("*")],
        action: "secretsmanager:GetSecretValue",
        target: SECRET,
        ..Given::default()
    };
    let (at_root, at_unit) = ("full at the root r-1", "lists at unit prod (ou-1)");
    let asker = Asker {
        request_id: "5b1fcb2f-6d5c-47b1-9f5e-3c1e0f2a9d44",
        at: Timestamp::from_secs(1_769_853_600),
        id: "AIDAALICE",
        name: Some("alice"),
    };
    let message = given.ask(|request, policies| {
        let levels = [
            &[Attached { id: at_root, policy: &full }][..],
            &[Attached { id: at_unit, policy: &lists }][..],
        ];
        let policies = Policies { service_control: &levels, ..*policies };
        Message::of(request, &policies, asker, (Side::Both, decide(request, &policies)))
    });
    let advice = message.advice();
    let told: Vec<_> = advice.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(
        told,
        [
            "a service control policy must let it through beside `lists at unit prod (ou-1)`: add this statement"
        ]
    );
}
