//! Functions made, changed, listed and deleted.

use crate::desk::{
    ACCOUNT, Desk, NOW, STRANGER, access, account, allow, arn, function, package, with,
};
use base::SystemEntropy;
use identity::sts::service_role::begin;
use policy::engine::MapContext;
use serde_json::{Value, json};
use std::time::Duration;
use strongroom_functions::HOST;
use strongroom_functions::maintenance::sweep;

#[tokio::test]
async fn a_function_is_what_it_was_made_with() {
    let desk = Desk::open().await;
    let more = json!({
        "Environment": { "Variables": { "TOKEN": "canary-s3cret" } },
        "Tags": { "team": "a" },
        "Timeout": 30,
    });
    let made = desk.call("CreateFunction", with(function("app"), &more)).await;
    assert_eq!(made.status, 201);
    let made = made.ok();
    for (member, expected) in [
        ("FunctionArn", json!(arn("app"))),
        ("LastModified", json!("2026-01-31T10:00:00.000+0000")),
        ("State", json!("Active")),
        ("LastUpdateStatus", json!("Successful")),
        ("Version", json!("$LATEST")),
        ("Timeout", json!(30)),
        ("MemorySize", json!(128)),
        ("Architectures", json!(["x86_64"])),
        ("EphemeralStorage", json!({ "Size": 512 })),
        ("TracingConfig", json!({ "Mode": "PassThrough" })),
        ("Environment", json!({ "Variables": { "TOKEN": "canary-s3cret" } })),
    ] {
        assert_eq!(made[member], expected, "{member}");
    }
    assert_eq!(desk.shelf.0.lock().expect("whole").len(), 1);
    let record = desk.last_record();
    assert_eq!(record["eventName"], "CreateFunction20150331");
    assert_eq!(record["responseElements"]["functionArn"], arn("app"));
    let all = desk.records().iter().map(Value::to_string).collect::<String>();
    assert!(!all.contains("canary-s3cret") && !all.contains(&package("app.py")));

    for name in ["app", "app:$LATEST", "111122223333:function:app", &arn("app")] {
        let shown = desk.call("GetFunction", json!({ "FunctionName": name })).await.ok();
        assert_eq!(shown["Configuration"]["CodeSha256"], made["CodeSha256"], "{name}");
        assert_eq!(shown["Tags"], json!({ "team": "a" }));
    }
    let qualified = json!({ "FunctionName": "app", "Qualifier": "$LATEST" });
    let shown = desk.call("GetFunctionConfiguration", qualified).await.ok();
    assert_eq!(shown["FunctionArn"], format!("{}:$LATEST", arn("app")));
    let versions = json!({ "FunctionName": "app" });
    let versions = desk.call("ListVersionsByFunction", versions).await.ok();
    assert_eq!(versions["Versions"][0]["Version"], "$LATEST");
}

#[tokio::test]
async fn what_cant_be_made_is_told() {
    let desk = Desk::open().await;
    desk.role("other", &trusting("ec2.amazonaws.com")).await;
    desk.function("there").await;
    let role = |name: &str| json!({ "Role": format!("arn:aws:iam::{ACCOUNT}:role/{name}") });
    let elsewhere = json!({ "Role": format!("arn:aws:iam::{STRANGER}:role/app") });
    let cant_assume = "400 InvalidParameterValueException: The role defined for the function cannot be \
        assumed by Lambda.";
    let code = |it: Value| json!({ "Code": it });
    let env = |it: Value| json!({ "Environment": { "Variables": it } });
    let long = "x".repeat(4096);
    for (more, expected) in [
        (role("none"), cant_assume),
        (role("other"), cant_assume),
        (elsewhere, "403 AccessDeniedException: Cross-account pass role is not allowed."),
        (
            json!({ "FunctionName": "there" }),
            "409 ResourceConflictException: Function already exist: there",
        ),
        (
            json!({ "FunctionName": "strongroom-native" }),
            "409 ResourceConflictException: strongroom-native is",
        ),
        (
            json!({ "FunctionName": "far-app" }),
            "409 ResourceConflictException: far-app is the name of a function that is somewhere else",
        ),
        (
            json!({ "Runtime": null }),
            "400 InvalidParameterValueException: Runtime and Handler are mandatory",
        ),
        (
            json!({ "Runtime": "cobol" }),
            "400 InvalidParameterValueException: Value cobol at 'runtime' failed",
        ),
        (json!({ "PackageType": "Image" }), "PackageType other than Zip is not supported"),
        (json!({ "Publish": true }), "Publish is not supported"),
        (json!({ "Layers": ["arn"] }), "Layers is not supported"),
        (json!({ "VpcConfig": { "SubnetIds": ["subnet-1"] } }), "VpcConfig is not supported"),
        (code(json!({ "S3Bucket": "b", "S3Key": "k" })), "Code from S3 is not supported"),
        (code(json!({ "ImageUri": "u" })), "Code in an image is not supported"),
        (
            code(json!({})),
            "400 InvalidParameterValueException: Please provide a source for function code.",
        ),
        (
            code(json!({ "ZipFile": "UEs=" })),
            "400 InvalidParameterValueException: Could not unzip uploaded file.",
        ),
        (code(json!({ "ZipFile": package("../app.py") })), "Could not unzip uploaded file."),
        (env(json!({ "AWS_REGION": "x" })), "Reserved keys used in this request: AWS_REGION"),
        (env(json!({ "AB": long })), "exceeded the 4KB limit"),
        (
            json!({ "Timeout": 901 }),
            "400 ValidationException: 1 validation error detected: Value '901' at 'timeout'",
        ),
        (json!({ "FunctionName": "a b" }), "400 ValidationException: 1 validation error"),
        (json!({ "Role": null }), "Value null at 'role'"),
        (
            json!({ "FunctionName": "arn:aws:lambda:us-east-1:111122223333:function:a" }),
            "404 ResourceNotFoundException: Functions from 'us-east-1' are not reachable in this region ('eu-west-1')",
        ),
        // What is empty asks for nothing.
        (
            json!({ "VpcConfig": { "SubnetIds": [] }, "Layers": [], "Publish": false, "KMSKeyArn": "" }),
            "ok",
        ),
    ] {
        let told = desk.call("CreateFunction", with(function("app"), &more)).await.told();
        assert!(told.contains(expected), "{more}: {told}");
    }
}

fn trusting(service: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole",
        },
    })
}

#[tokio::test]
async fn a_role_gives_sessions_to_the_service_that_it_trusts() {
    let desk = Desk::open().await;
    let mut trust = trusting("lambda.amazonaws.com");
    trust["Statement"]["Condition"] = json!({ "ArnLike": { "aws:SourceArn": arn("app") } });
    desk.role("narrow", &trust).await;
    let (account, region) = (account(), desk.region.clone());
    let (keyring, entropy) = (&desk.keyring, &SystemEntropy);
    let scope = kms::Scope { keyring, entropy, now: NOW, account: &account, region: &region };
    let day = Duration::from_hours(24);
    for (role, service, function, expected) in [
        ("narrow", HOST, "app", true),
        ("narrow", HOST, "other", false),
        ("narrow", "ec2.amazonaws.com", "app", false),
        ("none", HOST, "app", false),
    ] {
        let mut txn = store::begin(&desk.backend);
        let keys = MapContext::new().with("aws:sourcearn", &arn(function));
        let role_arn = format!("arn:aws:iam::{ACCOUNT}:role/{role}");
        let session = (role_arn.as_str(), function);
        let begun = begin(&mut txn, &scope, (service, &keys), session, day).await.expect("asked");
        assert_eq!(begun.is_some(), expected, "{role} {service} {function}");
        if let Some(credentials) = begun {
            // As long as sessions of the role last at most.
            assert_eq!(credentials.expiration, NOW.plus(Duration::from_hours(1)));
        }
    }
}

#[tokio::test]
async fn updates_change_revisions_and_only_those_expected() {
    let desk = Desk::open().await;
    let made = desk.function("app").await;
    let revision = |it: &Value| it["RevisionId"].as_str().expect("one").to_owned();
    let update = |revision: &str, more: Value| {
        with(json!({ "FunctionName": "app", "RevisionId": revision }), &more)
    };
    let set = update(&revision(&made), json!({ "Timeout": 9, "Handler": "b.c" }));
    let changed = desk.call("UpdateFunctionConfiguration", set.clone()).await.ok();
    assert_eq!((&changed["Timeout"], &changed["Handler"]), (&json!(9), &json!("b.c")));
    assert_eq!(changed["Runtime"], "python3.12");
    assert_ne!(revision(&changed), revision(&made));
    let told = desk.call("UpdateFunctionConfiguration", set).await.told();
    assert!(told.starts_with("412 PreconditionFailedException: "), "{told}");

    let dry = json!({ "ZipFile": package("b.py"), "DryRun": true });
    desk.call("UpdateFunctionCode", update(&revision(&changed), dry)).await.ok();
    let code = update(&revision(&changed), json!({ "ZipFile": package("b.py") }));
    let other = desk.call("UpdateFunctionCode", code).await.ok();
    assert_ne!(other["CodeSha256"], made["CodeSha256"]);
    assert_eq!(desk.last_record()["eventName"], "UpdateFunctionCode20150331v2");
}

#[tokio::test]
async fn packages_go_when_no_function_has_them() {
    let desk = Desk::open().await;
    for name in ["a", "b"] {
        desk.function(name).await;
    }
    let swept = async || sweep(&desk.backend, &*desk.shelf, NOW).await.expect("swept");
    assert_eq!(swept().await, 0);
    let code = json!({ "FunctionName": "a", "ZipFile": package("b.py") });
    desk.call("UpdateFunctionCode", code).await.ok();
    assert_eq!(swept().await, 0, "`b` has the first one");
    desk.call("DeleteFunction", json!({ "FunctionName": "b" })).await.ok();
    assert_eq!(swept().await, 1);
    let gone = desk.call("GetFunction", json!({ "FunctionName": "b" })).await.told();
    assert_eq!(gone, format!("404 ResourceNotFoundException: Function not found: {}", arn("b")));
    desk.call("DeleteFunction", json!({ "FunctionName": "a" })).await.ok();
    assert_eq!(swept().await, 1);
}

#[tokio::test]
async fn lists_have_pages_and_native_functions_come_last() {
    let desk = Desk::open().await;
    for name in ["a", "b", "z"] {
        desk.function(name).await;
    }
    let (mut names, mut marker) = (Vec::new(), Value::Null);
    loop {
        let page = with(json!({ "MaxItems": 2 }), &json!({ "Marker": marker }));
        let page = desk.call("ListFunctions", page).await.ok();
        let functions = page["Functions"].as_array().expect("a list");
        assert!((1..=2).contains(&functions.len()));
        names.extend(
            functions.iter().map(|it| it["FunctionName"].as_str().expect("one").to_owned()),
        );
        marker = page["NextMarker"].clone();
        if marker.is_null() {
            break;
        }
    }
    assert_eq!(&names[..4], ["a", "b", "z", "SecretsManagerElasticacheUserRotation"]);
    let count = 3 + strongroom_functions::native::all().count();
    assert_eq!(names.len(), count);
    let all = desk.call("ListFunctions", json!({})).await.ok();
    assert_eq!(all["Functions"].as_array().map(Vec::len), Some(count));
    let told = desk.call("ListFunctions", json!({ "Marker": "x" })).await.told();
    assert_eq!(told, "400 InvalidParameterValueException: Invalid marker");
}

#[tokio::test]
async fn native_functions_are_shown_and_never_changed() {
    let desk = Desk::open().await;
    let name = "SecretsManagerRDSPostgreSQLRotationSingleUser";
    let named = json!({ "FunctionName": name });
    let shown = desk.call("GetFunction", named.clone()).await.ok();
    assert_eq!(shown["Configuration"]["FunctionArn"], arn(name));
    let policy = desk.call("GetPolicy", named.clone()).await.ok();
    let policy: Value =
        serde_json::from_str(policy["Policy"].as_str().expect("text")).expect("JSON");
    let principal = &policy["Statement"][0]["Principal"]["Service"];
    assert_eq!(principal, "secretsmanager.amazonaws.com");
    let permission =
        json!({ "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "*" });
    for (operation, more, expected) in [
        ("DeleteFunction", json!({}), "409 ResourceConflictException"),
        ("UpdateFunctionCode", json!({ "ZipFile": package("a") }), "409 ResourceConflictException"),
        ("UpdateFunctionConfiguration", json!({}), "409 ResourceConflictException"),
        ("AddPermission", permission, "409 ResourceConflictException"),
        ("Invoke", json!({}), "400 InvalidParameterValueException"),
    ] {
        let told = desk.call(operation, with(named.clone(), &more)).await.told();
        assert!(told.starts_with(expected) && told.contains("native"), "{operation}: {told}");
    }
}

#[tokio::test]
async fn tags_and_what_nobody_has() {
    let desk = Desk::open().await;
    desk.function("app").await;
    let resource = |more: Value| with(json!({ "Resource": arn("app") }), &more);
    desk.call("TagResource", resource(json!({ "Tags": { "a": "1", "b": "2" } }))).await.ok();
    desk.call("UntagResource", resource(json!({ "tagKeys": ["a"] }))).await.ok();
    let tags = desk.call("ListTags", resource(json!({}))).await.ok();
    assert_eq!(tags["Tags"], json!({ "b": "2" }));
    let told = desk.call("TagResource", resource(json!({ "Tags": { "aws:x": "1" } }))).await.told();
    assert!(told.contains("cannot start with aws:"), "{told}");
    let named = json!({ "FunctionName": "app" });
    assert_eq!(desk.call("GetFunctionConcurrency", named.clone()).await.ok(), json!({}));
    let config = desk.call("GetFunctionCodeSigningConfig", named).await.ok();
    assert_eq!(config["FunctionName"], "app");
}

#[tokio::test]
async fn policies_come_before_everything_else() {
    let desk = Desk::open().await;
    desk.function("app").await;
    let only = access(&json!([allow("lambda:GetFunction", &arn("app"))]));
    let denied =
        "403 AccessDeniedException: User: arn:aws:iam::111122223333:user/admin is not authorized";
    for (operation, input, expected) in [
        ("GetFunction", json!({ "FunctionName": "app" }), "ok"),
        ("GetFunction", json!({ "FunctionName": "none" }), denied),
        ("GetFunctionConfiguration", json!({ "FunctionName": "app" }), denied),
        ("ListFunctions", json!({ "MaxItems": 0 }), denied),
        ("DeleteFunction", json!({ "FunctionName": "app" }), denied),
        ("CreateFunction", json!({ "FunctionName": "new" }), denied),
        ("Invoke", json!({ "FunctionName": "app" }), denied),
    ] {
        let told = desk.call_as(ACCOUNT, &only, operation, input).await.told();
        assert!(told.starts_with(expected), "{operation}: {told}");
    }
    // A role is handed over only by who may, and only to this service.
    let passing = |service: &str| {
        let condition = json!({ "StringEquals": { "iam:PassedToService": service } });
        let pass = with(allow("iam:PassRole", "*"), &json!({ "Condition": condition }));
        access(&json!([allow("lambda:*", "*"), pass]))
    };
    for (service, expected) in [("ec2.amazonaws.com", denied), ("lambda.amazonaws.com", "ok")] {
        let access = passing(service);
        let told = desk.call_as(ACCOUNT, &access, "CreateFunction", function("new")).await.told();
        assert!(told.starts_with(expected), "{service}: {told}");
    }
    // Another account learns nothing.
    let told =
        desk.call_as(STRANGER, &desk.access, "GetFunction", json!({ "FunctionName": arn("app") }));
    let told = told.await.told();
    let none =
        desk.call_as(STRANGER, &desk.access, "GetFunction", json!({ "FunctionName": arn("none") }));
    assert_eq!(told.replace("function:app", "function:none"), none.await.told());
    assert!(told.starts_with("403 AccessDeniedException"), "{told}");
}
