//! Who may: identity policies, resource policies and their conditions, at the doors of the operations.

#![expect(clippy::expect_used, reason = "helpers of tests")]

use serde_json::{Value, json};
use service::{Access, Caller, Kind};

use testkit::{Answered, Desk, access, caller};

const OWNER: &str = "111122223333";
const OTHER: &str = "444455556666";
const NOTHING: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"none:None","Resource":"*"}}"#;

struct Scene {
    desk: Desk,
    arn: String,
}

async fn scene() -> Scene {
    let desk = Desk::open(11).await.expect("a desk");
    let tags = json!([{ "Key": "team", "Value": "red" }]);
    let made = json!({ "Name": "app/db", "SecretString": "s", "Tags": tags,
        "ClientRequestToken": "11111111-1111-4111-8111-111111111111" });
    let made = desk.call("CreateSecret", made).await;
    let arn = made.get("ARN").as_str().expect("made").to_owned();
    Scene { desk, arn }
}

impl Scene {
    /// Puts a resource policy of one statement, as the administrator.
    async fn put(&self, statement: Value) {
        let policy = json!({ "Version": "2012-10-17", "Statement": statement }).to_string();
        let put = json!({ "SecretId": "app/db", "ResourcePolicy": policy });
        assert_eq!(self.desk.call("PutResourcePolicy", put).await.status, 200);
    }

    async fn call(&self, account: &str, policy: &str, operation: &str, body: Value) -> Answered {
        let (caller, access) = (named(account, "alice"), access(policy).expect("a policy"));
        self.ask(&caller, &access, operation, body).await
    }

    async fn ask(
        &self,
        caller: &Caller,
        access: &Access,
        operation: &str,
        body: Value,
    ) -> Answered {
        self.desk.call_with((caller, access), operation, body.to_string().as_bytes()).await
    }
}

fn named(account: &str, user: &str) -> Caller {
    let arn = format!("arn:aws:iam::{account}:user/{user}");
    Caller { arn, user_name: user.to_owned(), ..caller(account).expect("an account") }
}

fn allow(action: &str, resource: &str) -> String {
    statement(&json!({ "Effect": "Allow", "Action": action, "Resource": resource }))
}

fn statement(statement: &Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": statement }).to_string()
}

/// The message of a denial; nothing for a success.
fn denied(answer: &Answered) -> Option<&str> {
    match answer.error() {
        None => None,
        Some(kind) => {
            assert_eq!((kind, answer.status), ("AccessDeniedException", 400), "{answer:?}");
            answer.get("Message").as_str()
        }
    }
}

#[tokio::test]
async fn identity_policies_decide_in_the_own_account() {
    let scene = scene().await;
    let Scene { arn, .. } = &scene;
    let gsv = "secretsmanager:GetSecretValue";
    #[rustfmt::skip]
    let cases = [
        // policy                                                                          allowed
        (NOTHING.to_owned(),                                                               false),
        (allow(gsv, "*"),                                                                  true),
        (allow(gsv, arn),                                                                  true),
        (allow(gsv, "arn:aws:secretsmanager:us-east-1:111122223333:secret:app/db-??????"), true),
        (allow(gsv, "arn:aws:secretsmanager:us-east-1:111122223333:secret:app/db"),        false),
        (allow(gsv, "arn:aws:secretsmanager:eu-west-1:111122223333:secret:*"),             false),
        (allow("secretsmanager:Get*", "arn:aws:secretsmanager:*:*:secret:app/*"),          true),
        (allow("secretsmanager:List*", "*"),                                               false),
        (allow("kms:*", "*"),                                                              false),
    ];
    for (policy, allowed) in cases {
        for id in ["app/db", arn] {
            let body = json!({ "SecretId": id });
            let answer = scene.call(OWNER, &policy, "GetSecretValue", body).await;
            let expected = format!(
                "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: {gsv} on resource: \
                 {arn} because no identity-based policy allows the {gsv} action"
            );
            assert_eq!(denied(&answer), (!allowed).then_some(&*expected), "{policy} {id}");
        }
    }
}

#[tokio::test]
async fn a_denial_comes_before_existence_and_names_what_was_asked_for() {
    let scene = scene().await;
    let answer =
        scene.call(OWNER, NOTHING, "GetSecretValue", json!({ "SecretId": "settings" })).await;
    let message = denied(&answer).expect("denied");
    assert!(message.contains("on resource: settings because no identity-based"), "{message}");
    let all = allow("secretsmanager:*", "*");
    let answer = scene.call(OWNER, &all, "GetSecretValue", json!({ "SecretId": "settings" })).await;
    assert_eq!(answer.error(), Some("ResourceNotFoundException"));
    let answer = scene.call(OWNER, NOTHING, "ListSecrets", json!({})).await;
    let message = denied(&answer).expect("denied");
    assert!(message.contains("perform: secretsmanager:ListSecrets because"), "{message}");
}

#[tokio::test]
async fn a_resource_policy_opens_and_closes() {
    let scene = scene().await;
    let read = json!({ "SecretId": scene.arn });
    let gsv = "secretsmanager:GetSecretValue";
    let all = allow("secretsmanager:*", "*");
    // In the own account one of the two is enough, whoever of them names the caller.
    scene.put(json!({ "Effect": "Allow", "Principal": "*", "Action": gsv, "Resource": "*" })).await;
    assert_eq!(denied(&scene.call(OWNER, NOTHING, "GetSecretValue", read.clone()).await), None);
    // From elsewhere it takes both.
    let answer = scene.call(OTHER, NOTHING, "GetSecretValue", read.clone()).await;
    assert!(denied(&answer).expect("denied").contains("no identity-based policy"), "{answer:?}");
    scene.put(json!({ "Effect": "Allow", "Principal": { "AWS": OWNER }, "Action": gsv, "Resource": "*" })).await;
    let answer = scene.call(OWNER, NOTHING, "GetSecretValue", read.clone()).await;
    assert!(denied(&answer).expect("denied").contains("no identity-based policy"), "{answer:?}");
    let answer = scene.call(OTHER, &all, "GetSecretValue", read.clone()).await;
    assert!(denied(&answer).expect("denied").contains("no resource-based policy"), "{answer:?}");
    // A denial outweighs all.
    scene.put(json!({ "Effect": "Deny", "Principal": "*", "Action": gsv, "Resource": "*" })).await;
    let answer = scene.call(OWNER, &all, "GetSecretValue", read.clone()).await;
    let message = denied(&answer).expect("denied");
    assert!(message.ends_with("with an explicit deny in a resource-based policy"), "{message}");
    // Strangers hear what they hear of a secret that there isn't, whoever else may read this one.
    let none = scene.arn.replace("secret:", "secret:no");
    for others in
        [None, Some(json!({ "Effect": "Allow", "Principal": "*", "Action": gsv, "Resource": "*" }))]
    {
        let deny = json!({ "Effect": "Deny", "Principal": { "AWS": OTHER }, "Action": gsv, "Resource": "*" });
        scene.put(others.map_or(deny.clone(), |it| json!([it, deny]))).await;
        for policy in [NOTHING, &all] {
            let answer = scene.call(OTHER, policy, "GetSecretValue", read.clone()).await;
            let other =
                scene.call(OTHER, policy, "GetSecretValue", json!({ "SecretId": none })).await;
            let told = denied(&answer).expect("denied").replace(&scene.arn, &none);
            assert_eq!(told, denied(&other).expect("denied"));
            assert!(
                told.ends_with(&format!("no resource-based policy allows the {gsv} action")),
                "{told}"
            );
        }
    }
}

#[tokio::test]
async fn conditions_see_the_parameters_and_the_tags() {
    let scene = scene().await;
    let when = |effect: &str, action: &str, condition: Value| json!({ "Effect": effect, "Action": action, "Resource": "*", "Condition": condition });
    let all = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    let id = &scene.arn;
    #[rustfmt::skip]
    let cases = [
        // row, policy, operation, body, allowed
        (61, when("Allow", "*", json!({ "StringLike": { "secretsmanager:VersionStage": "AWSCURRENT" } })),
            "GetSecretValue", json!({ "SecretId": id, "VersionStage": "AWSCURRENT" }), true),
        (61, when("Allow", "*", json!({ "StringLike": { "secretsmanager:VersionStage": "AWSCURRENT" } })),
            "GetSecretValue", json!({ "SecretId": id }), false),
        (0, when("Allow", "*", json!({ "StringEquals": { "aws:ResourceTag/Team": "red" } })),
            "GetSecretValue", json!({ "SecretId": id }), true),
        (0, when("Allow", "*", json!({ "StringEquals": { "aws:ResourceTag/team": "blue" } })),
            "GetSecretValue", json!({ "SecretId": id }), false),
        (0, when("Allow", "*", json!({ "StringEquals": { "aws:ResourceTag/team": "${aws:PrincipalTag/team}" } })),
            "GetSecretValue", json!({ "SecretId": id }), true),
        (0, when("Allow", "*", json!({ "IpAddress": { "aws:SourceIp": "127.0.0.0/8" } })),
            "DescribeSecret", json!({ "SecretId": id }), true),
        (0, when("Allow", "*", json!({ "Bool": { "aws:SecureTransport": "true" } })),
            "DescribeSecret", json!({ "SecretId": id }), false),
        (0, when("Allow", "*", json!({ "StringEquals": { "aws:RequestedRegion": "us-east-1" } })),
            "DescribeSecret", json!({ "SecretId": id }), true),
        (0, when("Allow", "*", json!({ "DateLessThan": { "aws:CurrentTime": "2026-01-01T00:00:00Z" } })),
            "DescribeSecret", json!({ "SecretId": id }), false),
        (0, when("Allow", "*", json!({ "ForAllValues:StringEquals": { "aws:TagKeys": ["team"] } })),
            "TagResource", json!({ "SecretId": id, "Tags": [{ "Key": "team", "Value": "red" }] }), true),
        (0, when("Allow", "*", json!({ "ForAllValues:StringEquals": { "aws:TagKeys": ["team"] } })),
            "TagResource", json!({ "SecretId": id, "Tags": [{ "Key": "boss", "Value": "me" }] }), false),
        (0, when("Allow", "*", json!({ "StringEquals": { "aws:RequestTag/team": "red" } })),
            "CreateSecret", json!({ "Name": "n1", "ClientRequestToken": TOKEN,
                "Tags": [{ "Key": "team", "Value": "red" }] }), true),
        (0, when("Allow", "*", json!({ "StringEquals": { "aws:RequestTag/team": "red" } })),
            "CreateSecret", json!({ "Name": "n2", "ClientRequestToken": TOKEN,
                "Tags": [{ "Key": "team", "Value": "red" }, { "Key": "Team", "Value": "blue" }] }), false),
        (0, json!([all, when("Deny", "*", json!({ "StringEquals": { "aws:RequestTag/team": "blue" } }))]),
            "CreateSecret", json!({ "Name": "n3", "ClientRequestToken": TOKEN,
                "Tags": [{ "Key": "team", "Value": "red" }, { "Key": "Team", "Value": "blue" }] }), false),
        (0, json!([all, when("Deny", "*", json!({ "StringEquals": { "aws:RequestTag/team": "blue" } }))]),
            "CreateSecret", json!({ "Name": "n4", "ClientRequestToken": TOKEN,
                "Tags": [{ "Key": "team", "Value": "blue" }, { "Key": "team", "Value": "blue" }] }), false),
        (0, json!([all, when("Deny", "*", json!({ "StringEquals": { "secretsmanager:SecretPrimaryRegion": "us-east-1" } }))]),
            "DescribeSecret", json!({ "SecretId": id }), false),
        (0, when("Allow", "*", json!({ "StringLike": { "secretsmanager:Name": "ci/*" } })),
            "CreateSecret", json!({ "Name": "prod/x", "ClientRequestToken": TOKEN }), false),
        (62, json!([all, when("Deny", "*", json!({ "Bool": { "secretsmanager:ForceDeleteWithoutRecovery": "true" } }))]),
            "DeleteSecret", json!({ "SecretId": id, "ForceDeleteWithoutRecovery": true }), false),
        (63, json!([all, when("Deny", "*", json!({ "NumericLessThan": { "secretsmanager:RecoveryWindowInDays": "14" } }))]),
            "DeleteSecret", json!({ "SecretId": id, "RecoveryWindowInDays": 7 }), false),
        (0, json!([all, when("Deny", "*", json!({ "Bool": { "secretsmanager:BlockPublicPolicy": "false" } }))]),
            "PutResourcePolicy", json!({ "SecretId": id, "BlockPublicPolicy": false, "ResourcePolicy": "{}" }), false),
        (62, json!([all, when("Deny", "*", json!({ "Bool": { "secretsmanager:ForceDeleteWithoutRecovery": "true" } }))]),
            "DeleteSecret", json!({ "SecretId": id }), true),
    ];
    for (row, policy, operation, body, allowed) in cases {
        let mut access = access(&statement(&policy)).expect("a policy");
        access.tags.insert("Team".to_owned(), "red".to_owned());
        let answer = scene.ask(&named(OWNER, "alice"), &access, operation, body).await;
        assert_eq!(
            denied(&answer).is_none(),
            allowed,
            "row {row}: {policy} {operation}: {answer:?}"
        );
    }
}

const TOKEN: &str = "22222222-2222-4222-8222-222222222222";

#[tokio::test]
async fn who_gets_a_name_later_is_somebody_else() {
    let scene = scene().await;
    let (arn, id) = ("arn:aws:iam::111122223333:role/app", "AROAEXAMPLEROLEID0001");
    let register = async |id: &str| {
        let mut txn = store::begin(&*scene.desk.backend);
        service::principals::register(&mut txn, arn, id).expect("encodes");
        txn.save(&ROLE_ROW, "", &Anything).expect("encodes");
        txn.commit().await.expect("alone");
    };
    let session = |id: &str| Caller {
        arn: "arn:aws:sts::111122223333:assumed-role/app/s1".to_owned(),
        principal_id: format!("{id}:s1"),
        kind: Kind::RoleSession { role_arn: arn.to_owned(), role_id: id.to_owned() },
        ..named(OWNER, "app")
    };
    register(id).await;
    let gsv = "secretsmanager:GetSecretValue";
    scene.put(json!({ "Effect": "Allow", "Principal": { "AWS": arn }, "Action": gsv, "Resource": "*" })).await;
    let nothing = access(NOTHING).expect("a policy");
    let read = || json!({ "SecretId": "app/db" });
    let first = scene.ask(&session(id), &nothing, "GetSecretValue", read()).await;
    assert_eq!(denied(&first), None);

    let mut txn = store::begin(&*scene.desk.backend);
    service::principals::forget(&mut txn, arn, id);
    txn.commit().await.expect("alone");
    let shown = scene.desk.call("GetResourcePolicy", read()).await;
    let text = shown.get("ResourcePolicy").as_str().expect("a policy").to_owned();
    assert!(text.contains(id) && !text.contains(arn), "row 70: {text}");
    let again = json!({ "SecretId": "app/db", "ResourcePolicy": text });
    let refused = scene.desk.call("PutResourcePolicy", again).await;
    assert_eq!(refused.error(), Some("MalformedPolicyDocumentException"), "row 71");

    register("AROAEXAMPLEROLEID0002").await;
    let second =
        scene.ask(&session("AROAEXAMPLEROLEID0002"), &nothing, "GetSecretValue", read()).await;
    assert!(denied(&second).is_some(), "row 70");
}

struct Anything;

impl store::Record for Anything {
    const SCHEMA: u16 = 1;

    fn encode(&self) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }

    fn decode(_: u16, _: &[u8]) -> Result<Self, String> {
        Ok(Self)
    }
}

const ROLE_ROW: store::Table<str, Anything> =
    store::Table::new(|_| "a/111122223333/role/app".to_owned());
