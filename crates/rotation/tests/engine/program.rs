//! Functions that aren't ours: four steps, and what is made of their failures.

use crate::world::server::PLAIN;
use crate::world::{Acting, TOKEN, World, with_token};
use serde_json::{Value, json};
use std::sync::Arc;

/// A function that this world has as a program.
const FUNCTION: &str =
    "arn:aws:lambda:us-east-1:111122223333:function:SecretsManagerElasticacheUserRotation";

async fn ask(world: &World, more: Value) -> Value {
    let mut asked =
        json!({ "SecretId": "app", "RotationLambdaARN": FUNCTION, "ClientRequestToken": TOKEN });
    more.as_object().expect("an object").iter().for_each(|(key, it)| asked[key] = it.clone());
    world.ok("RotateSecret", asked).await
}

/// What the generic template does, with a step that fails if the test says so.
fn faithful(fails: Option<&'static str>) -> crate::world::Script {
    Box::new(move |desk: Arc<testkit::Desk>, event: Value| -> Acting {
        Box::pin(async move {
            let id = event["SecretId"].clone();
            if Some(event["Step"].as_str().expect("text")) == fails {
                return Err("the step has failed".to_owned());
            }
            let token = &event["ClientRequestToken"];
            match event["Step"].as_str().expect("text") {
                "createSecret" => {
                    let pending =
                        json!({ "SecretId": id, "VersionId": token, "VersionStage": "AWSPENDING" });
                    let read = desk.call("GetSecretValue", pending.clone()).await;
                    if read.status == 200 {
                        return Ok(());
                    }
                    assert_eq!(read.error(), Some("ResourceNotFoundException"), "row 139");
                    let put = json!({ "SecretId": id, "ClientRequestToken": token, "SecretString": "next", "VersionStages": ["AWSPENDING"], "RotationToken": event["RotationToken"] });
                    assert_eq!(desk.call("PutSecretValue", put).await.status, 200);
                    assert_eq!(
                        desk.call("GetSecretValue", pending).await.get("SecretString"),
                        "next"
                    );
                }
                "finishSecret" => {
                    let described = desk.call("DescribeSecret", json!({ "SecretId": id })).await;
                    let stages =
                        described.get("VersionIdsToStages").as_object().expect("stages").clone();
                    let current = stages.iter().find(|it| {
                        it.1.as_array().is_some_and(|it| it.contains(&json!("AWSCURRENT")))
                    });
                    let current = current.expect("one is current").0;
                    let moved = json!({ "SecretId": id, "VersionStage": "AWSCURRENT", "MoveToVersionId": token, "RemoveFromVersionId": current });
                    assert_eq!(desk.call("UpdateSecretVersionStage", moved).await.status, 200);
                }
                _ => (),
            }
            Ok(())
        })
    })
}

fn steps(world: &World) -> Vec<String> {
    let events = world.program.events.lock().expect("sound");
    events.iter().map(|it| it["Step"].as_str().expect("text").to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn four_steps_in_order_and_what_each_is_told() {
    let world = World::open(1, &PLAIN).await;
    world.secrets(false).await;
    *world.program.script.lock().expect("sound") = Some(faithful(None));
    let arn = ask(&world, json!({})).await["ARN"].clone();
    world.settle().await;
    assert_eq!(steps(&world), ["createSecret", "setSecret", "testSecret", "finishSecret"]);
    for event in world.program.events.lock().expect("sound").iter() {
        assert_eq!((&event["SecretId"], &event["ClientRequestToken"]), (&arn, &json!(TOKEN)));
        assert_eq!(event["RotationToken"].as_str().map(str::len), Some(36));
        assert_eq!(event.as_object().map(serde_json::Map::len), Some(4));
    }
    let after = world.described().await;
    assert_eq!(after["VersionIdsToStages"][TOKEN], json!(["AWSCURRENT", "AWSPENDING"]), "row 142");
    assert!(after["LastRotatedDate"].is_number());
    assert_eq!(world.events().await, ["RotationStarted", "RotationSucceeded"]);
}

#[tokio::test(start_paused = true)]
async fn a_failing_step_is_told_with_its_name_and_all_begins_again() {
    for step in ["createSecret", "setSecret", "testSecret", "finishSecret"] {
        let world = World::open(2, &PLAIN).await;
        world.secrets(false).await;
        *world.program.script.lock().expect("sound") = Some(faithful(Some(step)));
        ask(&world, json!({})).await;
        world.settle().await;
        let status = world.status().await;
        assert_eq!((status.step.as_str(), status.text.as_str()), (step, "the step has failed"));
        let stages = world.described().await["VersionIdsToStages"][TOKEN].clone();
        assert_eq!(stages, json!(["AWSPENDING"]), "{step}");
        *world.program.script.lock().expect("sound") = Some(faithful(None));
        world.pass(1).await;
        assert_eq!(
            world.events().await,
            ["RotationFailed", "RotationStarted", "RotationSucceeded"]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_that_moves_nothing_has_not_rotated() {
    let world = World::open(3, &PLAIN).await;
    world.secrets(false).await;
    ask(&world, json!({})).await;
    world.settle().await;
    assert_eq!(world.status().await.step, "finishSecret");
    assert_eq!(world.described().await["LastRotatedDate"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_test_is_one_step() {
    let world = World::open(4, &PLAIN).await;
    world.secrets(false).await;
    ask(&world, json!({ "RotateImmediately": false })).await;
    world.settle().await;
    assert_eq!(steps(&world), ["testSecret"]);
    assert_eq!(world.events().await, ["TestRotationStarted", "TestRotationSucceeded"]);
}

#[tokio::test(start_paused = true)]
async fn a_rotation_token_that_is_not_the_attempts_writes_nothing() {
    let world = World::open(5, &PLAIN).await;
    world.secrets(false).await;
    ask(&world, json!({})).await;
    let forged = json!({ "SecretId": "app", "SecretString": "x", "RotationToken": "0".repeat(36) });
    let put = world.desk.call("PutSecretValue", with_token(forged, 30)).await;
    assert_eq!(put.error(), Some("AccessDeniedException"));
    assert!(world.login("AWSCURRENT").await.is_some());
}
