//! What sessions are once they have begun.

use super::desk::{ALL, ALLOW, Desk, Who, given, trusting};
use crate::entities::{Role, roles};
use crate::session::tests::account;
use crate::sts::OPERATIONS;
use policy::PolicyKind;

const ALICE: &str = "arn:aws:iam::111122223333:user/alice";

fn administrator(role: &mut Role) {
    role.given = given(Some(ALLOW));
}

/// Whether `who` may ask for the account of an access key.
async fn may_ask(desk: &Desk, who: &Who) -> Result<(), String> {
    let parameters = [("AccessKeyId", "ASIAQNZGKIQY56JQ7WML")];
    let answered = desk.call(who, "GetAccessKeyInfo", &parameters).await;
    if answered.status == 200 { Ok(()) } else { Err(answered.error().1) }
}

#[test]
fn the_table_is_in_order() {
    assert!(OPERATIONS.is_sorted_by(|one, two| one.name < two.name));
    assert!(OPERATIONS.iter().all(|it| it.source == "sts.amazonaws.com" && it.read_only));
}

#[tokio::test]
async fn who_somebody_is() {
    let desk = Desk::new().await;
    let deny =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
    let alice = desk.alice(Some(deny)).await;
    let id = alice.caller.principal_id.clone();
    let role = desk.role(("/", "app"), &trusting("*", ALL, "{}"), |_| ()).await;
    let role_id = {
        let mut txn = store::begin(&desk.house.backend);
        let found = txn.find(&roles(), &(&account(), "app")).await.expect("read").expect("there");
        format!("{}:s1", found.id)
    };
    let free = desk.alice(Some(ALLOW)).await;
    let of_role = desk.session(&desk.assume(&free, &role, &[]).await).await;
    let of_user = desk.session(&desk.call(&free, "GetSessionToken", &[]).await).await;
    let name = [("Name", "bob")];
    let federated = desk.session(&desk.call(&free, "GetFederationToken", &name).await).await;
    let federated_by_root = desk.call(&Desk::root(), "GetFederationToken", &name).await;
    let federated_by_root = desk.session(&federated_by_root).await;
    let of_root = desk.session(&desk.call(&Desk::root(), "GetSessionToken", &[]).await).await;
    let (root, bob) =
        ("arn:aws:iam::111122223333:root", "arn:aws:sts::111122223333:federated-user/bob");
    for (who, arn, id) in [
        (alice, ALICE, id.as_str()),
        (of_user, ALICE, &id),
        (of_role, "arn:aws:sts::111122223333:assumed-role/app/s1", &role_id),
        (federated, bob, "111122223333:bob"),
        (federated_by_root, bob, "111122223333:bob"),
        (Desk::root(), root, "111122223333"),
        (of_root, root, "111122223333"),
    ] {
        let answered = desk.call(&who, "GetCallerIdentity", &[]).await;
        assert_eq!(answered.get("Arn").as_deref(), Some(arn), "{answered:?}");
        assert_eq!(answered.get("UserId").as_deref(), Some(id), "{answered:?}");
        assert_eq!(answered.get("Account").as_deref(), Some("111122223333"), "{answered:?}");
    }
}

#[tokio::test]
async fn tags_and_source_identity_go_on() {
    let desk = Desk::new().await;
    let alice = desk.alice(None).await;
    let role = desk.role(("/", "app"), &trusting(ALICE, ALL, "{}"), administrator).await;
    let app = "arn:aws:iam::111122223333:role/app";
    let next = desk.role(("/", "next"), &trusting(app, ALL, "{}"), administrator).await;
    let untagged =
        desk.role(("/", "plain"), &trusting(app, &["sts:AssumeRole"], "{}"), |_| ()).await;
    let more = [
        ("Tags.member.1.Key", "Team"),
        ("Tags.member.1.Value", "a"),
        ("Tags.member.2.Key", "job"),
        ("Tags.member.2.Value", "b"),
        ("TransitiveTagKeys.member.1", "team"),
        ("SourceIdentity", "ada"),
    ];
    let answered = desk.assume(&alice, &role, &more).await;
    assert_eq!(answered.get("SourceIdentity").as_deref(), Some("ada"), "{answered:?}");
    let first = desk.session(&answered).await;
    assert_eq!(first.access.tags.get("job").map(String::as_str), Some("b"));

    let second = desk.session(&desk.assume(&first, &next, &[]).await).await;
    let session = second.caller.session.as_ref().expect("a session");
    assert_eq!(session.source_identity.as_deref(), Some("ada"));
    assert_eq!(session.tags.iter().collect::<Vec<_>>(), [(&"Team".to_owned(), &"a".to_owned())]);
    assert_eq!(session.transitive, ["Team"]);

    let (code, text) = desk.assume(&first, &untagged, &[]).await.error();
    assert_eq!(code, "AccessDenied");
    assert!(
        text.ends_with("because no role trust policy allows the sts:TagSession action"),
        "{text}"
    );
    let again = [("Tags.member.1.Key", "TEAM"), ("Tags.member.1.Value", "x")];
    let (code, text) = desk.assume(&first, &next, &again).await.error();
    assert_eq!(code, "InvalidParameterValue");
    assert_eq!(
        text,
        "One of the specified transitive tag keys can't be set because it conflicts \
                      with a transitive tag key from the calling session."
    );
    let other = desk.assume(&first, &next, &[("SourceIdentity", "eve")]).await;
    assert_eq!((other.status, other.error().0.as_str()), (403, "AccessDenied"));
    assert_eq!(desk.assume(&first, &next, &[("SourceIdentity", "ada")]).await.status, 200);
}

#[tokio::test]
async fn a_session_has_no_more_than_its_policy() {
    let desk = Desk::new().await;
    let alice = desk.alice(Some(ALLOW)).await;
    let role = desk.role(("/", "app"), &trusting(ALICE, ALL, "{}"), administrator).await;
    let other = r#"{"Version":"2012-10-17",
        "Statement": {"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    let none = format!("because no {} allows", "session policy");
    for (more, expected) in [
        (&[][..], None),
        (&[("Policy", ALLOW)], None),
        (&[("Policy", other)], Some(&none)),
        (&[("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/AdministratorAccess")], None),
        (&[("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/IAMFullAccess")], Some(&none)),
    ] {
        let answered = desk.assume(&alice, &role, more).await;
        assert_eq!(answered.get("PackedPolicySize").is_some(), !more.is_empty(), "{answered:?}");
        let session = desk.session(&answered).await;
        let outcome = may_ask(&desk, &session).await;
        match expected {
            None => assert_eq!(outcome, Ok(()), "{more:?}"),
            Some(text) => assert!(outcome.expect_err("denied").contains(text), "{more:?}"),
        }
    }
    let long = format!(
        r#"{{"Statement":{{"Sid":"{}","Effect":"Allow","Action":"*","Resource":"*"}}}}"#,
        "x".repeat(4000)
    );
    let (code, text) = desk.assume(&alice, &role, &[("Policy", &long)]).await.error();
    assert_eq!(code, "PackedPolicyTooLarge", "{text}");
    assert!(
        text.starts_with("Packed policy consumes 1")
            && text.ends_with("% of allotted space, please use smaller policy."),
        "{text}"
    );
}

#[tokio::test]
async fn a_session_has_what_its_role_has_now() {
    let desk = Desk::new().await;
    let alice = desk.alice(None).await;
    let trust = trusting(ALICE, ALL, "{}");
    let role = desk.role(("/", "app"), &trust, administrator).await;
    let answered = desk.assume(&alice, &role, &[]).await;
    assert_eq!(may_ask(&desk, &desk.session(&answered).await).await, Ok(()));
    let mut txn = store::begin(&desk.house.backend);
    let found = txn.find(&roles(), &(&account(), "app")).await.expect("read").expect("there");
    txn.save(&roles(), &(&account(), "app"), &Role { given: given(None), ..found }).expect("saved");
    txn.commit().await.expect("committed");
    let text = may_ask(&desk, &desk.session(&answered).await).await.expect_err("nothing left");
    assert!(text.contains("identity-based policy"), "{text} {:?}", PolicyKind::Identity);

    // Made again under its name, it is another role.
    let caller = desk.session(&answered).await.caller;
    desk.role(("/", "app"), &trust, administrator).await;
    let mut txn = store::begin(&desk.house.backend);
    let gathered = crate::gather(&mut txn, &caller).await.expect("read");
    assert!(gathered.is_none());
}

#[tokio::test]
async fn how_long_sessions_of_users_last() {
    let mut desk = Desk::new().await;
    let alice = desk.alice(Some(ALLOW)).await;
    for (root, asked, expected) in [
        (false, None, 43_200),
        (false, Some("900"), 900),
        (false, Some("129600"), 129_600),
        (true, None, 3600),
        (true, Some("43200"), 3600),
        (true, Some("900"), 900),
    ] {
        let who = if root { Desk::root() } else { alice.clone() };
        for operation in ["GetSessionToken", "GetFederationToken"] {
            let duration = asked.map(|it| ("DurationSeconds", it));
            let parameters: Vec<_> = [("Name", "bob")].into_iter().chain(duration).collect();
            let answered = desk.call(&who, operation, &parameters).await;
            let session = desk.session(&answered).await.caller.session.expect("a session");
            assert_eq!(session.expires.since(session.issued).as_secs(), expected, "{operation}");
            assert_eq!(answered.get("Expiration"), Some(session.expires.to_string()));
        }
    }
    for asked in ["899", "129601"] {
        let answered = desk.call(&alice, "GetSessionToken", &[("DurationSeconds", asked)]).await;
        assert_eq!(answered.error().0, "ValidationError", "{answered:?}");
    }
    let short = desk.call(&alice, "GetSessionToken", &[("DurationSeconds", "900")]).await;
    desk.advance(900);
    let (id, token) = (short.get("AccessKeyId"), short.get("SessionToken"));
    let late = desk.house.open(&id.expect("id"), &token.expect("token"), desk.now).await;
    assert!(matches!(late, Err(crate::session::Rejected::Expired)), "{late:?}");
}

#[tokio::test]
async fn a_federated_user_has_what_both_allow() {
    let desk = Desk::new().await;
    let own = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
        "Action":["sts:GetFederationToken","secretsmanager:*"],"Resource":"*"}}"#;
    let alice = desk.alice(Some(own)).await;
    let name = ("Name", "bob");
    let tags = [name, ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
    let (code, text) = desk.call(&alice, "GetFederationToken", &tags).await.error();
    assert_eq!(code, "AccessDenied");
    assert!(
        text.contains("sts:TagSession on resource: arn:aws:sts::111122223333:federated-user/bob")
    );

    let alice = desk.alice(Some(ALLOW)).await;
    let answered = desk.call(&alice, "GetFederationToken", &tags).await;
    assert_eq!(answered.get("FederatedUserId").as_deref(), Some("111122223333:bob"));
    let session = desk.session(&answered).await;
    assert!(session.access.session.is_none(), "without a policy the engine lets it do nothing");
    assert_eq!(session.access.tags.get("k").map(String::as_str), Some("v"));
    let nobody = desk.alice(None).await;
    assert_eq!(desk.call(&nobody, "GetFederationToken", &[name]).await.status, 403);
    assert_eq!(desk.call(&nobody, "GetSessionToken", &[]).await.status, 200, "needs no permission");
}

#[tokio::test]
async fn records_tell_which_session_began_and_nothing_that_opens_it() {
    let desk = Desk::new().await;
    let alice = desk.alice(Some(ALLOW)).await;
    let role = desk.role(("/", "app"), &trusting(ALICE, ALL, "{}"), |_| ()).await;
    desk.records();
    let more = [("SerialNumber", "arn:aws:iam::111122223333:mfa/alice"), ("TokenCode", "271828")];
    desk.assume(&alice, &role, &more).await;
    let answered = [
        desk.assume(&alice, &role, &[("MinimumSessionTokenSize", "2000")]).await,
        desk.call(&alice, "GetSessionToken", &[]).await,
        desk.call(&alice, "GetFederationToken", &[("Name", "bob"), ("Policy", ALLOW)]).await,
    ];
    let records = desk.records();
    assert_eq!(records.len(), 4);
    let text = serde_json::to_string(&records).expect("JSON");
    assert!(!text.contains("271828"), "{text}");
    for (answered, record) in answered.iter().zip(&records[1..]) {
        for secret in ["SecretAccessKey", "SessionToken"] {
            assert!(!text.contains(&answered.get(secret).expect("there")), "{secret} in {text}");
        }
        let credentials = &record["responseElements"]["credentials"];
        assert_eq!(credentials["accessKeyId"].as_str(), answered.get("AccessKeyId").as_deref());
        assert_eq!(record["eventSource"], "sts.amazonaws.com");
    }
    assert_eq!(records[1]["requestParameters"]["roleArn"], role.as_str());
    let size: usize =
        answered[0].get("SessionTokenSize").expect("there").parse().expect("a number");
    assert!((2000..2004).contains(&size), "{size}");
    assert_eq!(answered[0].get("SessionTokenUtilization").as_deref(), Some("49"));
}
