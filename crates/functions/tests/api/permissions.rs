//! Policies of functions: who may invoke one.

use crate::desk::{ACCOUNT, Desk, REGION, STRANGER, account, arn, with};
use base::AccountId;
use serde_json::{Value, json};
use strongroom_functions::{By, Invocable, may_be_invoked};

const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app-AbCdEf";

fn permission(more: &Value) -> Value {
    let smallest = json!({
        "FunctionName": "app",
        "StatementId": "rotation",
        "Action": "lambda:InvokeFunction",
        "Principal": "secretsmanager.amazonaws.com",
    });
    with(smallest, more)
}

#[tokio::test]
async fn statements_are_added_shown_and_removed() {
    let desk = Desk::open().await;
    desk.function("app").await;
    let named = json!({ "FunctionName": "app" });
    let none = "404 ResourceNotFoundException: The resource you requested does not exist.";
    assert_eq!(desk.call("GetPolicy", named.clone()).await.told(), none);
    let added = desk.call("AddPermission", permission(&json!({ "SourceAccount": ACCOUNT }))).await;
    assert_eq!(added.status, 201);
    let expected = format!(
        "{{\"Sid\":\"rotation\",\"Effect\":\"Allow\",\"Principal\":{{\"Service\":\
         \"secretsmanager.amazonaws.com\"}},\"Action\":\"lambda:InvokeFunction\",\"Resource\":\"{}\",\
         \"Condition\":{{\"StringEquals\":{{\"AWS:SourceAccount\":\"{ACCOUNT}\"}}}}}}",
        arn("app")
    );
    assert_eq!(added.ok()["Statement"], expected);
    assert_eq!(desk.last_record()["eventName"], "AddPermission20150331v2");
    let shown = desk.call("GetPolicy", named.clone()).await.ok();
    assert_eq!(
        shown["Policy"],
        format!("{{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":[{expected}]}}")
    );
    let invalid = "400 InvalidParameterValueException: The provided principal was invalid.";
    let nobody = format!("arn:aws:iam::{ACCOUNT}:role/none");
    for (more, expected) in [
        (
            json!({}),
            "409 ResourceConflictException: The statement id (rotation) provided already exists.",
        ),
        (json!({ "StatementId": "b", "Principal": nobody }), invalid),
        (json!({ "StatementId": "b", "Principal": "nobody" }), invalid),
        (json!({ "StatementId": "b", "RevisionId": "x" }), "412 PreconditionFailedException"),
        (json!({ "StatementId": "b", "Action": "kms:Decrypt" }), "400 ValidationException"),
        (
            json!({ "StatementId": "b", "Qualifier": "$LATEST" }),
            "We currently do not support adding policies",
        ),
        (
            json!({ "StatementId": "b", "Qualifier": "7" }),
            "404 ResourceNotFoundException: Function not found",
        ),
        (json!({ "StatementId": "b", "Principal": STRANGER }), "ok"),
        (json!({ "StatementId": "c", "Principal": "*", "RevisionId": null }), "ok"),
    ] {
        let told = desk.call("AddPermission", permission(&more)).await.told();
        assert!(told.contains(expected), "{more}: {told}");
    }
    let remove = |sid: &str| json!({ "FunctionName": "app", "StatementId": sid });
    for sid in ["rotation", "b", "c"] {
        let removed = desk.call("RemovePermission", remove(sid)).await;
        assert_eq!((removed.status, removed.told()), (204, "ok".to_owned()), "{sid}");
    }
    let told = desk.call("RemovePermission", remove("b")).await.told();
    assert_eq!(told, "404 ResourceNotFoundException: Statement b is not found in resource policy.");
    assert_eq!(desk.call("GetPolicy", named).await.told(), none);
}

/// `native`, `code`, or why not.
async fn asked(desk: &Desk, arn: &str, account: &AccountId, secret: &str) -> String {
    let by = By { service: "secretsmanager.amazonaws.com", account, arn: secret };
    match may_be_invoked(&mut store::begin(&desk.backend), (arn, &desk.machine.elsewhere), by).await
    {
        Ok(Invocable::Code { .. }) => "code".to_owned(),
        Ok(Invocable::Elsewhere) => "elsewhere".to_owned(),
        Ok(Invocable::Native(_)) => "native".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_function_says_which_service_may_invoke_it_and_for_whom() {
    let desk = Desk::open().await;
    let denied = "the function's policy doesn't let the service invoke it";
    let (own, other): (_, AccountId) = (account(), STRANGER.parse().expect("valid"));
    let secret_of_other = SECRET.replace(ACCOUNT, STRANGER);
    #[rustfmt::skip]
    let cases = [
        // permission                                            own secret  another account's
        (json!({ "Principal": "events.amazonaws.com" }),         denied,     denied),
        (json!({}),                                              "code",     "code"),
        (json!({ "SourceAccount": ACCOUNT }),                    "code",     denied),
        (json!({ "SourceAccount": STRANGER }),                   denied,     "code"),
        (json!({ "SourceArn": SECRET }),                         "code",     denied),
        (json!({ "SourceArn": format!("{SECRET}x") }),           denied,     denied),
        (json!({ "SourceArn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app-*" }), "code", denied),
        (json!({ "Action": "lambda:GetFunction" }),              denied,     denied),
        (json!({ "Principal": "*" }),                            "code",     "code"),
    ];
    for (index, (more, for_own, for_other)) in cases.into_iter().enumerate() {
        let name = format!("f{index}");
        desk.function(&name).await;
        assert_eq!(asked(&desk, &arn(&name), &own, SECRET).await, denied, "no policy");
        let more = with(permission(&more), &json!({ "FunctionName": name }));
        desk.call("AddPermission", more.clone()).await.ok();
        assert_eq!(asked(&desk, &arn(&name), &own, SECRET).await, for_own, "{more}");
        assert_eq!(asked(&desk, &arn(&name), &other, &secret_of_other).await, for_other, "{more}");
    }
    let native = arn("strongroom-native");
    assert_eq!(asked(&desk, &native, &own, SECRET).await, "native");
    assert_eq!(asked(&desk, &native, &other, &secret_of_other).await, denied);
    for name in ["far-app", "far-app:live"] {
        assert_eq!(asked(&desk, &arn(name), &own, SECRET).await, "elsewhere");
        assert_eq!(asked(&desk, &arn(name), &other, &secret_of_other).await, denied);
    }
    let absent = "there is no such function";
    let misspelt = arn("SecretsManagerRDSDB2RotationSingleUser");
    for arn in [&arn("none"), &misspelt, "f1", "", &format!("{}:7", arn("f1"))] {
        assert_eq!(asked(&desk, arn, &own, SECRET).await, absent, "{arn}");
    }
    let foreign = format!("arn:aws:lambda:{REGION}:{STRANGER}:function:f1");
    assert_eq!(asked(&desk, &foreign, &own, SECRET).await, absent);
}

#[tokio::test]
async fn another_account_invokes_what_it_was_let() {
    let desk = Desk::open().await;
    desk.function("app").await;
    let invoke = async || {
        let input = json!({ "FunctionName": arn("app") });
        desk.call_as(STRANGER, &desk.access, "Invoke", input).await.told()
    };
    assert!(invoke().await.starts_with("403 AccessDeniedException"));
    desk.call("AddPermission", permission(&json!({ "Principal": STRANGER }))).await.ok();
    assert_eq!(invoke().await, "ok");
}
