//! Invoke, with a scripted runtime.

use crate::desk::{Desk, NOW, arn, function, with};
use base::SystemEntropy;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use strongroom_functions::{InvokeError, Invoked, Tools, find};

fn asking(payload: &str, more: &Value) -> Value {
    with(json!({ "FunctionName": "app", "Payload": STANDARD.encode(payload) }), more)
}

#[tokio::test]
async fn what_a_function_answers_comes_back() {
    let desk = Desk::open().await;
    let environment = json!({ "Environment": { "Variables": { "AB": "c" } } });
    desk.call("CreateFunction", with(function("app"), &environment)).await.ok();
    let answered = desk.call("Invoke", asking(r#"{"canary":1}"#, &json!({}))).await;
    assert_eq!(answered.status, 200);
    assert_eq!(answered.headers, [("x-amz-executed-version", "$LATEST".to_owned())]);
    assert_eq!(answered.body, json!({ "canary": 1 }));
    let asked = desk.script.asked.lock().expect("whole").pop();
    assert_eq!(asked.as_deref(), Some(r#"app.handler {"canary":1} false ["AB=c"]"#));
    let record = desk.last_record();
    assert_eq!(
        (&record["eventName"], &record["eventCategory"]),
        (&json!("Invoke"), &json!("Data"))
    );
    assert_eq!(record["managementEvent"], false);
    assert!(!record.to_string().contains("canary"));

    let failed = Invoked {
        payload: Bytes::from_static(br#"{"errorMessage":"x"}"#),
        error: Some("Unhandled"),
        log: Some(Bytes::from_static(b"log")),
    };
    *desk.script.answer.lock().expect("whole") = Some(Ok(failed));
    let answered = desk.call("Invoke", asking("{}", &json!({ "LogType": "Tail" }))).await;
    assert_eq!((answered.status, answered.error), (200, None));
    assert_eq!(answered.body["errorMessage"], "x");
    assert!(answered.headers.contains(&("x-amz-function-error", "Unhandled".to_owned())));
    assert!(answered.headers.contains(&("x-amz-log-result", STANDARD.encode("log"))));
}

#[tokio::test]
async fn other_kinds_of_invocations() {
    let desk = Desk::open().await;
    desk.function("app").await;
    let kind = |it: &str| asking("[]", &json!({ "InvocationType": it }));
    let count = || desk.script.asked.lock().expect("whole").len();
    for (kind, status, asked) in [(kind("DryRun"), 204, 0), (kind("Event"), 202, 1)] {
        let answered = desk.call("Invoke", kind).await;
        assert_eq!((answered.status, answered.body.clone()), (status, Value::Null));
        assert_eq!(count(), asked);
    }
    for (input, expected) in [
        (asking("{", &json!({})), "400 InvalidRequestContentException"),
        (asking("{}", &json!({ "Qualifier": "1" })), "404 ResourceNotFoundException"),
        (asking("{}", &json!({ "FunctionName": "none" })), "404 ResourceNotFoundException"),
        (asking("{}", &json!({ "InvocationType": "x" })), "400 ValidationException"),
        (asking("{}", &json!({ "TenantId": "x" })), "400 InvalidParameterValueException"),
    ] {
        let told = desk.call("Invoke", input).await.told();
        assert!(told.starts_with(expected), "{told}");
    }
    for (error, expected) in [
        (InvokeError::Busy, "429 TooManyRequestsException: Rate Exceeded."),
        (
            InvokeError::Failed("fork".to_owned()),
            "500 ServiceException: An error occurred on the server side.",
        ),
    ] {
        *desk.script.answer.lock().expect("whole") = Some(Err(error));
        assert_eq!(desk.call("Invoke", asking("{}", &json!({}))).await.told(), expected);
    }
}

#[tokio::test]
async fn without_a_runtime_it_says_so() {
    let mut desk = Desk::open().await;
    desk.machine.invoker = None;
    desk.function("app").await;
    let told = desk.call("Invoke", asking("{}", &json!({}))).await.told();
    assert_eq!(
        told,
        "500 ServiceException: This server has no runtime for functions: none is set up"
    );
}

#[tokio::test]
async fn who_runs_functions_finds_them_with_their_environment() {
    let desk = Desk::open().await;
    let environment = json!({ "Environment": { "Variables": { "AB": "c" } } });
    desk.call("CreateFunction", with(function("app"), &environment)).await.ok();
    let tools = Tools { keyring: &desk.keyring, entropy: &SystemEntropy, now: NOW };
    let mut txn = store::begin(&desk.backend);
    let found = find(&mut txn, tools, &arn("app")).await.expect("read").expect("there");
    assert_eq!(found.environment["AB"].expose(), b"c");
    assert!(!format!("{found:?}").contains("\"c\""));
    assert!(find(&mut txn, tools, &arn("none")).await.expect("read").is_none());
}
