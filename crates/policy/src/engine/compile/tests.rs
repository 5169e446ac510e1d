//! What each kind of policy is refused for, and in which words.

use super::*;
use Grammar::{
    Boundary, Endpoint, Identity, Key, Resource, ResourceControl, ServiceControl, Session, Trust,
};

const SYNTAX: &str = "Syntax errors in policy.";
const VENDOR: &str = "Resource vendor must be fully qualified and cannot contain regexes.";

fn with(statement: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{{statement}}}]}}"#)
}

/// The refusal's message, or nothing.
fn refusal(text: &str, grammar: Grammar) -> String {
    Policy::compile(text, grammar).err().map(|it| it.to_string()).unwrap_or_default()
}

fn check(cases: &[(Grammar, &str, &str)]) {
    for (grammar, statement, expected) in cases {
        assert_eq!(refusal(&with(statement), *grammar), *expected, "{grammar:?}: {statement}");
    }
}

#[test]
fn documents() {
    let least = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let sid = r#"{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"}"#;
    for (text, expected) in [
        (String::new(), "This policy contains invalid Json"),
        ("{".into(), "This policy contains invalid Json"),
        ("[]".into(), SYNTAX),
        ("{}".into(), SYNTAX),
        (format!(r#"{{"Statement":{least}}}"#), ""),
        (format!(r#"{{"Statement":[{least},{least}]}}"#), ""),
        (
            format!(r#"{{"Statement":[{sid},{sid}]}}"#),
            "Statement IDs (SID) in a single policy must be unique.",
        ),
        (r#"{"Statement":[]}"#.into(), SYNTAX),
        (format!(r#"{{"Statement":{least},"Statement":{least}}}"#), SYNTAX),
        (format!(r#"{{"Id":"x","Statement":{least}}}"#), SYNTAX),
        (format!(r#"{{"Version":"2020-01-01","Statement":{least}}}"#), SYNTAX),
        (format!(r#"{{"Statement":{least},"note":1}}"#), SYNTAX),
        (format!(r#"{{"Statement":{}}}"#, least.replace("Allow", "allow")), SYNTAX),
        (
            format!(r#"{{"Statement":{}}}"#, least.replace(r#""*"}"#, r#""arn:aws:s3:::Ā"}"#)),
            SYNTAX,
        ),
    ] {
        assert_eq!(refusal(&text, Identity), expected, "{text}");
    }
}

#[test]
fn an_old_edition_is_refused_where_it_is_asked_for() {
    let statement = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    for (head, old) in
        [("", true), (r#""Version":"2008-10-17","#, true), (r#""Version":"2012-10-17","#, false)]
    {
        let text = format!(r#"{{{head}"Statement":{statement}}}"#);
        let found = Policy::compile(&text, Identity).expect("valid").require_current_version();
        assert_eq!(found.is_err(), old, "{text}");
        if let Err(malformed) = found {
            let expected = "Policy document must be version 2012-10-17 or greater.";
            assert_eq!(malformed.to_string(), expected);
        }
    }
}

#[test]
#[rustfmt::skip]
fn actions_and_conditions() {
    let prefix = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
    let none = "Policy statement must contain actions.";
    let trust = "AssumeRole policy may only specify STS AssumeRole actions.";
    check(&[
        (Identity, r#""Effect":"Allow","Resource":"*""#, none),
        (Identity, r#""Effect":"Allow","Action":[],"Resource":"*""#, none),
        (Identity, r#""Effect":"Allow","Action":"GetSecretValue","Resource":"*""#, prefix),
        (Identity, r#""Effect":"Allow","Action":"secrets*:Get","Resource":"*""#, "Vendor secrets* is not valid"),
        (Identity, r#""Effect":"Allow","Action":"a b:Get","Resource":"*""#, "Vendor a b is not valid"),
        (Identity, r#""Effect":"Allow","Action":"kms:a:b","Resource":"*""#, "Actions/Condition can contain only one colon."),
        (Identity, r#""Effect":"Allow","Action":"kms:","Resource":"*""#, SYNTAX),
        (Identity, r#""Effect":"Allow","Action":1,"Resource":"*""#, SYNTAX),
        (Identity, r#""Effect":"Allow","Action":"*","NotAction":"*","Resource":"*""#, SYNTAX),
        (Identity, r#""Effect":"Allow","NotAction":"iam:*","Resource":"*""#, ""),
        (Identity, r#""Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"MultiFactor":true}}"#, prefix),
        (Identity, r#""Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEqual":{"a:b":"c"}}"#, SYNTAX),
        (Identity, r#""Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"a:b":[]}}"#, SYNTAX),
        (Identity, r#""Effect":"Allow","Action":"*","Resource":"*","Condition":{}"#, ""),
        (Trust, r#""Effect":"Allow","Principal":"*","Action":"*""#, trust),
        (Trust, r#""Effect":"Allow","Principal":"*","Action":["sts:TagSession","iam:PassRole"]"#, trust),
        (Trust, r#""Effect":"Allow","Principal":"*","NotAction":"sts:TagSession""#, trust),
        (Trust, r#""Effect":"Allow","Principal":"*","Action":["sts:TagSession","STS:Assume*"]"#, ""),
    ]);
}

#[test]
#[rustfmt::skip]
fn resources() {
    let form = |text: &str| format!("Resource {text} must be in ARN format or \"*\".");
    let none = "Policy statement must contain resources.";
    for (grammar, resource, expected) in [
        (Identity, "*", String::new()),
        (Identity, "arn:aws:s3", String::new()),
        (Identity, "arn:aws:s3:::bucket/${aws:username}", String::new()),
        (Session, "arn:*:s3:::bucket", String::new()),
        (Boundary, "arn:aws:*", String::new()),
        (Identity, "secret", form("secret")),
        (Identity, "**", form("**")),
        (Identity, "arn:aws:*:us-east-1:111122223333:x", VENDOR.into()),
        (Identity, "arn:aws::us-east-1:111122223333:x", VENDOR.into()),
        (Identity, "arn:aws", VENDOR.into()),
        (Identity, "arn:aws:iam:us-east-1:111122223333:role/x", "IAM resource arn:aws:iam:us-east-1:111122223333:role/x cannot contain region information.".into()),
        (Identity, "arn:aws:iam::111122223333:role/x", String::new()),
        (Identity, "arn:gcp:s3:::x", "Partition \"gcp\" is not valid for resource \"arn:gcp:s3:::x\".".into()),
        (Identity, "arn:gcp:s3", "Partition \"gcp\" is not valid for resource \"arn:gcp:s3:*:*:*\".".into()),
        (ServiceControl, "arn:aws:s3:*", String::new()),
        (ServiceControl, "arn:aws:s3", form("arn:aws:s3")),
        (ServiceControl, "arn:aws:s3:*:x", form("arn:aws:s3:*:x")),
    ] {
        let statement = format!(r#""Effect":"Allow","Action":"*","Resource":"{resource}""#);
        assert_eq!(refusal(&with(&statement), grammar), expected, "{grammar:?}: {resource}");
    }
    check(&[
        (Identity, r#""Effect":"Allow","Action":"*""#, none),
        (Identity, r#""Effect":"Allow","Action":"*","Resource":[]"#, none),
        (Endpoint, r#""Effect":"Allow","Principal":"*","Action":"*""#, none),
        (Resource, r#""Effect":"Allow","Principal":"*","Action":"*""#, ""),
        (Key, r#""Effect":"Allow","Principal":"*","Action":"*""#, ""),
        (Resource, r#""Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:gcp:x:*""#, ""),
        (Trust, r#""Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","NotResource":"*""#, "Has prohibited field NotResource."),
        (ResourceControl, r#""Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:*""#, "Resource arn:aws:s3:* must be in ARN format or \"*\"."),
    ]);
}

#[test]
#[rustfmt::skip]
fn principals_and_names() {
    let whose = "Policy document should not specify a principal.";
    let dash = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*";
    check(&[
        (Identity, r#""Effect":"Allow","Principal":"*","Action":"*","Resource":"*""#, whose),
        (Boundary, r#""Effect":"Deny","NotPrincipal":"*","Action":"*","Resource":"*""#, whose),
        (ServiceControl, r#""Effect":"Deny","Principal":"*","Action":"*","Resource":"*""#, whose),
        (Trust, r#""Effect":"Allow","Action":"sts:AssumeRole""#, "Missing required field Principal"),
        (Trust, r#""Effect":"Allow","NotPrincipal":"*","Action":"sts:AssumeRole""#, "Has prohibited field NotPrincipal."),
        (Trust, r#""Effect":"Allow","Principal":"alice","Action":"sts:AssumeRole""#, "Invalid principal in policy: \"AWS\":\"alice\""),
        (Trust, r#""Effect":"Allow","Principal":{"Service":"lambda"},"Action":"sts:AssumeRole""#, "Invalid principal in policy: \"Service\":\"lambda\""),
        (Trust, r#""Effect":"Allow","Principal":{"aws":"*"},"Action":"sts:AssumeRole""#, SYNTAX),
        (Trust, r#""Effect":"Allow","Principal":{},"Action":"sts:AssumeRole""#, SYNTAX),
        (Trust, r#""Effect":"Allow","Principal":{"AWS":[]},"Action":"sts:AssumeRole""#, SYNTAX),
        (Trust, r#""Effect":"Allow","Principal":{"Federated":"id.example.org"},"Action":"sts:AssumeRoleWithWebIdentity""#, ""),
        (ResourceControl, r#""Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*""#, SYNTAX),
        (ResourceControl, r#""Effect":"Deny","Principal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"*""#, SYNTAX),
        (ResourceControl, r#""Effect":"Deny","Principal":"*","NotAction":"s3:*","Resource":"*""#, SYNTAX),
        (ResourceControl, r#""Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*""#, ""),
        (Endpoint, r#""Effect":"Allow","Action":"*","Resource":"*""#, ""),
        (Identity, r#""Sid":"a-b","Effect":"Allow","Action":"*","Resource":"*""#, dash),
        (Identity, r#""Sid":"","Effect":"Allow","Action":"*","Resource":"*""#, ""),
        (Key, r#""Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":"*","Action":"*""#, ""),
    ]);
}

#[test]
fn what_is_shown_of_a_text_is_short_and_plain() {
    let long = with(&format!(r#""Effect":"Allow","Action":"*","Resource":"{}""#, "x".repeat(5000)));
    assert_eq!(refusal(&long, Identity).matches('x').count(), 128);
    let control = r#""Effect":"Allow","Principal":{"AWS":"a\u001b[31m"},"Action":"*""#;
    let malformed = Policy::compile(&with(control), Resource).expect_err("no principal");
    assert_eq!(malformed.to_string(), "Invalid principal in policy: \"AWS\":\"a\\u{1b}[31m\"");
    assert!(!malformed.detail().contains(char::is_control));
}

#[test]
fn size_position_and_keys() {
    let text = "{ \"Version\": \"2012-10-17\",\n \"Statement\": [\n  {\"Sid\":\"a\",\"Effect\":\"Allow\",\
                \"Action\":\"*\",\"Resource\":\"arn:aws:s3:::${aws:userName}/x\",\n   \"Condition\":\
                {\"StringEquals\":{\"aws:SourceVpc\":\"${aws:PrincipalTag/Vpc, 'a'}\",\
                \"AWS:sourcevpc\":\"b\"}}}\n] }";
    let policy = Policy::compile(text, Identity).expect("valid");
    assert_eq!(policy.size(), text.split_whitespace().map(str::len).sum::<usize>());
    assert_eq!((policy.grammar(), policy.version()), (Identity, Version::V2012));
    let [statement] = policy.statements() else { panic!("one") };
    let Span { start, end, bytes } = statement.span();
    assert_eq!((start, end.line), (Position { line: 3, column: 3 }, 4));
    assert!(text[bytes.0..bytes.1].starts_with(r#"{"Sid":"a""#));
    assert!(text[bytes.0..bytes.1].ends_with("}}}"));
    let keys: Vec<_> = policy.context_keys().into_iter().collect();
    assert_eq!(keys, ["aws:SourceVpc", "aws:principaltag/vpc", "aws:username"]);
}

#[test]
fn a_policy_goes_between_threads() {
    fn shared<T: Send + Sync + std::fmt::Debug>() {}
    shared::<Policy>();
}
