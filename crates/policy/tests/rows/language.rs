//! Table: how the language is read, case by case as specified. The numbers are the
//! specification's.

use crate::support::*;
use strongroom_policy::engine::{Grammar, Policy};

const GSV: &str = r#""Effect":"Allow","Action":"secretsmanager:GetSecretValue""#;

/// alice reads the secret under a policy that is hers.
fn under(statement: &str) -> Ask {
    gsv(ALICE).identity(&format!("{{{statement}}}"))
}

/// The same with a resource.
fn over(resource: &str) -> Ask {
    under(&format!(r#"{GSV},"Resource":"{resource}""#))
}

/// The same under one condition.
fn when(condition: &str) -> Ask {
    under(&format!(r#"{GSV},"Resource":"*","Condition":{condition}"#))
}

/// Everything is allowed, and `statement` denies.
fn unless(statement: &str) -> Ask {
    under(r#""Effect":"Allow","Action":"*","Resource":"*""#)
        .identity(&format!(r#"{{"Effect":"Deny","Resource":"*",{statement}}}"#))
}

fn check(cases: impl IntoIterator<Item = (&'static str, Ask, bool)>) {
    for (row, ask, expected) in cases {
        assert_eq!(ask.refusal().is_none(), expected, "row {row}");
    }
}

#[test]
fn actions() {
    let of =
        |action: &str| under(&format!(r#""Effect":"Allow","Action":"{action}","Resource":"*""#));
    let but =
        |action: &str| under(&format!(r#""Effect":"Allow","NotAction":"{action}","Resource":"*""#));
    check([
        ("35", of("SecretsManager:getsecretvalue"), true),
        ("35 run", of("secretsmanager:Get*"), true),
        ("35 one", of("secretsmanager:?etSecretValue"), true),
        ("35 other", of("secretsmanager:GetSecret"), false),
        ("35 service", of("kms:*"), false),
        ("41", but("kms:*"), true),
        ("41 listed", but("secretsmanager:Get*"), false),
        ("41 all", but("*"), false),
    ]);
}

#[test]
fn resources() {
    let secret =
        |name: &str| over(&format!("arn:aws:secretsmanager:us-east-1:111122223333:secret:{name}"));
    let but = |arn: &str| under(&format!(r#"{GSV},"NotResource":"{arn}""#));
    let extra = "arn:aws:secretsmanager:us-east-1:111122223333:secret:app/db-extra-a1b2c3";
    let list = |ask: Ask| ask.action("secretsmanager:ListSecrets").on_nothing();
    let any = |resource: &str| {
        under(&format!(r#""Effect":"Allow","Action":"*","Resource":"{resource}""#))
    };
    check([
        ("36", secret("APP/*"), false),
        ("36 same case", secret("app/*"), true),
        ("37", secret("app/db"), false),
        ("38", secret("app/db-??????").on(extra), false),
        ("38 exact", secret("app/db-??????"), true),
        ("38 run", secret("app/db-*").on(extra), true),
        ("39", over("arn:aws:secretsmanager:*"), true),
        ("39 service", over("arn:aws:kms:*"), false),
        ("39 short", over("arn:aws:secretsmanager:us-east-1"), true),
        ("39 region", over("arn:aws:secretsmanager:eu-west-1:*"), false),
        ("segments", over("arn:aws:secretsmanager:*:secret:app/db-a1b2c3"), false),
        ("40", list(any(SECRET)), false),
        ("40 all ARNs", list(any("arn:*")), false),
        ("40 any", list(any("*")), true),
        ("NotResource", but("arn:aws:secretsmanager:*:*:secret:other-*"), true),
        ("NotResource listed", but("arn:aws:secretsmanager:*:*:secret:app/*"), false),
        (
            "raw name",
            gsv(ALICE).identity(&format!(r#"{{{GSV},"Resource":"*"}}"#)).on("settings"),
            true,
        ),
        ("raw name, ARN", over("arn:aws:secretsmanager:*").on("settings"), false),
    ]);
}

#[test]
fn variables() {
    let of = |name: &str| over(&format!("arn:aws:secretsmanager:*:*:secret:{name}"));
    let but = |name: &str| {
        under(&format!(r#"{GSV},"NotResource":"arn:aws:secretsmanager:*:*:secret:{name}""#))
    };
    let old = format!(
        r#"{{"Statement":[{{{GSV},"Resource":"arn:aws:secretsmanager:*:*:secret:${{aws:username}}/*"}}]}}"#
    );
    let old = Policy::compile(&old, Grammar::Identity).expect("valid");
    assert!(old.require_current_version().is_err());
    let hers = "arn:aws:secretsmanager:us-east-1:111122223333:secret:alice/x-a1b2c3";
    let star = "arn:aws:secretsmanager:us-east-1:111122223333:secret:*/x-a1b2c3";
    let team = "aws:PrincipalTag/team";
    check([
        ("42", gsv(ALICE).on(hers).identity_of(old), false),
        ("42 new", of("${aws:username}/*").on(hers), true),
        ("42 blanks", of("${ aws:UserName }/*").on(hers), true),
        ("43", of("${aws:PrincipalTag/team, 'app'}/*"), true),
        ("43 with tag", of("${aws:PrincipalTag/team, 'app'}/*").with(team, "ops"), false),
        ("44", of("${aws:PrincipalTag/team}*"), false),
        ("44 NotResource", but("${aws:PrincipalTag/team}-x"), false),
        ("45", of("${aws:PrincipalTag/team}/x-*").with(team, "*").on(hers), false),
        ("45 literal", of("${aws:PrincipalTag/team}/x-*").with(team, "*").on(star), true),
        ("45 escape", of("${*}/x-*").on(hers), false),
        ("45 escape literal", of("${*}/x-*").on(star), true),
        ("many values", of("${aws:TagKeys}/*").with_many("aws:TagKeys", &["app"]), false),
    ]);
}

#[test]
fn tags() {
    let equal = || when(r#"{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}"#);
    let differ = || {
        unless(
            r#""Action":"*","Condition":{"StringNotEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}"#,
        )
    };
    let (own, its) = ("aws:PrincipalTag/Team", "aws:resourcetag/team");
    check([
        ("46", equal().with(own, "red").with(its, "red"), true),
        ("46 different", equal().with(own, "red").with(its, "blue"), false),
        ("46 no own", equal().with(its, "red"), false),
        ("46 no other", equal().with(own, "red"), false),
        ("46 none", equal(), false),
        ("47", differ().with(its, "red"), false),
        ("47 equal", differ().with(own, "red").with(its, "red"), true),
        ("47 none", differ(), false),
    ]);
}

#[test]
fn absence_and_sets() {
    let keys = |operator: &str| when(&format!(r#"{{"{operator}":{{"aws:TagKeys":["a","b"]}}}}"#));
    let mfa = |operator: &str| {
        unless(&format!(
            r#""Action":"*","Condition":{{"{operator}":{{"aws:MultiFactorAuthPresent":"false"}}}}"#
        ))
    };
    let tags = |ask: Ask, keys: &[&str]| ask.with_many("aws:TagKeys", keys);
    check([
        ("48", when(r#"{"StringNotEquals":{"aws:x":"y"}}"#), true),
        ("48 positive", when(r#"{"StringEquals":{"aws:x":"y"}}"#), false),
        ("49", when(r#"{"StringEqualsIfExists":{"aws:x":"y"}}"#), true),
        ("49 present", when(r#"{"StringEqualsIfExists":{"aws:x":"y"}}"#).with("aws:X", "z"), false),
        ("50", keys("ForAllValues:StringEquals"), true),
        ("50 empty", tags(keys("ForAllValues:StringEquals"), &[]), true),
        ("50 all", tags(keys("ForAllValues:StringEquals"), &["a", "b"]), true),
        ("50 other", tags(keys("ForAllValues:StringEquals"), &["a", "c"]), false),
        ("51", keys("ForAnyValue:StringEquals"), false),
        ("51 one", tags(keys("ForAnyValue:StringEquals"), &["c", "a"]), true),
        ("51 none", tags(keys("ForAnyValue:StringEquals"), &["c"]), false),
        ("51 single", keys("ForAnyValue:StringEquals").with("aws:TagKeys", "a"), true),
        ("51 if exists", keys("ForAnyValue:StringEqualsIfExists"), true),
        ("51 negated", tags(keys("ForAnyValue:StringNotEquals"), &["a", "c"]), true),
        ("50 negated", tags(keys("ForAllValues:StringNotEquals"), &["a", "c"]), false),
        ("52", tags(keys("StringEquals"), &["a"]), false),
        ("52 negated", tags(keys("StringNotEquals"), &["c"]), false),
        ("53", when(r#"{"Null":{"aws:TokenIssueTime":"true"}}"#), true),
        (
            "53 present",
            when(r#"{"Null":{"aws:TokenIssueTime":true}}"#).with("aws:TokenIssueTime", "x"),
            false,
        ),
        ("53 false", when(r#"{"Null":{"aws:TokenIssueTime":"false"}}"#), false),
        ("53 empty set", tags(when(r#"{"Null":{"aws:TagKeys":"true"}}"#), &[]), true),
        ("54", mfa("Bool"), true),
        ("54 without", mfa("Bool").with("aws:MultiFactorAuthPresent", "false"), false),
        ("55", mfa("BoolIfExists"), false),
        ("55 with", mfa("BoolIfExists").with("aws:MultiFactorAuthPresent", "true"), true),
    ]);
}

#[test]
fn operators() {
    let net =
        |operator: &str| when(&format!(r#"{{"{operator}":{{"aws:SourceIp":"203.0.113.0/24"}}}}"#));
    let topic = |operator: &str| {
        when(&format!(r#"{{"{operator}":{{"aws:SourceArn":"arn:aws:sns:*:111122223333:t/*"}}}}"#))
            .with("aws:SourceArn", "arn:aws:sns:us:east:111122223333:t/a")
    };
    let issued = unless(
        r#""Action":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-01-31T10:00:00Z"}}"#,
    );
    let stage = when(r#"{"StringLike":{"secretsmanager:VersionStage":"AWSCURRENT"}}"#);
    let delete = |condition: &str| {
        unless(&format!(r#""Action":"secretsmanager:DeleteSecret","Condition":{condition}"#))
            .action("secretsmanager:DeleteSecret")
    };
    let force = || delete(r#"{"Bool":{"secretsmanager:ForceDeleteWithoutRecovery":"true"}}"#);
    let window = || delete(r#"{"NumericLessThan":{"secretsmanager:RecoveryWindowInDays":"14"}}"#);
    let two = when(r#"{"StringNotEquals":{"aws:x":["a","b"]}}"#);
    check([
        ("56", net("IpAddress").with("aws:SourceIp", "203.0.113.9"), true),
        ("56 outside", net("IpAddress").with("aws:SourceIp", "203.0.114.9"), false),
        ("57", net("NotIpAddress").with("aws:SourceIp", "2001:db8::1"), true),
        ("57 positive", net("IpAddress").with("aws:SourceIp", "2001:db8::1"), false),
        ("58", topic("ArnLike"), false),
        ("58 equals", topic("ArnEquals"), false),
        ("58 text", topic("StringLike"), true),
        ("59", issued.clone().with("aws:TokenIssueTime", "2026-01-31T09:59:59Z"), false),
        ("59 epoch", issued.clone().with("aws:TokenIssueTime", "1769853599"), false),
        ("59 newer", issued.clone().with("aws:TokenIssueTime", "2026-01-31T10:00:00Z"), true),
        ("59 long-term", issued, true),
        ("60", two.clone().with("aws:x", "b"), false),
        ("60 neither", two.with("aws:x", "c"), true),
        ("61", stage.clone(), false),
        ("61 given", stage.with("secretsmanager:VersionStage", "AWSCURRENT"), true),
        ("62", force().with("secretsmanager:ForceDeleteWithoutRecovery", "true"), false),
        ("62 plain", force(), true),
        ("63", window().with("secretsmanager:RecoveryWindowInDays", "7"), false),
        ("63 long", window().with("secretsmanager:RecoveryWindowInDays", "30"), true),
        ("63 absent", window(), true),
    ]);
}

#[test]
fn own_keys_follow_from_the_caller() {
    let is = |key: &str, value: &str| format!(r#"{{"StringEquals":{{"{key}":"{value}"}}}}"#);
    let session = |condition: &str| {
        gsv(S1).identity(&format!(r#"{{{GSV},"Resource":"*","Condition":{condition}}}"#))
    };
    check([
        ("103", session(&is("aws:PrincipalArn", ROLE)), true),
        ("user id", when(&is("aws:userid", &ALICE.id())), true),
        ("session id", session(&is("aws:userid", &format!("{}:s1", S1.id()))), true),
        ("no user name", session(r#"{"Null":{"aws:username":"true"}}"#), true),
        ("account", when(&is("AWS:principalaccount", A)), true),
        ("type", session(&is("aws:PrincipalType", "AssumedRole")), true),
        ("owner", when(&is("aws:ResourceAccount", A)), true),
        ("no service", when(r#"{"Bool":{"aws:PrincipalIsAWSService":"false"}}"#), true),
        ("both", when(r#"{"StringEquals":{"aws:username":"alice","aws:userid":"x"}}"#), false),
    ]);
}

/// Row 69's role is looked up when the document is pinned.
#[test]
fn refused_at_saving() {
    use Grammar::{Identity, ResourceControl, Trust};
    let rcp = r#""Effect":"Deny","Principal":"*","Action":"*","Resource":"*""#;
    let twice = r#""Effect":"Allow","Effect":"Allow","Action":"*","Resource":"*""#;
    let trust = r#""Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*""#;
    let whose = r#""Effect":"Allow","Principal":"*","Action":"*","Resource":"*""#;
    let star = r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/*"},"Action":"sts:AssumeRole""#;
    for (row, grammar, statement, message) in [
        ("65", ResourceControl, rcp, "Syntax errors in policy."),
        ("66", Identity, twice, "Syntax errors in policy."),
        ("67", Trust, trust, "Has prohibited field Resource."),
        ("68", Identity, whose, "Policy document should not specify a principal."),
        (
            "69 form",
            Trust,
            star,
            r#"Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:role/*""#,
        ),
    ] {
        let found = Policy::compile(&text(&format!("{{{statement}}}")), grammar);
        assert_eq!(found.expect_err(row).to_string(), message, "row {row}");
    }
}
