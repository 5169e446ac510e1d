//! In which order a request is found wanting: authorization, validation, existence, then the rest.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "helpers of tests")]

use serde_json::{Value, json};
use strongroom_secrets::OPERATIONS;
use testkit::{Answered, Desk, caller};

const T1: &str = "11111111-1111-4111-8111-111111111111";
const MISSING: &str = "arn:aws:secretsmanager:us-east-1:111122223333:secret:none-AbCdEf";

/// What breaks a constraint of the model, beside the id of a secret.
#[derive(Debug)]
enum Malformed {
    /// This member, of an operation on one secret.
    Member(Value),
    /// The id itself: the operation has no other member with a constraint.
    Id,
    /// This member, of an operation on the caller's own account.
    OwnAccount(Value),
}

fn malformed() -> Vec<(&'static str, Malformed)> {
    use Malformed::{Id, Member, OwnAccount};
    vec![
        ("BatchGetSecretValue", OwnAccount(json!({ "SecretIdList": [] }))),
        ("CancelRotateSecret", Id),
        ("CreateSecret", OwnAccount(json!({ "Name": "" }))),
        ("DeleteResourcePolicy", Member(json!({ "PolicyName": "?" }))),
        ("DeleteSecret", Id),
        ("DescribeSecret", Id),
        ("GetRandomPassword", OwnAccount(json!({ "PasswordLength": 0 }))),
        ("GetResourcePolicy", Member(json!({ "PolicyName": "?" }))),
        ("GetSecretValue", Member(json!({ "VersionId": "short" }))),
        ("ListResourcePolicies", Member(json!({ "MaxResults": 0 }))),
        ("ListSecretVersionIds", Member(json!({ "MaxResults": 0 }))),
        ("ListSecrets", OwnAccount(json!({ "MaxResults": 0 }))),
        ("PutResourcePolicy", Member(json!({ "ResourcePolicy": "" }))),
        ("PutSecretValue", Member(json!({ "ClientRequestToken": "short" }))),
        ("RestoreSecret", Id),
        ("RotateSecret", Member(json!({ "RotationRules": { "AutomaticallyAfterDays": 0 } }))),
        ("TagResource", Member(json!({}))),
        ("UntagResource", Member(json!({ "TagKeys": [""] }))),
        ("UpdateSecret", Member(json!({ "ClientRequestToken": "short" }))),
        ("UpdateSecretVersionStage", Member(json!({ "VersionStage": "" }))),
        ("ValidateResourcePolicy", Member(json!({ "ResourcePolicy": "" }))),
    ]
}

impl Malformed {
    /// The request about the secret `id`; nothing where there is no such thing.
    fn about(&self, id: &str) -> Option<Value> {
        match self {
            Self::Member(member) => {
                let mut body = member.clone();
                body["SecretId"] = json!(id);
                Some(body)
            }
            Self::Id => Some(json!({ "SecretId": format!("{id}{}", "x".repeat(2048)) })),
            Self::OwnAccount(_) => None,
        }
    }
}

async fn desk() -> Desk {
    let desk = Desk::open(7).await.expect("a desk");
    let made = json!({ "Name": "one", "SecretString": "a", "ClientRequestToken": T1 });
    assert_eq!(desk.call("CreateSecret", made).await.status, 200);
    desk
}

async fn arn(desk: &Desk) -> String {
    let described = desk.call("DescribeSecret", json!({ "SecretId": "one" })).await;
    described.get("ARN").as_str().expect("text").to_owned()
}

fn refused(answer: &Answered, kind: &str, what: impl std::fmt::Debug) {
    assert_eq!((answer.status, answer.error()), (400, Some(kind)), "{what:?}: {answer:?}");
}

#[tokio::test]
async fn authorization_comes_before_validation_and_validation_before_existence() {
    let desk = desk().await;
    let stranger = caller("444455556666").expect("valid");
    let existing = arn(&desk).await;
    let cases = malformed();
    let all: Vec<_> = OPERATIONS.iter().map(|it| it.name).collect();
    let asked: Vec<_> = cases.iter().map(|(operation, _)| *operation).collect();
    assert_eq!(asked, all, "every operation is asked");

    for (operation, malformed) in cases {
        for id in [existing.as_str(), MISSING] {
            let Some(body) = malformed.about(id) else { continue };
            let text = body.to_string();
            let denied = desk.call_as(&stranger, operation, text.as_bytes()).await;
            refused(&denied, "AccessDeniedException", (operation, id));
            refused(&desk.call(operation, body).await, "ValidationException", (operation, id));
        }
        if let Malformed::OwnAccount(body) = malformed {
            refused(&desk.call(operation, body).await, "ValidationException", operation);
        }
    }
}

#[tokio::test]
async fn what_else_is_wrong_is_told_in_the_services_order() {
    let desk = desk().await;
    let existing = arn(&desk).await;
    let update = json!({ "SecretId": "one", "SecretString": "b", "KmsKeyId": "alias/none" });
    let with = |body: &Value, token: &str| {
        let mut body = body.clone();
        body["ClientRequestToken"] = json!(token);
        body
    };
    let fresh = T1.replace('1', "2");
    let policy =
        |id: &str| json!({ "SecretId": id, "ResourcePolicy": "{}", "PolicyName": "other" });
    let page = |id: &str| json!({ "SecretId": id, "NextToken": "x" });
    let replicas = |name: &str, replicas: Value| json!({ "Name": name, "ClientRequestToken": fresh, "AddReplicaRegions": replicas });
    let region = json!([{ "Region": "us-east-2" }]);
    #[rustfmt::skip]
    let cases = [
        ("UpdateSecret", with(&update, T1), "ResourceExistsException"),
        ("UpdateSecret", with(&update, &fresh), "EncryptionFailure"),
        ("ListResourcePolicies", page(MISSING), "ResourceNotFoundException"),
        ("ListResourcePolicies", page(&existing), "InvalidNextTokenException"),
        ("PutResourcePolicy", policy(MISSING), "ResourceNotFoundException"),
        ("PutResourcePolicy", policy(&existing), "InvalidParameterException"),
        ("DeleteResourcePolicy", policy(MISSING), "ResourceNotFoundException"),
        ("DeleteResourcePolicy", policy(&existing), "InvalidParameterException"),
        ("CreateSecret", replicas("two", json!("us-east-2")), "SerializationException"),
        ("CreateSecret", replicas("two", json!(["us-east-2"])), "SerializationException"),
        ("CreateSecret", replicas("two", json!([{ "Region": 2 }])), "SerializationException"),
        ("CreateSecret", replicas("two", json!([])), "ValidationException"),
        ("CreateSecret", replicas("two", json!([{ "Region": "here" }])), "ValidationException"),
        ("CreateSecret", replicas("two", region.clone()), "InvalidRequestException"),
        ("CreateSecret", replicas("a name", region.clone()), "ValidationException"),
        ("CreateSecret", replicas("one", region), "ResourceExistsException"),
    ];
    for (operation, body, kind) in cases {
        refused(&desk.call(operation, body.clone()).await, kind, (operation, body));
    }
}
