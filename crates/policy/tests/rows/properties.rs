//! What holds whatever the policies.

use crate::support::*;
use proptest::prelude::*;
use strongroom_policy::Document;
use strongroom_policy::engine::{Door, Grammar, Policy, StatementFinding};

const ACTIONS: &[&str] =
    &["*", "secretsmanager:*", "secretsmanager:GetSecretValue", "kms:*", "s3:Get*"];
const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:secretsmanager:*",
    "arn:aws:secretsmanager:*:*:secret:app/*",
    "arn:aws:secretsmanager:*:*:secret:${aws:username}/*",
    "arn:aws:secretsmanager:*:*:secret:${aws:PrincipalTag/t, 'app'}/*",
];
const PRINCIPALS: &[&str] = &[
    r#""*""#,
    r#"{"AWS":"111122223333"}"#,
    r#"{"AWS":"444455556666"}"#,
    r#"{"AWS":"arn:aws:iam::111122223333:user/alice"}"#,
    r#"{"AWS":["arn:aws:iam::111122223333:role/team/app","arn:aws:iam::111122223333:user/bob"]}"#,
    r#"{"AWS":"arn:aws:sts::111122223333:assumed-role/app/s1"}"#,
    r#"{"Service":"backup.amazonaws.com"}"#,
];
const CONDITIONS: &[&str] = &[
    "{}",
    r#"{"StringEquals":{"aws:PrincipalTag/t":"red"}}"#,
    r#"{"StringNotEquals":{"aws:PrincipalTag/t":["red","*"]}}"#,
    r#"{"StringLikeIfExists":{"aws:PrincipalTag/t":"${aws:username}*"}}"#,
    r#"{"ForAllValues:StringLike":{"aws:TagKeys":"a*"}}"#,
    r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":["a","b"]}}"#,
    r#"{"NumericLessThan":{"aws:n":5},"Null":{"aws:TagKeys":false}}"#,
    r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:*"}}"#,
];

fn pick(from: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(from)
}

/// A statement for a holder; `with` says of which effect.
fn held(with: &'static str) -> impl Strategy<Value = String> {
    (pick(ACTIONS), pick(RESOURCES), pick(CONDITIONS)).prop_map(move |(action, on, when)| {
        format!(r#"{{"Effect":"{with}","Action":"{action}","Resource":"{on}","Condition":{when}}}"#)
    })
}

/// A statement of a resource policy.
fn owned(with: &'static str) -> impl Strategy<Value = String> {
    let parts = (pick(PRINCIPALS), pick(ACTIONS), pick(RESOURCES), pick(CONDITIONS));
    parts.prop_map(move |(whom, action, on, when)| {
        format!(
            r#"{{"Effect":"{with}","Principal":{whom},"Action":"{action}","Resource":"{on}","Condition":{when}}}"#
        )
    })
}

fn caller() -> impl Strategy<Value = Whom> {
    prop::sample::select(vec![
        ALICE,
        BOB,
        CAROL,
        S1,
        Whom::Session(A, "s2"),
        Whom::Root(A),
        Whom::Federated,
        Whom::Service("backup.amazonaws.com"),
    ])
}

fn door() -> impl Strategy<Value = Door> {
    prop::sample::select(vec![
        Door::Resource,
        Door::Key { grant: false },
        Door::Key { grant: true },
    ])
}

/// A request with a few policies.
fn question() -> impl Strategy<Value = Ask> {
    let allow = |of: &'static str| prop::collection::vec(held(of), 0..3);
    let tags =
        (prop::option::of(pick(&["red", "*", "alice"])), prop::option::of(pick(&["a", "b", "c"])));
    let own = (
        allow("Allow"),
        allow("Deny"),
        prop::option::of(held("Allow")),
        prop::option::of(held("Allow")),
    );
    let its = prop::option::of(owned("Allow"));
    (caller(), door(), own, its, tags).prop_map(|(caller, door, own, its, (tag, key))| {
        let (allows, denies, boundary, session) = own;
        let mut ask = gsv(caller).door(door);
        ask = allows.iter().chain(&denies).fold(ask, |ask, it| ask.identity(it));
        ask = boundary.iter().fold(ask, |ask, it| ask.boundary(it));
        ask = session.iter().fold(ask, |ask, it| ask.session(it));
        ask = its.iter().fold(ask, |ask, it| ask.resource(it));
        ask = tag.iter().fold(ask, |ask, it| ask.with("aws:PrincipalTag/t", it));
        key.iter().fold(ask, |ask, it| ask.with_many("aws:TagKeys", &[it]).with("aws:n", "3"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn one_more_deny_never_lets_in(ask in question(), own in held("Deny"), its in owned("Deny")) {
        let before = ask.refusal();
        let changed = [
            ask.clone().identity(&own),
            ask.clone().session_beside(&own),
            ask.clone().resource(&its),
        ];
        for after in changed {
            prop_assert!(before.is_none() || after.refusal().is_some());
        }
    }

    #[test]
    fn one_more_allow_never_shuts_out(ask in question(), own in held("Allow"), its in owned("Allow")) {
        let before = ask.refusal();
        let changed =
            [ask.clone().identity(&own), ask.clone().session_beside(&own), ask.clone().resource(&its)];
        for after in changed {
            prop_assert!(before.is_some() || after.refusal().is_none());
        }
    }

    #[test]
    fn the_explanation_tells_what_was_decided(ask in question()) {
        let expected = ask.refusal();
        ask.explain(|why| {
            assert_eq!(why.decision == "allowed", expected.is_none());
            for it in &why.statements {
                let parts = it.action && it.resource && it.principal;
                assert_eq!(it.applies, parts && it.conditions.iter().all(|it| it.holds), "{it:?}");
            }
            let denied = why.statements.iter().any(|it| it.applies && it.effect == "Deny");
            // A root user has no policies of its own that could deny, and a service neither.
            let own = !matches!(ask.caller, Whom::Root(_) | Whom::Service(_));
            assert!(!own || denied == (why.decision == "explicitDeny"), "{why:?}");
        });
    }

    #[test]
    fn who_is_let_in_could_have_been(ask in question()) {
        let allowed = ask.refusal().is_none();
        ask.explain_open(|why| {
            assert!(!allowed || why.decision == "allowed", "{why:?}");
            let open = |it: &StatementFinding<'_>| it.conditions.iter().any(|it| it.open);
            assert!(why.statements.iter().all(|it| !(it.applies && it.effect == "Deny" && open(it))));
        });
    }

    #[test]
    fn a_value_is_never_a_pattern(value in "[a*?${}:']{0,6}", actual in "[a*?${}:']{0,6}") {
        for (operator, pattern) in [
            ("StringLike", "${aws:PrincipalTag/t}-x"),
            ("StringEquals", "${aws:PrincipalTag/t}-x"),
            ("ArnLike", "arn:aws:s3:::${aws:PrincipalTag/t}-x"),
        ] {
            let statement = format!(
                r#"{{"Effect":"Allow","Action":"*","Resource":"*",
                    "Condition":{{"{operator}":{{"x:key":"{pattern}"}}}}}}"#
            );
            let actual = pattern.replace("${aws:PrincipalTag/t}", &actual);
            let ask = gsv(ALICE).identity(&statement).with("aws:PrincipalTag/t", &value);
            let expected = pattern.replace("${aws:PrincipalTag/t}", &value) == actual;
            prop_assert_eq!(ask.with("x:key", &actual).refusal().is_none(), expected);
        }
    }

    #[test]
    fn no_text_makes_the_compiler_panic(text in any::<String>(), pieces in pieces()) {
        for grammar in GRAMMARS {
            for it in [&text, &pieces] {
                match Policy::compile(it, *grammar) {
                    Ok(policy) => prop_assert!(!policy.statements().is_empty()),
                    Err(malformed) => {
                        prop_assert!(!malformed.to_string().contains(char::is_control));
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_a_resource_policy_can_be_asked(pieces in pieces()) {
        if Document::parse(&pieces).is_ok() {
            prop_assert!(Policy::compile(&pieces, Grammar::Resource).is_ok(), "{pieces}");
            prop_assert!(Policy::compile(&pieces, Grammar::Key).is_ok(), "{pieces}");
        }
    }
}

const GRAMMARS: &[Grammar] = &[
    Grammar::Boundary,
    Grammar::Endpoint,
    Grammar::Identity,
    Grammar::Key,
    Grammar::Resource,
    Grammar::ResourceControl,
    Grammar::ServiceControl,
    Grammar::Session,
    Grammar::Trust,
];

/// A statement of elements that may or may not fit together.
fn pieces() -> impl Strategy<Value = String> {
    let elements = prop::sample::subsequence(
        vec![
            r#""Sid":"Let me in""#,
            r#""Sid":"a""#,
            r#""Effect":"Allow""#,
            r#""Effect":"Deny""#,
            r#""Principal":"*""#,
            r#""NotPrincipal":{"AWS":"111122223333"}"#,
            r#""Principal":{"AWS":["AIDAQ3EGVEXAMPLE0123A","*"],"Service":"s3.amazonaws.com"}"#,
            r#""Action":"*""#,
            r#""Action":["sts:AssumeRole","a:b:c"]"#,
            r#""Action":["sts:AssumeRole","kms:?*"]"#,
            r#""NotAction":"s3:*""#,
            r#""Resource":"arn:aws:secrets?""#,
            r#""Resource":["arn:aws::us-east-1::x","arn:aws:s3:::${aws:username"]"#,
            r#""NotResource":"arn:*""#,
            r#""Condition":{"Null":{"a:b":"maybe"},"NumericEquals":{"a:b":["x",1e3]}}"#,
            r#""Condition":{"ArnLike":{"a:b":["${","*:*:*:*:*:*:*:*"]},"IpAddress":{"a:b":"/"}}"#,
        ],
        2..7,
    );
    elements.prop_map(|it| text(&format!("{{{}}}", it.join(","))))
}
