//! What decisions and explanations name.

use crate::support::*;
use strongroom_policy::engine::{Decision, Mark, StatementFinding};
use strongroom_policy::{PolicyKind, Reason};

const TWO: &str = r#"{"Sid":"Lists","Effect":"Allow","Action":"s3:*","Resource":"*"},
    {"Sid":"Reads","Effect":"Allow","Action":"secretsmanager:Get*","Resource":"*"}"#;
const DENY: &str = r#"{"Sid":"Abroad","Effect":"Deny","Action":"*",
    "Resource":"arn:aws:secretsmanager:*:*:secret:${aws:PrincipalTag/team}/${aws:x, 'a'}*",
    "Condition":{"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":["a","b*"]},"Null":{"aws:x":true}}}"#;

#[test]
fn the_statement_that_decided() {
    let ask = gsv(ALICE).identity(TWO);
    let kind = PolicyKind::Identity;
    ask.decision(|it| {
        let mark = Mark { kind, policy: "identity", statement: 1, sid: Some("Reads") };
        assert_eq!(it, Decision::Allow(Some(mark)));
        assert!(it.is_allow());
    });
    let denied =
        ask.identity(&DENY.replace("/${aws:x, 'a'}", "/")).with("aws:PrincipalTag/team", "app");
    denied.decision(|it| {
        let mark = Mark { kind, policy: "identity", statement: 0, sid: Some("Abroad") };
        assert_eq!(it, Decision::Forbid(mark));
        assert_eq!(it.reason(), Some(Reason::Explicit(kind)));
    });
    gsv(ALICE).decision(|it| assert_eq!(it, Decision::Withhold(kind)));
    gsv(Whom::Root(A)).decision(|it| assert_eq!(it, Decision::Allow(None)));
}

#[test]
fn each_part_by_itself() {
    let ask = gsv(ALICE).identity(TWO).identity(DENY).with_many("aws:TagKeys", &["c"]);
    ask.explain(|why| {
        assert_eq!((why.decision, why.denied_by), ("allowed", None));
        assert_eq!(why.deciding.and_then(|it| it.sid), Some("Reads"));
        let [lists, reads, abroad] = why.statements.as_slice() else { panic!("three") };
        assert_eq!((lists.applies, lists.action, lists.resource), (false, false, true));
        assert!(reads.applies && reads.action && reads.resource && reads.principal);
        assert_eq!((abroad.applies, abroad.action, abroad.resource), (false, true, false));
        let [tags, absent] = abroad.conditions.as_slice() else { panic!("two") };
        assert_eq!(tags.operator, "ForAnyValue:StringLikeIfExists");
        assert_eq!((&*tags.key, tags.holds), ("aws:TagKeys", false));
        assert_eq!(tags.expected, ["a", "b*"]);
        assert_eq!(tags.actual.as_deref(), Some(["c".to_owned()].as_slice()));
        assert_eq!((&*absent.operator, absent.holds, &absent.actual), ("Null", true, &None));
        assert_eq!(why.missing_keys, ["aws:principaltag/team"]);
    });
}

#[test]
fn as_it_is_written_out() {
    let statement =
        "\n  {\"Sid\":\"Reads\",\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"}";
    gsv(ALICE).identity(statement).explain(|why| {
        let written = serde_json::to_value(why).expect("plain data");
        let expected = serde_json::json!({
            "decision": "implicitDeny",
            "deniedBy": "identity",
            "deciding": null,
            "statements": [{
                "kind": "identity",
                "policy": "identity",
                "statement": 0,
                "sid": "Reads",
                "effect": "Allow",
                "span": {
                    "start": {"line": 2, "column": 3},
                    "end": {"line": 2, "column": 66},
                    "bytes": [40, 103],
                },
                "applies": false,
                "action": false,
                "resource": true,
                "principal": true,
                "conditions": [],
            }],
            "missingKeys": [],
        });
        assert_eq!(written, expected);
    });
}

#[test]
fn what_only_a_request_would_tell_stays_open() {
    let when = |effect: &str, condition: &str| {
        format!(
            r#"{{"Effect":"{effect}","Action":"*","Resource":"*","Condition":{{{condition}}}}}"#
        )
    };
    let office = r#""IpAddress":{"aws:SourceIp":"10.0.0.0/8"}"#;
    let alice = r#""StringEquals":{"aws:username":"alice"}"#;
    let bob = r#""StringEquals":{"aws:username":"bob"}"#;
    let team = r#""StringEquals":{"aws:username":"${aws:PrincipalTag/team}"}"#;
    let home = r#"{"Effect":"Allow","Action":"*",
        "Resource":"arn:aws:secretsmanager:*:*:secret:${aws:PrincipalTag/team}*"}"#;
    let elsewhere = home.replace("secretsmanager", "s3");
    let shut = home.replace("Allow", "Deny");
    let all = when("Allow", "");
    #[rustfmt::skip]
    let cases = [
        // policies                                        could, and what is open of them
        (vec![when("Allow", office)],                      true,  vec![1]),
        (vec![when("Allow", &[office, alice].join(","))],  true,  vec![1]),
        (vec![when("Allow", &[office, bob].join(","))],    false, vec![1]),
        (vec![when("Allow", team)],                        true,  vec![1]),
        (vec![all.clone(), when("Deny", office)],          true,  vec![0, 1]),
        (vec![all.clone(), when("Deny", alice)],           false, vec![0, 0]),
        (vec![all.clone(), shut],                          true,  vec![0, 1]),
        (vec![home.to_owned()],                            true,  vec![1]),
        (vec![elsewhere],                                  false, vec![1]),
        (vec![when("Allow", r#""Null":{"aws:SourceIp":"true"}"#)], true, vec![1]),
    ];
    for (policies, could, open) in cases {
        let ask = policies.iter().fold(gsv(ALICE), |ask, it| ask.identity(it));
        ask.explain_open(|why| {
            assert_eq!(why.decision == "allowed", could, "{policies:?}");
            let of = |it: &StatementFinding<'_>| {
                it.conditions.iter().filter(|it| it.open).count() + usize::from(it.open_resource)
            };
            assert_eq!(why.statements.iter().map(of).collect::<Vec<_>>(), open, "{policies:?}");
        });
        ask.explain(|why| assert!(why.statements.iter().all(|it| !it.open_resource)));
    }
}
