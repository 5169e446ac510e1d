//! That the engine is the only judge: what is simulated is what is decided.

use crate::iam::tests::{ACCOUNT, Desk};
use base::AccountId;
use policy::engine::{
    Attached, Caller, CallerKind, Decision, Door, Grammar, MapContext, Policies, Policy, Request,
    decide,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// A case as the oracle has them: who asks, what, with which policies.
#[derive(Clone, Debug)]
struct Case {
    identity: Vec<String>,
    boundary: Option<String>,
    resource: Option<String>,
    level: Option<String>,
    account: &'static str,
    target: &'static str,
    action: &'static str,
    value: Option<&'static str>,
}

const OTHER: &str = "999988887777";
const TARGETS: &[&str] = &[
    "*",
    "arn:aws:secretsmanager:us-east-1:111122223333:secret:app/db-a1b2c3",
    "arn:aws:kms:us-east-1:111122223333:key/k",
    "arn:aws:s3:::bucket",
];
const ACTIONS: &[&str] =
    &["secretsmanager:GetSecretValue", "kms:Decrypt", "s3:GetObject", "sts:GetCallerIdentity"];

fn pick(from: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(from)
}

fn text(
    effect: &'static [&'static str],
    whom: Option<&'static [&'static str]>,
) -> BoxedStrategy<String> {
    let conditions = pick(&[
        "{}",
        r#"{"StringEquals":{"a:key":"x"}}"#,
        r#"{"StringNotEquals":{"a:key":"${aws:username}"}}"#,
        r#"{"Null":{"aws:username":"false"}}"#,
    ]);
    let parts = (
        pick(effect),
        pick(&["*", "secretsmanager:*", "kms:Decrypt", "s3:Get*"]),
        pick(&["*", "arn:aws:secretsmanager:*:*:secret:app/*", "arn:aws:kms:*:*:key/*"]),
        conditions,
        pick(whom.unwrap_or(&[""])),
    );
    let statement = parts.prop_map(|(effect, action, on, when, whom)| {
        let whom = if whom.is_empty() { String::new() } else { format!(r#""Principal":{whom},"#) };
        format!(r#"{{"Effect":"{effect}",{whom}"Action":"{action}","Resource":"{on}","Condition":{when}}}"#)
    });
    prop::collection::vec(statement, 1..3)
        .prop_map(|it| format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, it.join(",")))
        .boxed()
}

fn case() -> impl Strategy<Value = Case> {
    const BOTH: &[&str] = &["Allow", "Allow", "Deny"];
    const WHOM: &[&str] = &[
        r#""*""#,
        r#"{"AWS":"111122223333"}"#,
        r#"{"AWS":"arn:aws:iam::111122223333:user/alice"}"#,
        r#"{"AWS":"999988887777"}"#,
    ];
    let policies = (
        prop::collection::vec(text(BOTH, None), 1..3),
        prop::option::of(text(BOTH, None)),
        prop::option::of(text(BOTH, Some(WHOM))),
        prop::option::weighted(0.3, text(BOTH, None)),
    );
    let asked = (
        pick(&[ACCOUNT, OTHER]),
        pick(TARGETS),
        pick(ACTIONS),
        prop::option::of(pick(&["x", "alice"])),
    );
    (policies, asked).prop_map(|((identity, boundary, resource, level), asked)| {
        let (account, target, action, value) = asked;
        Case { identity, boundary, resource, level, account, target, action, value }
    })
}

impl Case {
    fn form(&self) -> String {
        let Self { account, target, action, .. } = self;
        let mut form = format!(
            "CallerArn=arn:aws:iam::{account}:user/alice&ActionNames.member.1={action}&ResourceArns.member.1={target}&ResourceOwner={ACCOUNT}"
        );
        for (text, number) in self.identity.iter().zip(1..) {
            let given = format!("&PolicyInputList.member.{number}={text}");
            form += &given;
        }
        let level =
            "OrderedOrganizationPolicyInputList.member.1.ServiceControlPolicyInputList.member.1";
        for (name, text) in [
            ("PermissionsBoundaryPolicyInputList.member.1", &self.boundary),
            ("ResourcePolicy", &self.resource),
            (level, &self.level),
        ] {
            form += &text.as_ref().map(|it| format!("&{name}={it}")).unwrap_or_default();
        }
        let entry = "ContextEntries.member.1";
        let given = |it| {
            format!(
                "&{entry}.ContextKeyName=a:key&{entry}.ContextKeyType=string&{entry}.ContextKeyValues.member.1={it}"
            )
        };
        form + &self.value.map(given).unwrap_or_default()
    }

    /// What the engine says by itself.
    fn decided(&self) -> &'static str {
        let of = |it: &String, grammar| Policy::compile(it, grammar).expect("a policy");
        let key = self.action.starts_with("kms:") && self.target.contains(":key/");
        let grammar =
            if self.action.starts_with("kms:") { Grammar::Key } else { Grammar::Resource };
        let identity: Vec<_> = self.identity.iter().map(|it| of(it, Grammar::Identity)).collect();
        let boundary = self.boundary.as_ref().map(|it| of(it, Grammar::Boundary));
        let resource: Vec<_> = self.resource.iter().map(|it| of(it, grammar)).collect();
        let level: Vec<_> = self.level.iter().map(|it| of(it, Grammar::ServiceControl)).collect();
        let levels = level.iter().map(|policy| Attached { id: "", policy }).collect::<Vec<_>>();
        let context =
            self.value.map_or_else(MapContext::new, |it| MapContext::new().with("a:key", it));
        let (account, owner): (AccountId, AccountId) =
            (self.account.parse().expect("valid"), ACCOUNT.parse().expect("valid"));
        let arn = format!("arn:aws:iam::{account}:user/alice");
        let request = Request {
            caller: Caller { account: &account, arn: &arn, kind: CallerKind::User { id: "AIDA" } },
            action: self.action,
            resource: Some(self.target).filter(|it| *it != "*"),
            resource_account: &owner,
            context: &context,
        };
        let policies = Policies {
            service_control: if level.is_empty() { &[] } else { &[&levels] },
            resource: &resource
                .iter()
                .map(|policy| Attached { id: "", policy })
                .collect::<Vec<_>>(),
            identity: &identity
                .iter()
                .map(|policy| Attached { id: "", policy })
                .collect::<Vec<_>>(),
            boundary: boundary.as_ref().map(|policy| Attached { id: "", policy }),
            door: if key && self.resource.is_some() {
                Door::Key { grant: false }
            } else {
                Door::Resource
            },
            ..Policies::default()
        };
        match decide(&request, &policies) {
            Decision::Allow(_) => "allowed",
            Decision::Forbid(_) => "explicitDeny",
            Decision::Withhold(_) => "implicitDeny",
        }
    }
}

#[test]
fn the_engine_is_the_only_judge() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let desk = runtime.block_on(Desk::open());
    let mut runner =
        TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(400) });
    let law = |case: Case| {
        // A trust policy reads otherwise; see the table of kinds.
        prop_assume!(!(case.action.starts_with("sts:") && case.resource.is_some()));
        let answered = runtime.block_on(desk.done("SimulateCustomPolicy", &case.form()));
        prop_assert_eq!(answered.get("EvalDecision"), Some(case.decided()));
        Ok(())
    };
    runner.run(&case(), law).expect("the law holds");
}
