//! What is left over: attempts that failed, windows that passed, clocks that were set.

use crate::world::server::{Mood, OVERLAPPING, PLAIN};
use crate::world::{MULTI, NATIVE, SINGLE, TOKEN, World, with_token};
use base::{Clock, Timestamp, Uuid};
use secrets::rotation::view;
use serde_json::{Value, json};
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);

/// A world in which `app` rotates by `rules`, and has not yet.
async fn scheduled(master: bool, function: &str, rules: Value) -> World {
    let world = World::open(21, &PLAIN).await;
    world.secrets(master).await;
    let asked = json!({ "SecretId": "app", "RotationLambdaARN": function, "RotationRules": rules, "RotateImmediately": false, "ClientRequestToken": TOKEN });
    world.ok("RotateSecret", asked).await;
    world.settle().await;
    world.events().await;
    world
}

fn nightly() -> Value {
    json!({ "ScheduleExpression": "cron(0 2 * * ? *)", "Duration": "3h" })
}

async fn next_fires(world: &World) -> Timestamp {
    world.rotation().await.and_then(|it| it.next).expect("a window").fires
}

async fn at(world: &World, instant: Timestamp) {
    world.desk.clock.advance(instant.since(world.desk.clock.now()));
    world.settle().await;
}

#[tokio::test(start_paused = true)]
async fn a_window_that_is_missed_is_made_up_for_or_waited_for() {
    for (rules, made_up) in [
        (json!({ "AutomaticallyAfterDays": 1 }), true),
        (json!({ "ScheduleExpression": "rate(10 hours)" }), true),
        (nightly(), false),
    ] {
        for away in [HOUR * 30, HOUR * (24 * 31 + 6)] {
            let world = scheduled(false, SINGLE, rules.clone()).await;
            let missed = next_fires(&world).await;
            // The server was down, or its clock was set forward: nobody was there.
            at(&world, missed.plus(away)).await;
            let now = world.desk.clock.now();
            let next = next_fires(&world).await;
            if made_up {
                assert!(now < next && next <= now.plus(Duration::from_mins(10)), "{rules} {next}");
                assert!(world.events().await.is_empty());
                at(&world, next).await;
                let told = ["RotationOverdue", "RotationStarted", "RotationSucceeded"];
                let events = world.events().await;
                assert!(
                    told[1..].iter().all(|it| events.contains(&(*it).to_owned())),
                    "{events:?}"
                );
            } else {
                assert_eq!(
                    world.events().await.last().map(String::as_str),
                    Some("RotationWindowMissed")
                );
                assert!(now < next && next < now.plus(HOUR * 25), "{rules} {next}");
                assert_eq!(world.login("AWSCURRENT").await.expect("a value").1, "first");
                at(&world, next).await;
                assert_eq!(world.events().await, ["RotationStarted", "RotationSucceeded"]);
            }
        }
    }
}

/// A window that was used isn't used again, whatever the clock says later.
#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_runs_no_window_twice() {
    for back in [HOUR, HOUR * 24 * 31] {
        for rules in [nightly(), json!({ "ScheduleExpression": "rate(8 hours)" })] {
            let world = scheduled(false, SINGLE, rules.clone()).await;
            at(&world, next_fires(&world).await).await;
            assert_eq!(world.events().await, ["RotationStarted", "RotationSucceeded"]);
            let (used, next) = {
                let rotation = world.rotation().await.expect("it rotates");
                (rotation.used.expect("a window was used"), rotation.next.expect("another comes"))
            };
            world.desk.clock.retreat(back);
            world.pass(2).await;
            assert!(world.events().await.is_empty(), "{rules}");
            // Nor does somebody who rotates by hand meanwhile bring it back.
            world.ok("RotateSecret", with_token(json!({ "SecretId": "app" }), 31)).await;
            world.settle().await;
            assert_eq!(world.events().await, ["RotationStarted", "RotationSucceeded"]);
            let again = world.rotation().await.and_then(|it| it.next).expect("another comes");
            assert!(used < again.opens && again.opens <= next.opens, "{rules} {again:?}");
        }
    }
}

/// A maintenance window holds for what failed in it, too; but not for what somebody wants now.
#[tokio::test(start_paused = true)]
async fn what_failed_in_a_maintenance_window_waits_for_the_next() {
    let world = scheduled(false, SINGLE, nightly()).await;
    world.server.users().mood = Mood::Down;
    let opens = world.rotation().await.and_then(|it| it.next).expect("a window").opens;
    at(&world, next_fires(&world).await).await;
    assert_eq!(world.events().await, ["RotationFailed", "RotationStarted"]);
    world.server.users().mood = Mood::Well;
    at(&world, opens.plus(HOUR * 7 / 2)).await;
    assert_eq!(world.events().await, ["RotationWindowMissed"]);
    let job = world.rotation().await.and_then(|it| it.job).expect("it is left");
    assert!(opens.plus(HOUR * 24) <= job.at && job.at < opens.plus(HOUR * 27), "{job:?}");
    let again = world.desk.call("RotateSecret", with_token(json!({ "SecretId": "app" }), 32)).await;
    assert_eq!(again.error(), Some("InvalidRequestException"));
    world.settle().await;
    assert_eq!(world.events().await, ["RotationSucceeded"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_overdue_is_told_once() {
    let world = scheduled(false, SINGLE, json!({ "AutomaticallyAfterDays": 1 })).await;
    world.server.users().mood = Mood::Down;
    world.pass(24 * 5).await;
    let events = world.events().await;
    let count = |name: &str| events.iter().filter(|it| *it == name).count();
    assert_eq!(count("RotationOverdue"), 1, "{events:?}");
    assert!(count("RotationFailed") >= 5, "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_rolled_back_and_what_is_dropped_is_told() {
    let world = scheduled(false, SINGLE, json!({ "AutomaticallyAfterDays": 1 })).await;
    world.server.users().mood = Mood::Lies;
    at(&world, next_fires(&world).await).await;
    let told = ["RotationFailed", "RotationRolledBack", "RotationStarted"];
    assert_eq!(world.events().await, told);

    let world = World::open(22, &OVERLAPPING).await;
    world.secrets(true).await;
    let rules = json!({ "AutomaticallyAfterDays": 30 });
    let asked = json!({ "SecretId": "app", "RotationLambdaARN": NATIVE, "RotationRules": rules, "ClientRequestToken": TOKEN });
    world.ok("RotateSecret", asked).await;
    world.settle().await;
    let discarded = "RotationOldPasswordDiscarded".to_owned();
    assert!(!world.events().await.contains(&discarded), "both log in");
    world.pass(24 * 31).await;
    assert!(world.events().await.contains(&discarded), "the third pushes out the first");
}

/// Somebody mends what was wrong and asks again while the attempt that fails is under way.
#[tokio::test(start_paused = true)]
async fn asked_for_again_during_an_attempt_another_follows_at_once() {
    let world = scheduled(false, SINGLE, json!({ "AutomaticallyAfterDays": 1 })).await;
    world.server.users().mood = Mood::Hangs;
    let fires = next_fires(&world).await;
    world.desk.clock.advance(fires.since(world.desk.clock.now()));
    let asking = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        world.desk.call("RotateSecret", with_token(json!({ "SecretId": "app" }), 33)).await
    };
    let (next, _) = tokio::join!(world.settle(), asking);
    assert_eq!(next, Some(world.desk.clock.now().plus(Duration::from_secs(1))));
    world.server.users().mood = Mood::Well;
    at(&world, world.desk.clock.now().plus(Duration::from_secs(1))).await;
    assert!(world.events().await.contains(&"RotationSucceeded".to_owned()));
}

/// Another version than the two labelled ones may be the server's: it is kept, and tried.
#[tokio::test(start_paused = true)]
async fn a_kept_password_changes_it_where_no_labelled_one_does() {
    let world = scheduled(false, SINGLE, json!({ "AutomaticallyAfterDays": 1 })).await;
    world.server.users().mood = Mood::Lies;
    at(&world, next_fires(&world).await).await;
    // The server may know it: it is pinned. Two values put by hand take both labels.
    world.server.users().mood = Mood::Well;
    for (number, password) in [(41, "second"), (42, "third")] {
        let value =
            json!({ "engine": "postgres", "host": "db", "username": "app", "password": password });
        let asked = json!({ "SecretId": "app", "SecretString": value.to_string() });
        world.ok("PutSecretValue", with_token(asked, number)).await;
    }
    assert!(world.server.admits("app", b"first") && !world.works("AWSPREVIOUS").await);
    world.pass(1).await;
    assert!(world.works("AWSCURRENT").await, "{:?}", world.status().await);
}

#[tokio::test(start_paused = true)]
async fn a_repair_takes_over_from_what_needs_an_operator() {
    for (function, master) in [(SINGLE, false), (MULTI, true)] {
        let world = scheduled(master, function, json!({ "AutomaticallyAfterDays": 1 })).await;
        world.server.users().passwords.insert("app".into(), vec![b"changed by hand".to_vec()]);
        at(&world, next_fires(&world).await).await;
        assert!(world.status().await.operator, "{function}");
        world.server.users().passwords.insert("app".into(), vec![b"first".to_vec()]);
        let seen = world.view().await;
        let mut txn = store::begin(&*world.desk.backend);
        let fresh = (world.desk.clock.now(), Uuid::random(&*world.desk.entropy));
        let told = view::ask_to_reconcile(&mut txn, &seen, fresh).await.expect("the store");
        assert_eq!(told.map(|it| it.len()), Ok(1), "the rotation is abandoned");
        txn.commit().await.expect("nobody else writes");
        world.settle().await;
        let rotation = world.rotation().await.expect("it rotates");
        assert!(rotation.job.is_none() && world.works("AWSCURRENT").await, "{function}");
    }
}

/// A label too many is the client's to remove: it is told, and not tried every few seconds.
#[tokio::test(start_paused = true)]
async fn a_secret_without_room_for_a_label_says_so() {
    let world = scheduled(false, SINGLE, json!({ "AutomaticallyAfterDays": 1 })).await;
    let id = world.described().await["VersionIdsToStages"].as_object().expect("stages").clone();
    let current = id.iter().find(|it| it.1[0] == "AWSCURRENT").expect("one is current").0.clone();
    for number in 0..19 {
        let label = json!({ "SecretId": "app", "VersionStage": format!("label-{number}"), "MoveToVersionId": current });
        world.ok("UpdateSecretVersionStage", label).await;
    }
    at(&world, next_fires(&world).await).await;
    assert_eq!(world.events().await, ["RotationFailed", "RotationStarted"]);
    let (status, commits) = (world.status().await, world.desk.backend.commits());
    assert!(status.step == "createSecret" && status.text.contains("label"), "{status:?}");
    world.settle().await;
    assert_eq!(world.desk.backend.commits(), commits, "nothing more is tried");
}

/// What is left of a rotation that was cancelled is a label; RotateSecret takes it up where that is safe.
#[tokio::test(start_paused = true)]
async fn a_pending_version_without_a_rotation_is_taken_up() {
    for put in [false, true] {
        let world = scheduled(false, SINGLE, json!({ "AutomaticallyAfterDays": 1 })).await;
        if put {
            let value = json!({ "engine": "postgres", "host": "db", "username": "app", "password": "mine" });
            let asked = json!({ "SecretId": "app", "SecretString": value.to_string(), "VersionStages": ["AWSPENDING"] });
            world.ok("PutSecretValue", with_token(asked, 51)).await;
        } else {
            world.ok("RotateSecret", with_token(json!({ "SecretId": "app" }), 52)).await;
            world.ok("CancelRotateSecret", json!({ "SecretId": "app" })).await;
        }
        let again = with_token(json!({ "SecretId": "app" }), 53);
        let busy = world.desk.call("RotateSecret", again).await;
        assert_eq!(busy.error(), Some("InvalidRequestException"));
        world.settle().await;
        let rotated = world.events().await.contains(&"RotationSucceeded".to_owned());
        // Cancelled, nothing is begun until the label is taken off; a client's value is not the next password.
        assert_eq!(rotated, put);
        let (_, password) = world.login("AWSCURRENT").await.expect("a value");
        assert!(password != "mine" && world.works("AWSCURRENT").await);
    }
}

/// Why a test failed is kept until something better is known.
#[tokio::test(start_paused = true)]
async fn a_failed_test_says_why() {
    let world = World::open(23, &PLAIN).await;
    world.secrets(false).await;
    for (mood, number, expected) in [(Mood::Down, 61, Some("testSecret")), (Mood::Well, 62, None)] {
        world.server.users().mood = mood;
        let asked =
            json!({ "SecretId": "app", "RotationLambdaARN": SINGLE, "RotateImmediately": false });
        world.ok("RotateSecret", with_token(asked, number)).await;
        world.settle().await;
        let untested = world.rotation().await.and_then(|it| it.untested);
        assert_eq!(untested.as_ref().map(|it| it.step.as_str()), expected);
    }
    // Without a schedule it is still found by whoever looks for all that rotates.
    let rows = store::KeyRange::prefix("rotation-due/");
    let page = store::Backend::snapshot(&*world.desk.backend).await.expect("alive");
    assert_eq!(page.scan_heads(&rows, 9, false, 0).await.expect("readable").len(), 1);
}
