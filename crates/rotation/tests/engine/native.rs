//! Native rotations in a world in memory: what is changed in which order, and what is left when all dies.

use crate::world::server::{GOVERNED, Mood, OVERLAPPING, PLAIN};
use crate::world::{MULTI, NATIVE, SINGLE, TOKEN, World, with_token};
use rotators::Dialect;
use secrets::rotation::Phase;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use store::backends::memory::Fault;

async fn rotate(world: &World, function: &str) -> Value {
    let rules = json!({ "AutomaticallyAfterDays": 30 });
    let asked = json!({ "SecretId": "app", "RotationLambdaARN": function, "RotationRules": rules, "ClientRequestToken": TOKEN });
    world.ok("RotateSecret", asked).await
}

/// A world in which a rotation of one user, or of two, is due.
async fn due(seed: u64, dialect: &'static Dialect, with_master: bool, function: &str) -> World {
    let world = World::open(seed, dialect).await;
    world.secrets(with_master).await;
    rotate(&world, function).await;
    world
}

async fn put(world: &World, password: &str, number: u8) {
    let engine = world.server.dialect.engines[0];
    let value = json!({ "engine": engine, "host": "db", "username": "app", "password": password });
    put_value(world, &value, number).await;
}

async fn put_with_master(world: &World, password: &str, number: u8) {
    let engine = world.server.dialect.engines[0];
    let master = world.ok("DescribeSecret", json!({ "SecretId": "admin" })).await["ARN"].clone();
    let value = json!({
        "engine": engine, "host": "db", "username": "app", "password": password, "masterarn": master,
    });
    put_value(world, &value, number).await;
}

async fn put_value(world: &World, value: &Value, number: u8) {
    let asked = json!({ "SecretId": "app", "SecretString": value.to_string() });
    world.ok("PutSecretValue", with_token(asked, number)).await;
}

#[tokio::test(start_paused = true)]
async fn a_single_user_gets_another_password() {
    let world = World::open(1, &PLAIN).await;
    world.secrets(false).await;
    rotate(&world, SINGLE).await;
    let at_once = world.described().await;
    assert_eq!(at_once["VersionIdsToStages"][TOKEN], json!(["AWSPENDING"]));
    assert_eq!(at_once["RotationEnabled"], true);
    world.settle().await;

    let (user, password) = world.login("AWSCURRENT").await.expect("a value");
    assert_eq!((user.as_str(), password.len()), ("app", 32));
    assert!(!password.contains([':', '/', '@', '"', '\'', '\\']), "{password}");
    assert!(world.works("AWSCURRENT").await && !world.works("AWSPREVIOUS").await);
    let after = world.described().await;
    assert_eq!(after["VersionIdsToStages"][TOKEN], json!(["AWSCURRENT", "AWSPENDING"]));
    assert!(after["LastRotatedDate"].is_number());
    assert_eq!(world.events().await, ["RotationStarted", "RotationSucceeded"]);
}

#[tokio::test(start_paused = true)]
async fn two_users_take_turns_and_the_one_in_use_stays() {
    let world = due(2, &PLAIN, true, MULTI).await;
    world.settle().await;
    let users = ["app_clone", "app", "app_clone"];
    for (user, days) in users.iter().zip([0, 31, 31]) {
        world.pass(days * 24).await;
        let current = world.login("AWSCURRENT").await.expect("a value");
        assert_eq!(current.0, *user);
        for label in ["AWSCURRENT", "AWSPREVIOUS"] {
            assert!(world.works(label).await, "{label} after {days} days");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn passwords_overlap_where_an_administrator_can_keep_the_old_one() {
    let world = due(3, &OVERLAPPING, true, NATIVE).await;
    world.settle().await;
    assert_eq!(world.login("AWSCURRENT").await.expect("a value").0, "app");
    assert!(world.works("AWSCURRENT").await && world.works("AWSPREVIOUS").await);
    let two = world.server.users().passwords["app"].len();
    assert_eq!(two, 2);
    world.pass(24 * 31).await;
    assert!(world.works("AWSCURRENT").await && world.works("AWSPREVIOUS").await);
    assert!(!world.server.admits("app", b"first"), "the one before the last is dropped");
}

/// Where no user changes its own password an administrator's secret says nothing of turns.
#[tokio::test(start_paused = true)]
async fn an_administrator_changes_what_a_user_cant() {
    for function in [NATIVE, SINGLE] {
        let engine = if function == SINGLE { &PLAIN } else { &GOVERNED };
        let world = due(31, engine, true, function).await;
        world.settle().await;
        assert_eq!(world.login("AWSCURRENT").await.expect("a value").0, "app");
        assert!(world.works("AWSCURRENT").await && !world.server.admits("app", b"first"));
    }
    let alone = due(32, &GOVERNED, false, NATIVE).await;
    alone.settle().await;
    assert!(alone.server.admits("app", b"first"), "nobody may change it");
    kill_everywhere(&GOVERNED, true, NATIVE).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_server_refuses_is_told_and_tried_again() {
    #[rustfmt::skip]
    let cases = [
        // mood           function  attempts  in which step  text
        (Mood::Down,     SINGLE,   5,        "setSecret",   "the server is down"),
        (Mood::Hangs,    SINGLE,   5,        "setSecret",   "the server says nothing"),
        (Mood::Stubborn, SINGLE,   5,        "setSecret",   "permission denied"),
        (Mood::Lies,     SINGLE,   5,        "testSecret",  "password authentication failed for app"),
        (Mood::Down,     MULTI,    5,        "setSecret",   "the server is down"),
        (Mood::Stubborn, MULTI,    5,        "setSecret",   "permission denied"),
        (Mood::Lies,     MULTI,    5,        "testSecret",  "password authentication failed for app_clone"),
    ];
    for (mood, function, attempts, step, text) in cases {
        let world = due(4, &PLAIN, function == MULTI, function).await;
        world.server.users().mood = mood;
        world.pass(24).await;
        let events = world.events().await;
        let failed = events.iter().filter(|it| *it == "RotationFailed").count();
        assert_eq!(failed, attempts, "{mood:?} {events:?}");
        assert!(world.server.admits("app", b"first"), "{mood:?}");
        assert_eq!(world.login("AWSCURRENT").await.expect("a value").1, "first");
        let status = world.status().await;
        assert_eq!((status.step.as_str(), status.text.contains(text)), (step, true), "{status:?}");

        let busy =
            world.desk.call("RotateSecret", with_token(json!({ "SecretId": "app" }), 7)).await;
        assert_eq!(busy.error(), Some("InvalidRequestException"));
        world.server.users().mood = Mood::Well;
        world.settle().await;
        assert_ne!(
            world.login("AWSCURRENT").await.expect("a value").1,
            "first",
            "RotateSecret has queued it again"
        );
        assert!(world.works("AWSCURRENT").await);
        let mut events = world.events().await;
        events.retain(|it| it != "GetSecretValue");
        assert_eq!(events, ["RotationSucceeded"], "{mood:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_password_that_nobody_knows_is_not_guessed_at() {
    let world = due(5, &PLAIN, false, SINGLE).await;
    world.server.users().passwords.insert("app".into(), vec![b"changed by hand".to_vec()]);
    world.pass(48).await;
    let told = ["RotationFailed", "RotationNeedsOperator", "RotationStarted"];
    assert_eq!(world.events().await, told);
    assert_eq!(
        world.server.users().logins.len(),
        1,
        "one knock, and no more until the next window"
    );
    assert!(world.status().await.operator);
    // With an administrator there is a way.
    let world = due(5, &PLAIN, true, SINGLE).await;
    world.server.users().passwords.insert("app".into(), vec![b"changed by hand".to_vec()]);
    world.settle().await;
    assert!(world.works("AWSCURRENT").await);
}

#[tokio::test(start_paused = true)]
async fn a_value_put_by_hand_abandons_what_no_server_has_heard_of() {
    let world = due(6, &PLAIN, false, SINGLE).await;
    put(&world, "first", 20).await;
    world.settle().await;
    assert_eq!(world.events().await, ["RotationAbandoned"]);
    let stages = &world.described().await["VersionIdsToStages"];
    assert!(stages.get(TOKEN).is_none() && world.works("AWSCURRENT").await, "{stages}");
}

/// The lock-out that the published functions leave behind: rotation.md §1.10.
#[tokio::test(start_paused = true)]
async fn a_value_put_by_hand_after_the_server_has_heard_is_made_to_work() {
    let mut heard = 0;
    for point in 1..=8 {
        let world = due(7, &PLAIN, false, SINGLE).await;
        world.fate.strike(Some(point));
        world.settle().await;
        world.fate.strike(None);
        let job = world.rotation().await.and_then(|it| it.job);
        if job.is_none_or(|it| it.phase < Phase::Setting) {
            continue;
        }
        heard += 1;
        put(&world, "mine", 20).await;
        world.pass(1).await;
        let (events, login) = (world.events().await, world.login("AWSCURRENT").await);
        assert!(world.works("AWSCURRENT").await, "died at {point}: {login:?} {events:?}");
        assert_eq!(events, ["RotationAbandoned", "RotationReconciled", "RotationStarted"]);
        assert!(world.rotation().await.is_some_and(|it| it.job.is_none() && it.pins.is_empty()));
    }
    assert!(heard >= 3, "{heard}");
}

/// A password that a server may have from a repair is as good as one from a rotation: it is not forgotten.
#[tokio::test(start_paused = true)]
async fn values_put_again_and_again_leave_a_password_that_works() {
    let mut deaths = 0;
    for point in 0..=8 {
        let world = due(7, &PLAIN, false, SINGLE).await;
        world.fate.strike(Some(4));
        world.settle().await;
        world.fate.strike(None);
        let job = world.rotation().await.and_then(|it| it.job).expect("a job under way");
        assert_eq!(job.phase, Phase::Setting);
        put(&world, "mine", 20).await;
        world.fate.strike(Some(point));
        let died = world.settle().await.is_none();
        world.fate.strike(None);
        if !died {
            break;
        }
        deaths += 1;
        for (password, number) in [("yours", 21), ("his", 22), ("hers", 23)] {
            put(&world, password, number).await;
        }
        world.pass(30).await;
        let (events, login) = (world.events().await, world.login("AWSCURRENT").await);
        assert!(world.works("AWSCURRENT").await, "died at {point}: {login:?} {events:?}");
    }
    assert!(deaths >= 3, "{deaths}");
}

/// Where only an administrator changes passwords, knowing the one that the server has is of no use.
#[tokio::test(start_paused = true)]
async fn an_administrator_repairs_what_no_user_can() {
    let mut heard = 0;
    for point in 1..=8 {
        let world = due(7, &GOVERNED, true, NATIVE).await;
        world.fate.strike(Some(point));
        world.settle().await;
        world.fate.strike(None);
        let job = world.rotation().await.and_then(|it| it.job);
        if job.is_none_or(|it| it.phase < Phase::Setting) {
            continue;
        }
        heard += 1;
        let (_, value) = world.login("AWSCURRENT").await.expect("a value");
        put_with_master(&world, "mine", 20).await;
        world.pass(1).await;
        assert!(world.works("AWSCURRENT").await, "died at {point}, {value} before");
    }
    assert!(heard >= 2, "{heard}");
}

/// Dies at each point of a rotation, starts again, and looks at what is left.
async fn kill_everywhere(dialect: &'static Dialect, with_master: bool, function: &str) {
    let mut seen = BTreeSet::new();
    for point in 0.. {
        let world = due(8, dialect, with_master, function).await;
        world.fate.strike(Some(point));
        let died = world.settle().await.is_none();
        world.fate.strike(None);
        if !died && *world.fate.passed.lock().expect("sound") <= point {
            assert!(point >= 5, "few points: {point}");
            break;
        }
        seen.insert((world.works("AWSCURRENT").await, world.works("AWSPENDING").await));
        assert!(
            world.works("AWSCURRENT").await || world.works("AWSPENDING").await,
            "died at {point}: no labelled version works"
        );
        world.pass(1).await;
        finished(&world, &format!("died at {point}")).await;
    }
    assert!(seen.len() > 1, "some deaths were after the change: {seen:?}");
}

async fn finished(world: &World, when: &str) {
    assert!(world.works("AWSCURRENT").await, "{when}");
    let described = world.described().await;
    assert_eq!(
        described["VersionIdsToStages"][TOKEN],
        json!(["AWSCURRENT", "AWSPENDING"]),
        "{when}"
    );
    let events = world.events().await;
    let succeeded = events.iter().filter(|it| *it == "RotationSucceeded").count();
    let started = events.iter().filter(|it| *it == "RotationStarted").count();
    assert_eq!((started, succeeded), (1, 1), "{when}: {events:?}");
}

#[tokio::test(start_paused = true)]
async fn death_at_any_point_of_a_single_user_rotation_loses_no_password() {
    kill_everywhere(&PLAIN, false, SINGLE).await;
}

#[tokio::test(start_paused = true)]
async fn death_at_any_point_of_an_alternating_rotation_loses_no_password() {
    kill_everywhere(&PLAIN, true, MULTI).await;
}

#[tokio::test(start_paused = true)]
async fn death_at_any_point_of_an_overlapping_rotation_loses_no_password() {
    kill_everywhere(&OVERLAPPING, true, NATIVE).await;
}

/// The store dies at each commit, before and after it has applied it.
#[tokio::test(start_paused = true)]
async fn a_store_that_dies_at_any_commit_loses_no_password() {
    for (with_master, function) in [(false, SINGLE), (true, MULTI)] {
        for fault in [Fault::DieBefore, Fault::DieAfter, Fault::Fail, Fault::Full, Fault::Conflict]
        {
            for nth in 1..20 {
                let world = due(9, &PLAIN, with_master, function).await;
                let before = world.desk.backend.commits();
                world.desk.backend.fault(fault, nth);
                world.settle().await;
                let commits = world.desk.backend.commits() - before;
                world.desk.backend.revive();
                world.pass(1).await;
                finished(&world, &format!("{function} {fault:?} at {nth}")).await;
                if commits < nth {
                    assert!(nth > 3, "few commits: {nth}");
                    break;
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_test_changes_nothing_and_leaves_no_pending_version() {
    for (mood, event) in [(Mood::Well, "TestRotationSucceeded"), (Mood::Down, "TestRotationFailed")]
    {
        let world = World::open(10, &PLAIN).await;
        world.secrets(false).await;
        world.server.users().mood = mood;
        let asked = json!({ "SecretId": "app", "RotationLambdaARN": SINGLE, "RotateImmediately": false, "RotationRules": { "AutomaticallyAfterDays": 3 }, "ClientRequestToken": TOKEN });
        world.ok("RotateSecret", asked).await;
        world.settle().await;
        let mut expected = ["TestRotationStarted", event];
        expected.sort_unstable();
        assert_eq!(world.events().await, expected);
        let after = world.described().await;
        assert!(
            after["VersionIdsToStages"].get(TOKEN).is_none() && after["LastRotatedDate"].is_null()
        );
        assert!(after["NextRotationDate"].is_number());
        let copy =
            world.ok("GetSecretValue", json!({ "SecretId": "app", "VersionId": TOKEN })).await;
        assert!(copy["SecretString"].as_str().is_some_and(|it| it.contains("first")));
        assert!(world.server.admits("app", b"first"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_schedule_goes_on_by_itself() {
    let world = due(11, &PLAIN, false, SINGLE).await;
    world.pass(24 * 95).await;
    let events = world.events().await;
    assert_eq!(events.iter().filter(|it| *it == "RotationSucceeded").count(), 4, "{events:?}");
    world.ok("CancelRotateSecret", json!({ "SecretId": "app" })).await;
    world.pass(24 * 95).await;
    assert!(world.events().await.is_empty());
}

/// Who may write a secret can't have the engine use an administrator that nobody has agreed to.
#[tokio::test(start_paused = true)]
async fn another_administrator_is_not_used_behind_the_back_of_who_turned_rotation_on() {
    let world = due(12, &PLAIN, true, MULTI).await;
    world.settle().await;
    let asked = json!({ "SecretId": "app" });
    let text = world.ok("GetSecretValue", asked).await["SecretString"].clone();
    let mut value: Value = serde_json::from_str(text.as_str().expect("text")).expect("JSON");
    value["masterarn"] = "admin".into();
    let put = json!({ "SecretId": "app", "SecretString": value.to_string() });
    world.ok("PutSecretValue", with_token(put, 40)).await;
    world.pass(24 * 31).await;
    assert!(world.events().await.contains(&"RotationFailed".to_owned()));
    let told = world.status().await.text;
    assert!(told.contains("call it again"), "{told}");
    assert!(world.works("AWSCURRENT").await);
    let again = with_token(json!({ "SecretId": "app" }), 41);
    let busy = world.desk.call("RotateSecret", again).await;
    assert_eq!(busy.error(), Some("InvalidRequestException"));
    world.settle().await;
    assert_eq!(world.events().await, ["GetSecretValue", "RotationSucceeded"], "the read is told");
}
