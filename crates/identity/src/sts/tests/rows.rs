//! Who becomes whom: statements 95–103, 107, 111, and the rules behind them.

use super::desk::{ALL, ALLOW, Desk, given, other, trusting};
use crate::session::tests::account;

const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
const BOB: &str = "arn:aws:iam::444455556666:user/bob";
const ROOT: &str = "arn:aws:iam::111122223333:root";
const APP: &str = "arn:aws:iam::111122223333:role/app";

fn denied(who: &str, action: &str) -> (String, String) {
    let text = format!("User: {who} is not authorized to perform: {action} on resource: {APP}");
    ("AccessDenied".to_owned(), text)
}

/// 95, 96, 97, and across accounts.
#[tokio::test]
async fn whom_a_role_trusts() {
    #[rustfmt::skip]
    let cases = [
        // number  trusted                        identity      who      allowed
        ("95",     ALICE,                         None,        "alice",  true),
        ("96",     ROOT,                          None,        "alice",  false),
        ("96b",    ROOT,                          Some(ALLOW), "alice",  true),
        ("97",     BOB,                           Some(ALLOW), "alice",  false),
        ("x1",     BOB,                           Some(ALLOW), "bob",    true),
        ("x2",     BOB,                           None,        "bob",    false),
        ("x3",     "arn:aws:iam::444455556666:root", Some(ALLOW), "bob", true),
        ("x4",     ALICE,                         Some(ALLOW), "bob",    false),
        ("x5",     "*",                           None,        "alice",  true),
        ("x6",     "*",                           None,        "bob",    false),
    ];
    for (number, trusted, identity, name, allowed) in cases {
        let desk = Desk::new().await;
        let home = if name == "alice" { account() } else { other() };
        let who = desk.user(&home, name, identity).await;
        let role =
            desk.role(("/", "app"), &trusting(trusted, &["sts:AssumeRole"], "{}"), |_| ()).await;
        let answered = desk.assume(&who, &role, &[]).await;
        if allowed {
            assert_eq!(answered.status, 200, "{number}: {answered:?}");
            let session = desk.session(&answered).await;
            assert_eq!(session.caller.arn, "arn:aws:sts::111122223333:assumed-role/app/s1");
        } else {
            assert_eq!(answered.status, 403, "{number}: {answered:?}");
            assert_eq!(answered.error(), denied(&who.caller.arn, "sts:AssumeRole"), "{number}");
        }
    }
}

#[tokio::test]
async fn a_role_that_is_not_there_looks_like_one_that_trusts_nobody() {
    let desk = Desk::new().await;
    let alice = desk.alice(Some(ALLOW)).await;
    let absent = desk.assume(&alice, APP, &[]).await;
    assert_eq!((absent.status, absent.error()), (403, denied(ALICE, "sts:AssumeRole")));
    desk.role(("/x/", "app"), &trusting(ALICE, ALL, "{}"), |_| ()).await;
    let elsewhere = desk.assume(&alice, APP, &[]).await;
    assert_eq!((elsewhere.status, elsewhere.error()), (403, denied(ALICE, "sts:AssumeRole")));
}

/// 98.
#[tokio::test]
async fn a_role_does_not_trust_itself_unasked() {
    for (trusted, allowed) in [(ALICE, false), (ROOT, true)] {
        let desk = Desk::new().await;
        let alice = desk.alice(Some(ALLOW)).await;
        let adapt = |it: &mut crate::entities::Role| it.given = given(Some(ALLOW));
        let role = desk.role(("/", "app"), &trusting(trusted, ALL, "{}"), adapt).await;
        let session = desk.session(&desk.assume(&alice, &role, &[]).await).await;
        let again = desk.assume(&session, &role, &[]).await;
        assert_eq!(again.status == 200, allowed, "{trusted}: {again:?}");
        if !allowed {
            let arn = "arn:aws:sts::111122223333:assumed-role/app/s1";
            assert_eq!(again.error(), denied(arn, "sts:AssumeRole"));
        }
    }
}

/// 99, and the other keys that follow from the parameters.
#[tokio::test]
async fn conditions_on_what_is_asked_for() {
    let equals = |key: &str, value: &str| format!(r#"{{"StringEquals":{{"{key}":"{value}"}}}}"#);
    let all = r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["team"],"sts:TransitiveTagKeys":["team"]}}"#;
    let mine: &[(&str, &str)] = &[("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "a")];
    let team: &[(&str, &str)] = &[
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "a"),
        ("TransitiveTagKeys.member.1", "team"),
    ];
    for (number, condition, more, allowed) in [
        ("99", equals("sts:ExternalId", "xyz"), &[][..], false),
        ("99", equals("sts:ExternalId", "xyz"), &[("ExternalId", "xyZ")], false),
        ("99", equals("sts:ExternalId", "xyz"), &[("ExternalId", "xyz")], true),
        ("name", equals("sts:RoleSessionName", "s1"), &[], true),
        ("name", equals("sts:RoleSessionName", "s2"), &[], false),
        ("source", equals("sts:SourceIdentity", "ada"), &[("SourceIdentity", "ada")], true),
        ("source", equals("sts:SourceIdentity", "ada"), &[("SourceIdentity", "eve")], false),
        ("source", equals("sts:SourceIdentity", "ada"), &[], false),
        ("tag", equals("aws:RequestTag/team", "a"), mine, true),
        ("tag", equals("aws:RequestTag/team", "b"), mine, false),
        ("tag", equals("aws:RequestTag/team", "a"), &[], false),
        ("keys", all.to_owned(), team, true),
        ("keys", all.to_owned(), mine, false),
        ("role's tag", equals("iam:ResourceTag/kind", "job"), &[], true),
        ("role's tag", equals("aws:ResourceTag/Kind", "job"), &[], true),
        ("role's tag", equals("iam:ResourceTag/kind", "else"), &[], false),
        ("caller", equals("aws:PrincipalArn", ALICE), &[], true),
        (
            "second factor",
            r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#.to_owned(),
            &[],
            false,
        ),
    ] {
        let desk = Desk::new().await;
        let alice = desk.alice(None).await;
        let adapt = |it: &mut crate::entities::Role| {
            it.tags = vec![("Kind".to_owned(), "job".to_owned())];
        };
        let role = desk.role(("/", "app"), &trusting(ALICE, ALL, &condition), adapt).await;
        let answered = desk.assume(&alice, &role, more).await;
        assert_eq!(
            answered.status,
            if allowed { 200 } else { 403 },
            "{number} {more:?}: {answered:?}"
        );
        if !allowed {
            assert_eq!(answered.error(), denied(ALICE, "sts:AssumeRole"), "{number}");
        }
    }
}

#[tokio::test]
async fn what_is_handed_over_has_to_be_allowed() {
    let tags: &[(&str, &str)] = &[("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
    let source: &[(&str, &str)] = &[("SourceIdentity", "ada")];
    for (actions, more, missing) in [
        (&["sts:AssumeRole"][..], tags, Some("sts:TagSession")),
        (&["sts:AssumeRole"], source, Some("sts:SetSourceIdentity")),
        (&["sts:AssumeRole"], &[], None),
        (&["sts:AssumeRole", "sts:TagSession"], tags, None),
        (&["sts:AssumeRole", "sts:SetSourceIdentity"], source, None),
    ] {
        let desk = Desk::new().await;
        let alice = desk.alice(None).await;
        let role = desk.role(("/", "app"), &trusting(ALICE, actions, "{}"), |_| ()).await;
        let answered = desk.assume(&alice, &role, more).await;
        match missing {
            None => assert_eq!(answered.status, 200, "{answered:?}"),
            Some(action) => {
                let (code, text) = denied(ALICE, action);
                let because = format!(" because no role trust policy allows the {action} action");
                assert_eq!(answered.error(), (code, text + &because));
            }
        }
    }
}

/// 100, 101, 102, and what else is refused after the policies have said yes.
#[tokio::test]
async fn what_is_refused_to_those_who_may() {
    let long = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    let twice = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
    let team: &[(&str, &str)] = &[
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "a"),
        ("Tags.member.2.Key", "TEAM"),
        ("Tags.member.2.Value", "a"),
    ];
    let transitive = "The specified transitive tag key must be included in the requested tags.";
    let name = "1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy \
                constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*";
    let device = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA \
                  serial number is valid and associated with this user.";
    let serial = ("SerialNumber", "arn:aws:iam::111122223333:mfa/alice");
    let gone = "Policy arn:aws:iam::111122223333:policy/gone does not exist or is not attachable.";
    let desk = Desk::new().await;
    let alice = desk.alice(None).await;
    let role = desk.role(("/", "app"), &trusting(ALICE, ALL, "{}"), |_| ()).await;
    for (number, more, code, text) in [
        ("duration", &[("DurationSeconds", "3601")][..], "ValidationError", long),
        ("101", &[("RoleSessionName", "Session1:2")], "ValidationError", name),
        ("102", team, "InvalidParameterValue", twice),
        ("transitive", &[("TransitiveTagKeys.member.1", "k")], "InvalidParameterValue", transitive),
        ("device", &[serial, ("TokenCode", "123456")], "AccessDenied", device),
        ("policy", &[("Policy", "{")], "MalformedPolicyDocument", ""),
        (
            "policy",
            &[("PolicyArns.member.1.arn", "arn:aws:iam::111122223333:policy/gone")],
            "MalformedPolicyDocument",
            gone,
        ),
    ] {
        // The first value of a name counts.
        let parameters = [more, &[("RoleArn", &role), ("RoleSessionName", "s1")]].concat();
        let answered = desk.call(&alice, "AssumeRole", &parameters).await;
        let (found, message) = answered.error();
        assert_eq!(found, code, "{number}: {answered:?}");
        assert!(text.is_empty() || message == text, "{number}: {message}");
    }
    for arn in ["arn:aws:iam::111122223333:user/app", "arn:aws:iam::111122223333:role"] {
        let answered = desk.assume(&alice, arn, &[]).await;
        let expected = ("ValidationError".to_owned(), format!("{arn} is invalid"));
        assert_eq!((answered.status, answered.error()), (400, expected));
    }
    let (_, message) = desk.call(&alice, "AssumeRole", &[("RoleArn", "x")]).await.error();
    assert!(
        message.starts_with("2 validation errors detected: Value 'x' at 'roleArn'"),
        "{message}"
    );
    let eleven: Vec<String> = (1..12).map(|it| format!("PolicyArns.member.{it}.arn")).collect();
    let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let eleven: Vec<(&str, &str)> = eleven.iter().map(|it| (it.as_str(), arn)).collect();
    let (_, message) = desk.assume(&alice, &role, &eleven).await.error();
    assert!(
        message.ends_with(
            "at 'policyArns' failed to satisfy constraint: Member must have length \
                               less than or equal to 10"
        ),
        "{message}"
    );
}

/// 100.
#[tokio::test]
async fn a_session_of_a_session_lasts_an_hour() {
    let desk = Desk::new().await;
    let alice = desk.alice(None).await;
    let adapt = |it: &mut crate::entities::Role| {
        it.given = given(Some(ALLOW));
        it.max_session = 43_200;
    };
    let role = desk.role(("/", "app"), &trusting(ALICE, ALL, "{}"), adapt).await;
    let next =
        desk.role(("/", "next"), &trusting(APP, ALL, "{}"), |it| it.max_session = 43_200).await;
    let first = desk.assume(&alice, &role, &[("DurationSeconds", "43200")]).await;
    let first = desk.session(&first).await;
    let duration = |text| [("DurationSeconds", text)];
    let (code, text) = desk.assume(&first, &next, &duration("7200")).await.error();
    assert_eq!(code, "ValidationError");
    assert_eq!(
        text,
        "The requested DurationSeconds exceeds the 1 hour session limit for roles \
                      assumed by role chaining."
    );
    let second = desk.session(&desk.assume(&first, &next, &duration("3600")).await).await;
    let session = second.caller.session.expect("a session");
    assert!(session.chained && session.expires.since(session.issued).as_secs() == 3600);
}

/// 103.
#[tokio::test]
async fn the_path_of_a_role_is_not_in_its_session() {
    let desk = Desk::new().await;
    let alice = desk.alice(None).await;
    let adapt = |it: &mut crate::entities::Role| it.given = given(Some(ALLOW));
    let role = desk.role(("/x/", "app"), &trusting(ALICE, ALL, "{}"), adapt).await;
    assert_eq!(role, "arn:aws:iam::111122223333:role/x/app");
    let answered = desk.assume(&alice, &role, &[]).await;
    let arn = "arn:aws:sts::111122223333:assumed-role/app/s1";
    assert_eq!(answered.get("Arn").as_deref(), Some(arn));
    assert!(answered.get("AssumedRoleId").is_some_and(|it| it.ends_with(":s1")), "{answered:?}");

    let condition = format!(r#"{{"StringEquals":{{"aws:PrincipalArn":"{role}"}}}}"#);
    let next = desk.role(("/", "next"), &trusting(ROOT, ALL, &condition), |_| ()).await;
    let session = desk.session(&answered).await;
    assert_eq!(desk.assume(&session, &next, &[]).await.status, 200);
}

/// 107, and which credentials may call what.
#[tokio::test]
async fn credentials_that_may_not() {
    let desk = Desk::new().await;
    let alice = desk.alice(Some(ALLOW)).await;
    let adapt = |it: &mut crate::entities::Role| it.given = given(Some(ALLOW));
    let role = desk.role(("/", "app"), &trusting(ALICE, ALL, "{}"), adapt).await;
    let of_role = desk.session(&desk.assume(&alice, &role, &[]).await).await;
    let of_user = desk.session(&desk.call(&alice, "GetSessionToken", &[]).await).await;
    let policy = [("Name", "bob"), ("Policy", ALLOW)];
    let federated = desk.session(&desk.call(&alice, "GetFederationToken", &policy).await).await;
    let root = Desk::root();
    let (name, key) = ([("Name", "bob")], [("AccessKeyId", "ASIAQNZGKIQY56JQ7WML")]);
    for (who, operation, parameters, allowed) in [
        (&of_role, "GetSessionToken", &[][..], false), // 107
        (&of_role, "GetFederationToken", &name, false),
        (&of_role, "GetAccessKeyInfo", &key, true),
        (&of_user, "GetSessionToken", &[], false),
        (&of_user, "GetFederationToken", &name, false),
        (&of_user, "GetAccessKeyInfo", &key, false),
        (&of_user, "AssumeRole", &[("RoleArn", &*role), ("RoleSessionName", "s2")], true),
        (&federated, "AssumeRole", &[("RoleArn", &role), ("RoleSessionName", "s2")], false),
        (&federated, "GetSessionToken", &[], false),
        (&federated, "GetFederationToken", &name, false),
        (&federated, "GetAccessKeyInfo", &key, false),
        (&root, "AssumeRole", &[("RoleArn", &role), ("RoleSessionName", "s2")], false),
        (&root, "GetSessionToken", &[], true),
        (&root, "GetFederationToken", &name, true),
        (&root, "GetAccessKeyInfo", &key, true),
    ] {
        let answered = desk.call(who, operation, parameters).await;
        let expected = if allowed { 200 } else { 403 };
        assert_eq!(answered.status, expected, "{} {operation}: {answered:?}", who.caller.arn);
        if !allowed {
            assert_eq!(answered.error().0, "AccessDenied", "{operation}");
        }
    }
    for who in [&of_role, &of_user, &federated, &root] {
        assert_eq!(desk.call(who, "GetCallerIdentity", &[]).await.status, 200);
    }
}

/// 111.
#[tokio::test]
async fn an_access_key_tells_its_account() {
    let desk = Desk::new().await;
    let alice = desk.alice(Some(ALLOW)).await;
    let ask = async |id: &'static str| {
        desk.call(&alice, "GetAccessKeyInfo", &[("AccessKeyId", id)]).await
    };
    let answered = ask("ASIAQNZGKIQY56JQ7WML").await;
    assert_eq!(answered.get("Account").as_deref(), Some("029608264753"), "{answered:?}");
    let older = ask("AKIAIOSFODNN7EXAMPLE").await;
    assert_eq!((older.status, older.error().0.as_str()), (400, "ValidationError"), "{older:?}");
    let short = ask("AKIA").await;
    assert!(short.error().1.contains("at 'accessKeyId' failed"), "{short:?}");
    let stranger = desk.alice(None).await;
    let (code, text) =
        desk.call(&stranger, "GetAccessKeyInfo", &[("AccessKeyId", "AKIA")]).await.error();
    assert_eq!(code, "AccessDenied");
    assert!(
        text.ends_with("because no identity-based policy allows the sts:GetAccessKeyInfo action")
    );
}
