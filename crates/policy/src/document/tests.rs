//! The grammar, case by case.

use super::*;
use crate::pretty;
use proptest::prelude::*;

const FULL: &str = r#"{
    "Version": "2012-10-17",
    "Id": "secret policy",
    "Statement": [{
        "Sid": "Let the app read",
        "Effect": "Allow",
        "Principal": {
            "AWS": ["arn:aws:iam::111122223333:role/app", "444455556666"],
            "Service": "lambda.amazonaws.com"
        },
        "Action": ["secretsmanager:GetSecretValue", "secretsmanager:Describe*"],
        "Resource": "*",
        "Condition": {
            "StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij", "aws:SourceAccount": 1.50},
            "ForAnyValue:StringLikeIfExists": {"aws:TagKeys": ["a*", true]}
        }
    }, {
        "Effect": "Deny",
        "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:user/alice"},
        "NotAction": "*",
        "NotResource": ["arn:aws:secretsmanager:*"]
    }]
}"#;

/// A whole policy around `statement`'s members.
fn with(statement: &str) -> String {
    format!(r#"{{"Statement":{{{statement}}}}}"#)
}

#[test]
fn takes_everything_apart() {
    let document = Document::parse(FULL).expect("valid");
    assert_eq!((document.version(), document.id()), (Version::V2012, Some("secret policy")));
    let [allow, deny] = document.statements() else { panic!("two statements") };

    assert_eq!(allow.sid.as_deref(), Some("Let the app read"));
    assert_eq!((allow.effect, deny.effect), (Effect::Allow, Effect::Deny));
    assert_eq!(allow.actions.listed().len(), 2);
    assert_eq!(deny.actions, Selection::AllBut(vec![ActionPattern::Any]));
    assert!(matches!(allow.resources, Some(Selection::Of(_))));
    assert!(matches!(deny.resources, Some(Selection::AllBut(_))));

    let names: Vec<_> = document.principals().map(ToString::to_string).collect();
    let expected = [
        "arn:aws:iam::111122223333:role/app",
        "arn:aws:iam::444455556666:root",
        "lambda.amazonaws.com",
        "arn:aws:iam::111122223333:user/alice",
    ];
    assert_eq!(names, expected);

    let conditions: Vec<_> = allow
        .conditions
        .iter()
        .map(|it| (&*it.key, it.values.iter().map(|it| &**it).collect::<Vec<_>>()))
        .collect();
    let expected = [
        ("aws:PrincipalOrgID", vec!["o-abcdefghij"]),
        ("aws:SourceAccount", vec!["1.5"]),
        ("aws:TagKeys", vec!["a*", "true"]),
    ];
    assert_eq!(conditions, expected);
}

#[test]
fn what_may_be_missing_and_what_may_stand_alone() {
    let least = with(r#""Effect":"Allow","Principal":"*","Action":"*""#);
    let document = Document::parse(&least).expect("valid");
    assert_eq!((document.version(), document.id()), (Version::V2008, None));
    assert_eq!(document.statements()[0].resources, None);
    assert_eq!(document.statements()[0].sid, None);
    let list = least.replace(r#"{"Effect"#, r#"[{"Effect"#).replace("}}", "}]}");
    assert_eq!(Document::parse(&list).expect("valid"), document);
    let nameless = r#"{"Sid":"","Effect":"Allow","Principal":"*","Action":"*"}"#;
    assert!(Document::parse(&format!(r#"{{"Statement":[{nameless},{nameless}]}}"#)).is_ok());
    let empty_condition = with(r#""Effect":"Allow","Principal":"*","Action":"*","Condition":{}"#);
    assert_eq!(Document::parse(&empty_condition).expect("valid"), document);
}

#[test]
fn faults_of_the_document() {
    let least = r#"{"Effect":"Allow","Principal":"*","Action":"*"}"#;
    let sids = r#"{"Sid":"a","Effect":"Allow","Principal":"*","Action":"*"}"#;
    for (text, detail) in [
        ("[]".into(), "must be an object"),
        ("{}".into(), "`Statement` is missing"),
        (format!(r#"{{"statement":{least}}}"#), "unknown element, found `statement`"),
        (format!(r#"{{"Statement":{least},"Note":""}}"#), "unknown element, found `Note`"),
        (
            format!(r#"{{"Version":"2012-10-18","Statement":{least}}}"#),
            "Version: must be `2012-10-17` or `2008-10-17`, found `2012-10-18`",
        ),
        (format!(r#"{{"Version":null,"Statement":{least}}}"#), "Version: must be a string"),
        (format!(r#"{{"Id":1,"Statement":{least}}}"#), "Id: must be a string"),
        (r#"{"Statement":[]}"#.into(), "Statement: the list must not be empty"),
        (r#"{"Statement":"x"}"#.into(), "Statement: must be an object"),
        (format!(r#"{{"Statement":[{least},[]]}}"#), "Statement[1]: must be an object"),
        (
            format!(r#"{{"Statement":[{sids},{least},{sids}]}}"#),
            "two statements have the same `Sid`, found `a`",
        ),
        (
            format!(r#"{{"Statement":{least},"Statement":{least}}}"#),
            "line 1, column 74: a member is named twice, found `Statement`",
        ),
    ] {
        let invalid = Document::parse(&text).expect_err(&text);
        assert!(matches!(invalid, Invalid::Syntax(_)), "{text}");
        assert_eq!(invalid.to_string(), "This resource policy contains a syntax error.");
        assert_eq!(invalid.detail(), detail, "{text}");
    }
}

#[test]
fn faults_of_a_statement() {
    let allow = r#""Effect":"Allow","Action":"*","#;
    #[rustfmt::skip]
    let cases = [
        (r#""Principal":"*","Action":"*""#.into(), "Statement: `Effect` is missing"),
        (r#""Effect":"Allow","Principal":"*""#.into(), "Statement: `Action` is missing"),
        (r#""Effect":"Allow","Action":"*""#.into(), "Statement: `Principal` is missing"),
        (r#""Effect":"ALLOW""#.into(), "Statement.Effect: must be `Allow` or `Deny`, found `ALLOW`"),
        (r#""effect":"Allow""#.into(), "Statement: unknown element, found `effect`"),
        (r#""Effect":"Allow","Effect":"Deny""#.into(), "line 1, column 41: a member is named twice, found `Effect`"),
        (format!(r#"{allow}"Principal":"*","NotPrincipal":"*""#), "Statement.NotPrincipal: stands beside its negation"),
        (format!(r#"{allow}"NotAction":"*""#), "Statement.NotAction: stands beside its negation"),
        (format!(r#"{allow}"Resource":"*","NotResource":"*""#), "Statement.NotResource: stands beside its negation"),
        (format!(r#"{allow}"Resource":[]"#), "Statement.Resource: the list must not be empty"),
        (format!(r#"{allow}"Resource":["*",{{}}]"#), "Statement.Resource[1]: must be a string"),
        (format!(r#"{allow}"Sid":7"#), "Statement.Sid: must be a string"),
        (r#""Action":["kms:*","s3"]"#.into(), "Statement.Action[1]: an action must be `*` or a service, a colon and a name, found `s3`"),
        (format!(r#"{allow}"Principal":[]"#), "Statement.Principal: must be an object"),
        (format!(r#"{allow}"Principal":{{}}"#), "Statement.Principal: names nobody"),
        (format!(r#"{allow}"Principal":{{"AWS":[]}}"#), "Statement.Principal: the list must not be empty"),
        (format!(r#"{allow}"Principal":{{"AWS":1}}"#), "Statement.Principal: must be a string"),
        (format!(r#"{allow}"Principal":{{"User":"*"}}"#), "Statement.Principal: unknown kind of principal, found `User`"),
        (format!(r#"{allow}"Principal":"111122223333""#), "Statement.Principal: must be `*` or an object, found `111122223333`"),
        (format!(r#"{allow}"Condition":[]"#), "Statement.Condition: must be an object"),
        (format!(r#"{allow}"Condition":{{"StringIs":{{}}}}"#), "Statement.Condition: unknown condition operator, found `StringIs`"),
        (format!(r#"{allow}"Condition":{{"Bool":"x"}}"#), "Statement.Condition: must be an object"),
        (format!(r#"{allow}"Condition":{{"Bool":{{"key":"x"}}}}"#), "Statement.Condition: a condition key must have a prefix, found `key`"),
        (format!(r#"{allow}"Condition":{{"Bool":{{"a:b":[]}}}}"#), "Statement.Condition: the list must not be empty, found `a:b`"),
        (format!(r#"{allow}"Condition":{{"Bool":{{"a:b":null}}}}"#), "Statement.Condition: a condition value must be a string, a number or a boolean, found `a:b`"),
        (format!(r#"{allow}"Condition":{{"Bool":{{"a:b":[["x"]]}}}}"#), "Statement.Condition[0]: a condition value must be a string, a number or a boolean, found `a:b`"),
    ];
    for (statement, detail) in cases {
        let invalid = Document::parse(&with(&statement)).expect_err(&statement);
        assert!(matches!(invalid, Invalid::Syntax(_)), "{statement}");
        assert_eq!(invalid.detail(), detail, "{statement}");
    }
}

#[test]
fn an_unsupported_principal_is_told_apart() {
    let text =
        with(r#""Effect":"Allow","Action":"*","Principal":{"AWS":["*","arn:aws:iam::1:user/*"]}"#);
    let invalid = Document::parse(&text).expect_err("unsupported");
    assert!(matches!(invalid, Invalid::Principal(_)));
    let message = "This resource policy contains an unsupported principal.";
    assert_eq!(invalid.to_string(), message);
    let detail = "Statement.Principal[1]: not a principal, found `arn:aws:iam::1:user/*`";
    assert_eq!(invalid.detail(), detail);

    let alice = Document::parse(FULL).expect("valid");
    let absent = Invalid::absent(alice.principals().last().expect("some"));
    assert_eq!(absent.to_string(), message);
}

#[test]
fn the_longest_policy_can_be_read_back_as_printed() {
    let members: Vec<_> = (0..3000).map(|it| format!(r#""a:{it:x}":1"#)).collect();
    let condition = format!(r#""Condition":{{"Bool":{{{}}}}}"#, members.join(","));
    let text = with(&format!(r#""Effect":"Deny","Principal":"*","Action":"*",{condition}"#));
    assert!(text.len() > 20_480, "{}", text.len());
    let printed = pretty(&text).expect("valid");
    assert!(printed.len() > 2 * text.len());
    assert_eq!(Document::parse(&printed), Document::parse(&text));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _ = Document::parse(&text);
    }

    /// Pieces of the grammar in any order get further than random characters.
    #[test]
    fn no_heap_of_pieces_makes_it_panic(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40),
    ) {
        let _ = Document::parse(&pieces.concat());
    }

    #[test]
    fn a_changed_policy_is_refused_or_read_back_alike(
        start in 0..FULL.len(),
        length in 0..12_usize,
        instead in prop_oneof![
            any::<String>(),
            prop::sample::select(PIECES).prop_map(String::from),
        ],
    ) {
        let mut text = FULL.to_owned();
        text.replace_range(start..(start + length).min(FULL.len()), &instead);
        match Document::parse(&text) {
            Ok(document) => {
                let _ = document.is_public();
                let printed = pretty(&text).expect("valid");
                prop_assert_eq!(Document::parse(&printed).expect("valid"), document);
            }
            Err(invalid) => {
                let _ = invalid.detail();
            }
        }
    }
}

const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\ud800",
    "null",
    "true",
    "0",
    "-1e400",
    "\"*\"",
    "\"Statement\":",
    "\"Effect\":\"Allow\"",
    "\"Principal\":",
    "\"AWS\":",
    "\"Action\":",
    "\"Condition\":",
    "\"StringEquals\":",
    "\"aws:SourceIp\":",
    "\"0.0.0.0/0\"",
    "é",
    "\n",
];
