//! What is looked at without changing anything: plans, drift; and how drift is repaired.

use crate::world::server::{Mood, OVERLAPPING, PLAIN};
use crate::world::{MULTI, NATIVE, SINGLE, TOKEN, World, with_token};
use base::{Clock, Uuid};
use rotators::{Dialect, Finding};
use secrets::rotation::view::{self, Declined};
use serde_json::json;
use strongroom_rotation::Verdict;

/// A world in which `app` rotates by `function`, and nothing is under way.
async fn idle(dialect: &'static Dialect, with_master: bool, function: &str) -> World {
    let world = World::open(1, dialect).await;
    world.secrets(with_master).await;
    let rules = json!({ "AutomaticallyAfterDays": 30 });
    world
        .ok("RotateSecret", json!({ "ClientRequestToken": TOKEN, "SecretId": "app", "RotationLambdaARN": function, "RotationRules": rules, "RotateImmediately": false }))
        .await;
    world.settle().await;
    assert!(world.rotation().await.is_some_and(|it| it.job.is_none()), "the test has not ended");
    world.server.users().logins.clear();
    world
}

async fn planned(world: &World) -> (Vec<String>, Vec<String>) {
    let view = world.view().await;
    let (mut missing, mut statements) = (Vec::new(), Vec::new());
    for finding in world.ground().plan(&view.inspection()).await {
        match finding {
            Finding::Fine(_) => (),
            Finding::Missing(fact, hint) => {
                assert!(!hint.is_empty(), "{fact}");
                missing.push(fact);
            }
            Finding::Statement(text) => statements.push(text),
        }
    }
    (missing, statements)
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_what_the_engine_would_do() {
    for (dialect, master, function, expected) in [
        (&PLAIN, false, SINGLE, "app changes app"),
        (&PLAIN, true, SINGLE, "app changes app"),
        (&OVERLAPPING, true, NATIVE, "admin changes app"),
        (&PLAIN, true, MULTI, "admin changes app_clone like app"),
        (&PLAIN, true, NATIVE, "admin changes app_clone like app"),
    ] {
        let world = idle(dialect, master, function).await;
        let before = world.described().await;
        let (missing, statements) = planned(&world).await;
        assert_eq!(missing, Vec::<String>::new(), "{function} {master}");
        assert_eq!(statements, [expected], "{function} {master}");
        // What is read is noted by the day; nothing else is.
        assert_eq!(world.described().await, before);
        assert_eq!(world.events().await.iter().filter(|it| it.starts_with("Rotation")).count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_tells_what_is_missing() {
    for (mood, password, fact) in [
        (Mood::Down, "first", "`app` can't log in at db:5432: the server is down"),
        (Mood::Hangs, "first", "`app` can't log in at db:5432: the server says nothing"),
        (
            Mood::Well,
            "other",
            "`app` can't log in at db:5432: password authentication failed for app",
        ),
    ] {
        let world = idle(&PLAIN, false, SINGLE).await;
        world.server.users().mood = mood;
        world.server.users().passwords.insert("app".into(), vec![password.into()]);
        assert_eq!(planned(&world).await.0, [fact]);
    }
    let world = idle(&PLAIN, false, SINGLE).await;
    world
        .ok(
            "PutSecretValue",
            with_token(json!({ "SecretId": "app", "SecretString": "no JSON" }), 3),
        )
        .await;
    assert_eq!(planned(&world).await.0, ["the secret's value is not a JSON object"]);
}

#[tokio::test(start_paused = true)]
async fn an_administrator_changes_what_the_user_itself_cant() {
    let world = idle(&PLAIN, true, SINGLE).await;
    world.server.users().passwords.insert("app".into(), vec!["other".into()]);
    let (missing, statements) = planned(&world).await;
    assert_eq!((missing.len(), statements), (1, vec!["admin changes app".to_owned()]));
    world.server.users().passwords.insert("admin".into(), vec!["other".into()]);
    let (missing, statements) = planned(&world).await;
    assert_eq!((missing.len(), statements), (2, Vec::new()));
    let told = "the administrator `admin` can't log in at db:5432: ";
    assert!(missing[1].starts_with(told), "{missing:?}");
}

#[tokio::test(start_paused = true)]
async fn drift_is_told_apart() {
    for (mood, password, expected) in [
        (Mood::Well, "first", Verdict::LogsIn),
        (Mood::Well, "other", Verdict::Drift("password authentication failed for app".to_owned())),
        (Mood::Down, "other", Verdict::Unreachable("the server is down".to_owned())),
    ] {
        let world = idle(&PLAIN, false, SINGLE).await;
        world.server.users().mood = mood;
        world.server.users().passwords.insert("app".into(), vec![password.into()]);
        let (ground, of) = (world.ground(), world.view().await.inspection());
        let login = ground.login(&of).await.expect("a login");
        assert_eq!(login.server(), "db:5432");
        assert_eq!(ground.verify(&login).await, expected);
    }
}

#[expect(clippy::expect_used, reason = "a test helper")]
async fn ask(world: &World) -> Result<(), Declined> {
    let view = world.view().await;
    let mut txn = store::begin(&*world.desk.backend);
    let fresh = (world.desk.clock.now(), Uuid::random(&*world.desk.entropy));
    let asked = view::ask_to_reconcile(&mut txn, &view, fresh).await.expect("the store");
    txn.commit().await.expect("nobody else writes");
    asked.map(drop)
}

#[tokio::test(start_paused = true)]
async fn drift_is_repaired_by_the_administrator() {
    let world = idle(&PLAIN, true, SINGLE).await;
    world.server.users().passwords.insert("app".into(), vec!["other".into()]);
    assert_eq!(ask(&world).await, Ok(()));
    world.settle().await;
    assert!(world.works("AWSCURRENT").await && world.server.admits("app", b"first"));
    assert!(world.rotation().await.is_some_and(|it| it.job.is_none() && it.pins.is_empty()));
    assert_eq!(world.events().await.iter().filter(|it| *it == "RotationReconciled").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_repair_that_failed_can_be_asked_for_again() {
    let world = idle(&PLAIN, true, SINGLE).await;
    world.server.users().passwords.insert("app".into(), vec!["other".into()]);
    world.server.users().mood = Mood::Stubborn;
    assert_eq!(ask(&world).await, Ok(()));
    world.settle().await;
    assert_eq!(world.status().await.text, "permission denied");
    world.server.users().mood = Mood::Well;
    assert_eq!(ask(&world).await, Ok(()));
    world.settle().await;
    assert!(world.works("AWSCURRENT").await);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_repaired_under_a_rotation() {
    let world = idle(&PLAIN, true, SINGLE).await;
    world.ok("RotateSecret", with_token(json!({ "SecretId": "app" }), 5)).await;
    assert_eq!(ask(&world).await, Err(Declined::Busy));
    let world = World::open(1, &PLAIN).await;
    world.secrets(false).await;
    assert_eq!(ask(&world).await, Err(Declined::NoFunction));
}
