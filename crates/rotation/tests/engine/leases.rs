//! Users on request in a world in memory: who gets which, for how long, and what is left when all dies.

use crate::world::server::{HOMELY, Mood, PLAIN};
use crate::world::{World, with_token};
use serde_json::{Value, json};
use service::Caller;
use std::sync::Arc;
use std::time::Duration;
use store::Backend as _;
use store::backends::memory::Fault;
use strongroom_rotation::Leases;
use testkit::{Answered, access};

const HOUR: Duration = Duration::from_hours(1);
/// Longer than a wish lives, and than any pause between attempts.
const AFTER: Duration = Duration::from_mins(12);

/// A world with the dynamic secret `app`, whose administrator's secret is `admin`.
async fn world(seed: u64) -> World {
    let world = World::open(seed, &PLAIN).await;
    world.secrets(false).await;
    register(&world).await;
    let asked = json!({ "Name": "leased", "Type": secrets::lease::DYNAMIC, "SecretString": template("r").to_string() });
    world.ok("CreateSecret", with_token(asked, 50)).await;
    world
}

/// Has the readers be there.
async fn register(world: &World) {
    for number in 1..=3 {
        let id = format!("AIDAEXAMPLEUSERID000{number}");
        let mut txn = store::begin(&*world.desk.backend);
        let arn = format!("arn:aws:iam::111122223333:user/{number}");
        service::principals::register(&mut txn, &arn, &id).expect("kept");
        txn.commit().await.expect("alone");
    }
}

fn template(role: &str) -> Value {
    json!({
        "engine": "postgres", "host": "db", "dbname": "d", "masterarn": "admin", "roles": [role], "default_ttl": "1h",
        "max_leases": 3,
    })
}

fn user(world: &World, number: u8) -> Caller {
    let caller = world.desk.caller.clone();
    Caller {
        arn: format!("arn:aws:iam::111122223333:user/{number}"),
        principal_id: format!("AIDAEXAMPLEUSERID000{number}"),
        user_name: format!("user \"{number}"),
        ..caller
    }
}

async fn read_as(world: &World, caller: &Caller) -> Answered {
    world.desk.call_as(caller, "GetSecretValue", br#"{"SecretId":"leased"}"#).await
}

/// What a reader gets who asks, and asks again when the worker is done.
async fn read(world: &World, number: u8) -> Answered {
    let caller = user(world, number);
    let first = read_as(world, &caller).await;
    if first.status == 200 {
        return first;
    }
    world.settle_leases().await;
    read_as(world, &caller).await
}

fn value(answered: &Answered) -> Value {
    let text = answered.get("SecretString").as_str();
    serde_json::from_str(text.unwrap_or_else(|| unreachable!("{answered:?}"))).expect("JSON")
}

fn works(world: &World, value: &Value) -> bool {
    let [user, password] = ["username", "password"].map(|it| value[it].as_str().expect("text"));
    world.server.admits(user, password.as_bytes())
}

/// The users of the server that nobody but a lease has made.
fn made(world: &World) -> Vec<String> {
    let users = world.server.users();
    users.passwords.keys().filter(|it| !["admin", "app"].contains(&it.as_str())).cloned().collect()
}

async fn rows(world: &World, prefix: &str) -> usize {
    let mut txn = store::begin(&*world.desk.backend);
    let page = txn.page::<AnyRow>(store::KeyRange::prefix(prefix), 1000, false).await;
    page.expect("readable").rows.len()
}

/// A row of any kind.
struct AnyRow;

impl store::Record for AnyRow {
    const SCHEMA: u16 = 1;

    fn encode(&self) -> Result<Vec<u8>, String> {
        Err("never written".to_owned())
    }

    fn decode(_: u16, _: &[u8]) -> Result<Self, String> {
        Ok(Self)
    }
}

/// That nothing of leases is left.
async fn nothing_is_left(world: &World, when: &str) {
    assert_eq!(made(world), Vec::<String>::new(), "{when}");
    for table in ["lease", "lease-value", "lease-holder", "lease-count"] {
        let prefix = format!("s/111122223333/us-east-1/{table}/");
        assert_eq!(rows(world, &prefix).await, 0, "{when}: {table}");
    }
    assert_eq!(rows(world, "lease-").await, 0, "{when}");
}

#[tokio::test(start_paused = true)]
async fn each_reader_has_an_own_user_for_a_while() {
    let world = world(20).await;
    let answered = read(&world, 1).await;
    let first = value(&answered);
    assert!(works(&world, &first), "{first}");
    assert_eq!((first["engine"].as_str(), first["dbname"].as_str()), (Some("postgres"), Some("d")));
    assert_eq!((first["host"].as_str(), first["port"].as_u64()), (Some("db"), Some(5432)));
    assert!(first.get("masterarn").is_none() && first.get("roles").is_none());
    assert!(first["username"].as_str().expect("text").starts_with("user__1-"));
    assert_eq!(answered.get("VersionStages"), &json!(["AWSCURRENT"]));
    assert_eq!(answered.get("VersionId"), &first["lease_id"]);

    assert_eq!(value(&read(&world, 1).await), first, "the same one again");
    let other = value(&read(&world, 2).await);
    assert_ne!(other["username"], first["username"]);
    assert_eq!(made(&world).len(), 2);

    world.pass_leases(Duration::from_mins(59)).await;
    assert!(works(&world, &first) && works(&world, &other));
    world.pass_leases(Duration::from_mins(1)).await;
    world.settle_leases().await;
    nothing_is_left(&world, "an hour later").await;
    let mut expected = vec!["GetSecretValue"; 4];
    expected.extend(["LeaseCreated", "LeaseCreated", "LeaseExpired", "LeaseExpired"]);
    assert_eq!(world.events().await, expected);
}

#[tokio::test(start_paused = true)]
async fn who_reads_again_and_again_never_has_one_that_ends_at_once() {
    let world = world(21).await;
    let mut last = value(&read(&world, 1).await);
    for _ in 0..20 {
        world.pass_leases(Duration::from_mins(7)).await;
        assert!(works(&world, &last), "what was read last works until it is read again");
        last = value(&read(&world, 1).await);
        assert!(works(&world, &last) && made(&world).len() <= 2);
    }
}

#[tokio::test(start_paused = true)]
async fn readers_wait_until_their_user_is_there() {
    let mut world = world(22).await;
    let gate = Arc::clone(&world.barrier);
    Arc::get_mut(&mut world.desk).expect("alone").gate = Some(gate);
    let (one, two) = (user(&world, 1), user(&world, 2));
    let worker = async {
        loop {
            world.barrier.wanted().await;
            world.settle_leases().await;
        }
    };
    let readers =
        async { tokio::join!(read_as(&world, &one), read_as(&world, &one), read_as(&world, &two)) };
    let answered = tokio::select! {
        answered = readers => answered,
        () = worker => unreachable!(),
    };
    let [one, same, other] = [answered.0, answered.1, answered.2].map(|it| value(&it));
    assert_eq!(one, same);
    assert!(works(&world, &one) && works(&world, &other) && one != other);
    // Nobody makes it: in the end the reader is told to come again.
    let answered = read_as(&world, &user(&world, 3)).await;
    assert_eq!((answered.status, answered.error()), (500, Some("InternalServiceError")));
}

#[tokio::test(start_paused = true)]
async fn what_a_server_says_no_to_is_told_and_tried_again_when_asked() {
    let cases = [
        (Mood::Down, "the server is down"),
        (Mood::Stubborn, "permission denied"),
        (Mood::Lies, "password authentication failed"),
    ];
    for (mood, text) in cases {
        let world = world(23).await;
        world.server.users().mood = mood;
        let answered = read(&world, 1).await;
        assert_eq!(answered.error(), Some("InvalidRequestException"), "{mood:?}");
        assert!(answered.get("Message").as_str().is_some_and(|it| it.contains(text)), "{mood:?}");
        assert!(world.events().await.contains(&"LeaseCreationFailed".to_owned()));
        world.server.users().mood = Mood::Well;
        world.desk.clock.advance(Duration::from_millis(1));
        let answered = read(&world, 1).await;
        assert!(works(&world, &value(&answered)), "{mood:?}: {answered:?}");
        world.pass_leases(HOUR + AFTER).await;
        nothing_is_left(&world, text).await;
    }
}

/// What an attempt was begun for ends, however long somebody keeps asking: a user is never made for a time that is over.
#[tokio::test(start_paused = true)]
async fn a_user_that_takes_longer_than_its_time_is_made_anew() {
    let world = world(31).await;
    world.server.users().mood = Mood::Stubborn;
    let first = read(&world, 1).await;
    assert_eq!(first.error(), Some("InvalidRequestException"));
    for _ in 0..61 {
        world.pass_leases(Duration::from_mins(1)).await;
        read(&world, 1).await;
    }
    world.server.users().mood = Mood::Well;
    world.desk.clock.advance(Duration::from_millis(1));
    let answered = value(&read(&world, 1).await);
    assert!(works(&world, &answered), "{answered}");
    world.pass_leases(Duration::from_mins(30)).await;
    assert!(works(&world, &answered), "made for an hour");
    world.pass_leases(HOUR).await;
    nothing_is_left(&world, "both have ended").await;
}

/// Where users belong to databases, an administrator logs in where it is at home, whatever the template's `dbname` is;
/// who has none is made where the administrator is.
#[tokio::test(start_paused = true)]
async fn users_and_administrators_have_homes_of_their_own() {
    for (named, whose, home) in [
        (Some("shop"), None, "shop"),
        (Some("shop"), Some("office"), "shop"),
        (None, Some("office"), "office"),
        (None, None, "admin"),
    ] {
        let world = World::open(32, &HOMELY).await;
        register(&world).await;
        let boss = format!("{}.admin", whose.unwrap_or("admin"));
        world.server.users().passwords.insert(boss, vec![b"boss".to_vec()]);
        let master = json!({ "engine": "mongo", "host": "db", "username": "admin", "password": "boss", "dbname": whose });
        let created = json!({ "Name": "admin", "SecretString": master.to_string() });
        world.ok("CreateSecret", with_token(created, 8)).await;
        let template = json!({
            "engine": "mongo", "host": "db", "dbname": named, "masterarn": "admin", "creation": ["{}"],
        });
        let created = json!({ "Name": "leased", "Type": secrets::lease::DYNAMIC, "SecretString": template.to_string() });
        world.ok("CreateSecret", with_token(created, 9)).await;
        let before = world.server.users().passwords.len();

        let answered = value(&read(&world, 1).await);
        assert_eq!(answered["dbname"], home, "{named:?} {whose:?}");
        let user = format!("{home}.{}", answered["username"].as_str().expect("text"));
        let password = answered["password"].as_str().expect("text");
        assert!(world.server.admits(&user, password.as_bytes()), "{named:?} {whose:?}");
        world.pass_leases(HOUR + AFTER).await;
        assert_eq!(world.server.users().passwords.len(), before, "{named:?} {whose:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_is_removed_however_long_the_server_is_away() {
    let world = world(24).await;
    read(&world, 1).await;
    world.server.users().mood = Mood::Down;
    world.pass_leases(HOUR * 48).await;
    assert_eq!(made(&world).len(), 1);
    let events = world.events().await;
    assert_eq!(events.iter().filter(|it| *it == "LeaseRemovalFailed").count(), 1, "{events:?}");
    world.server.users().mood = Mood::Well;
    world.pass_leases(AFTER).await;
    nothing_is_left(&world, "the server is back").await;
}

/// What ends leases at once.
#[tokio::test(start_paused = true)]
async fn leases_end_with_their_secret_their_template_and_their_holder() {
    let put = with_token(
        json!({ "SecretId": "leased", "SecretString": template("other").to_string() }),
        51,
    );
    let forced = json!({ "SecretId": "leased", "ForceDeleteWithoutRecovery": true });
    let untyped = json!({ "SecretId": "leased", "Type": "", "ClientRequestToken": put["ClientRequestToken"] });
    for (operation, body) in [
        ("DeleteSecret", json!({ "SecretId": "leased" })),
        ("DeleteSecret", forced),
        ("PutSecretValue", put),
        ("UpdateSecret", untyped),
    ] {
        let world = world(25).await;
        read(&world, 1).await;
        read(&world, 2).await;
        assert_eq!(made(&world).len(), 2);
        world.events().await;
        world.ok(operation, body).await;
        world.settle_leases().await;
        nothing_is_left(&world, operation).await;
        let events = world.events().await;
        assert_eq!(events.iter().filter(|it| *it == "LeaseRevoked").count(), 2, "{events:?}");
    }
    let world = world(25).await;
    read(&world, 1).await;
    let mut txn = store::begin(&*world.desk.backend);
    let (arn, id) = ("arn:aws:iam::111122223333:user/1", "AIDAEXAMPLEUSERID0001");
    service::principals::forget(&mut txn, arn, id);
    txn.commit().await.expect("alone");
    world.pass_leases(Duration::from_mins(6)).await;
    nothing_is_left(&world, "the holder is gone").await;
}

#[tokio::test(start_paused = true)]
async fn there_are_so_many_leases_and_no_more() {
    let world = world(26).await;
    let mut role = user(&world, 1);
    role.principal_id = "AROAEXAMPLEROLEID0001:a".to_owned();
    role.kind = service::Kind::RoleSession {
        role_arn: "arn:aws:iam::111122223333:role/r".to_owned(),
        role_id: "AIDAEXAMPLEUSERID0001".to_owned(),
    };
    for number in 1..=3 {
        assert_eq!(read(&world, number).await.status, 200);
    }
    let mut fourth = user(&world, 1);
    fourth.principal_id = "AIDAEXAMPLEUSERID0009".to_owned();
    let answered = read_as(&world, &fourth).await;
    assert_eq!(answered.error(), Some("LimitExceededException"));
    assert_eq!(made(&world).len(), 3);
    // Sessions of one role have one user.
    let first = value(&read_as(&world, &role).await);
    role.principal_id = "AROAEXAMPLEROLEID0001:b".to_owned();
    assert_eq!(value(&read_as(&world, &role).await), first);
}

/// Dies at each point of making and removing a user, starts again, and looks at what is left.
#[tokio::test(start_paused = true)]
async fn death_at_any_point_leaves_no_user_behind() {
    for removing in [false, true] {
        for point in 0.. {
            let world = world(27).await;
            if removing {
                read(&world, 1).await;
                world.desk.clock.advance(HOUR);
            } else {
                read_as(&world, &user(&world, 1)).await;
            }
            world.fate.strike(Some(point));
            world.settle_leases().await;
            let passed = *world.fate.passed.lock().expect("sound");
            world.fate.strike(None);
            if passed <= point {
                assert!(point >= 4, "few points: {point}");
                break;
            }
            let when = format!("died at {point}, removing: {removing}");
            let answered = read(&world, 1).await;
            assert!(works(&world, &value(&answered)), "{when}");
            world.pass_leases(HOUR + AFTER).await;
            nothing_is_left(&world, &when).await;
        }
    }
}

/// The store dies at each commit, before and after it has applied it. Nothing is answered that isn't on disk.
#[tokio::test(start_paused = true)]
async fn a_store_that_dies_at_any_commit_leaves_no_user_behind() {
    for fault in [Fault::DieBefore, Fault::DieAfter, Fault::Fail, Fault::Full, Fault::Conflict] {
        for nth in 1..30 {
            let world = world(28).await;
            let before = world.desk.backend.commits();
            world.desk.backend.fault(fault, nth);
            read(&world, 1).await;
            world.pass_leases(HOUR).await;
            world.settle_leases().await;
            let commits = world.desk.backend.commits() - before;
            world.desk.backend.revive();
            let when = format!("{fault:?} at {nth}");
            world.desk.clock.advance(Duration::from_millis(1));
            let answered = read(&world, 1).await;
            assert!(works(&world, &value(&answered)), "{when}");
            world.pass_leases(HOUR + AFTER).await;
            nothing_is_left(&world, &when).await;
            if commits < nth {
                assert!(nth > 5, "few commits: {nth}");
                break;
            }
        }
    }
}

/// Who may write the secret, but not read the administrator's, can't have users made with other rights, whichever
/// way a template comes into force.
#[tokio::test(start_paused = true)]
async fn a_template_needs_somebody_who_may_read_the_administrators_secret() {
    let world = world(29).await;
    let writer = user(&world, 2);
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
        {"Effect":"Deny","Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:*:*:secret:admin-*"}]}"#;
    let access = access(policy).expect("a policy");
    let call = async |operation: &str, body: Value| {
        let body = body.to_string();
        world.desk.call_with((&writer, &access), operation, body.as_bytes()).await
    };
    let hostile = template("postgres").to_string();
    let put =
        |number: u8| with_token(json!({ "SecretId": "leased", "SecretString": hostile }), number);
    let token = put(60)["ClientRequestToken"].clone();
    let denied = async |operation: &str, body: Value| {
        let answered = call(operation, body).await;
        assert_eq!(answered.error(), Some("AccessDeniedException"), "{operation} {answered:?}");
    };
    denied("PutSecretValue", put(60)).await;
    denied("UpdateSecret", put(61)).await;
    let made = json!({ "Name": "own", "Type": secrets::lease::DYNAMIC, "SecretString": hostile });
    denied("CreateSecret", with_token(made, 62)).await;
    // Put for later, and then moved.
    let mut staged = put(60);
    staged["VersionStages"] = json!(["LATER"]);
    assert_eq!(call("PutSecretValue", staged).await.status, 200);
    let current = world.ok("DescribeSecret", json!({ "SecretId": "leased" })).await;
    let versions = current["VersionIdsToStages"].as_object().expect("versions").clone();
    let (current, _) = versions
        .iter()
        .find(|it| it.1.as_array().is_some_and(|it| it.contains(&json!("AWSCURRENT"))))
        .expect("a current version");
    let moved = json!({ "SecretId": "leased", "VersionStage": "AWSCURRENT", "MoveToVersionId": token, "RemoveFromVersionId": current });
    denied("UpdateSecretVersionStage", moved.clone()).await;
    // As a secret of no type, and then of this one.
    let typed = |kind: &str| with_token(json!({ "SecretId": "leased", "Type": kind }), 63);
    assert_eq!(call("UpdateSecret", typed("")).await.status, 200);
    assert_eq!(call("UpdateSecretVersionStage", moved).await.status, 200);
    denied("UpdateSecret", typed(secrets::lease::DYNAMIC)).await;
    // Who may read it, may.
    world.ok("UpdateSecret", typed(secrets::lease::DYNAMIC)).await;
    assert_eq!(read(&world, 2).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_dynamic_secret_is_no_other() {
    let world = world(30).await;
    let batch = world.ok("BatchGetSecretValue", json!({ "SecretIdList": ["leased"] })).await;
    assert_eq!(batch["Errors"][0]["ErrorCode"], "InvalidRequestException");
    let asked =
        with_token(json!({ "SecretId": "leased", "RotationLambdaARN": crate::world::SINGLE }), 70);
    let rotated = world.desk.call("RotateSecret", asked).await;
    assert_eq!(rotated.error(), Some("InvalidRequestException"));
    for wrong in [json!({}), json!({ "engine": "postgres" }), json!([])] {
        let put = json!({ "SecretId": "leased", "SecretString": wrong.to_string() });
        let answered = world.desk.call("PutSecretValue", with_token(put, 71)).await;
        assert_eq!(answered.error(), Some("InvalidParameterException"), "{wrong}");
    }
    // A version is what was put.
    let described = world.ok("DescribeSecret", json!({ "SecretId": "leased" })).await;
    let id = described["VersionIdsToStages"].as_object().expect("one").keys().next().cloned();
    let asked = json!({ "SecretId": "leased", "VersionId": id });
    let text = world.ok("GetSecretValue", asked).await["SecretString"].clone();
    assert_eq!(text, template("r").to_string());
    assert!(made(&world).is_empty());
    assert_eq!(described["Type"], secrets::lease::DYNAMIC);
}

async fn raw(world: &World, prefix: &str) -> Vec<(String, Vec<u8>)> {
    let snapshot = world.desk.backend.snapshot().await.expect("alive");
    snapshot.scan(&store::KeyRange::prefix(prefix), 10_000, false).await.expect("readable")
}

async fn write(world: &World, rows: Vec<(String, Vec<u8>)>) {
    let writes = rows.into_iter().map(|(key, row)| (key, Some(row))).collect();
    let commit = store::Commit { writes, ..store::Commit::default() };
    world.desk.backend.commit(commit).await.expect("written");
}

/// More wait for a server that doesn't answer than there are places: nobody else waits behind them, and the server holds
/// few places though it never answers.
#[tokio::test(start_paused = true)]
async fn a_backlog_keeps_nobody_from_a_user() {
    const MANY: usize = 9000;
    let world = world(34).await;
    let master =
        json!({ "engine": "postgres", "host": "hung", "username": "admin", "password": "boss" });
    let created = json!({ "Name": "other", "SecretString": master.to_string() });
    world.ok("CreateSecret", with_token(created, 90)).await;
    let mut hung = template("r");
    (hung["host"], hung["masterarn"]) = (json!("hung"), json!("other"));
    let created = json!({ "Name": "hung", "Type": secrets::lease::DYNAMIC, "SecretString": hung.to_string() });
    world.ok("CreateSecret", with_token(created, 91)).await;
    world.desk.call_as(&user(&world, 1), "GetSecretValue", br#"{"SecretId":"hung"}"#).await;
    let due = raw(&world, "lease-due/").await;
    let lease = raw(&world, "s/111122223333/us-east-1/lease/").await;
    let [due, lease] = [due, lease].map(|mut it| it.pop().expect("one"));
    let id = due.0.rsplit('/').next().expect("an id").to_owned();
    for number in 0..MANY {
        let other = format!("{number:08}{}", &id[8..]);
        let row = |(key, row): &(String, Vec<u8>)| {
            let text = str::from_utf8(row).expect("text").replace(&id, &other);
            (key.replace(&id, &other), text.into_bytes())
        };
        write(&world, vec![row(&due), row(&lease)]).await;
    }
    world.desk.clock.advance(Duration::from_secs(1));
    read_as(&world, &user(&world, 2)).await;

    let mut worker = Leases::new(Arc::new(world.ground()));
    let begun = tokio::time::Instant::now();
    while made(&world).is_empty() {
        worker.turn().await.expect("readable");
        worker.ended().await;
        assert!(begun.elapsed() < Duration::from_secs(20), "waits behind the others");
    }
    while worker.turn().await.expect("readable").running > 0 {
        worker.ended().await;
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "it is asked again and again");
}

/// What is damaged is set aside or left alone, and nothing else waits for it.
#[tokio::test(start_paused = true)]
async fn damage_to_one_lease_keeps_no_other_waiting() {
    let world = world(35).await;
    for number in 1..=3 {
        assert_eq!(read(&world, number).await.status, 200);
    }
    let due = raw(&world, "lease-due/").await;
    let leases = raw(&world, "s/111122223333/us-east-1/lease/").await;
    assert_eq!((due.len(), leases.len()), (3, 3));
    let broken = |key: &str| (key.to_owned(), b"?".to_vec());
    write(&world, vec![broken(&due[1].0), broken("lease-due/0/nobody"), broken(&leases[2].0)])
        .await;
    let left = leases[2].clone();
    world.pass_leases(HOUR + AFTER).await;
    assert_eq!(made(&world).len(), 1, "all that can be read have ended");
    write(&world, vec![left]).await;
    world.pass_leases(AFTER).await;
    nothing_is_left(&world, "what was damaged was put back").await;
    assert_eq!(raw(&world, "quarantine/").await.len(), 2);
}

/// Whose secret can't be read is removed all the same when its time is over.
#[tokio::test(start_paused = true)]
async fn damage_to_the_secret_keeps_no_user() {
    let world = world(36).await;
    read(&world, 1).await;
    let due = raw(&world, "lease-due/").await;
    let id = due[0].0.split('/').nth(4).expect("the secret's id").to_owned();
    let secret = format!("s/111122223333/us-east-1/secret/{id}");
    assert_eq!(raw(&world, &secret).await.len(), 1);
    write(&world, vec![(secret, b"?".to_vec())]).await;
    world.pass_leases(HOUR + AFTER).await;
    nothing_is_left(&world, "an hour later").await;
}
