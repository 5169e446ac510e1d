//! A hundred thousand schedules, and a burst of which a part hangs: who is late, and what is held in memory.
//!
//! Time is that of a paused runtime, which moves on when nothing is left to do: the same run each time.

use crate::world::scripted::{Fleet, Paced, ground};
use base::Timestamp;
use secrets::rotation::Due;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::{Backend, Commit, KeyRange, Revision};
use strongroom_rotation::{Bounds, Engine, Ground};
use testkit::Desk;

const FUNCTION: &str = ":function:SecretsManagerRDSPostgreSQLRotationSingleUser";
/// Not a server: a function that hangs, whatever its secret says.
const PROGRAM: &str = "program";
const MINUTE: Duration = Duration::from_mins(1);

/// A desk whose store is filled directly: a schedule is a row of a secret and one of what falls due.
struct Crowd {
    desk: Desk,
    start: Timestamp,
    writes: Vec<(String, Option<Vec<u8>>)>,
    number: u64,
}

/// One schedule.
struct Plan<'a> {
    account: u64,
    host: &'a str,
    fires: Timestamp,
    /// Whether the row says which server it spoke to last.
    known: bool,
}

impl Crowd {
    async fn open() -> Self {
        let desk = Desk::open(77).await.expect("a desk");
        let start = Timestamp::from_secs(1_769_853_600);
        Self { desk, start, writes: Vec::new(), number: 0 }
    }

    /// A secret with a value, which the API has made, and the schedule of `plan`. Gives its ARN.
    async fn real(&mut self, plan: &Plan<'_>) -> String {
        self.number += 1;
        let (name, host) = (format!("real-{:06}", self.number), plan.host);
        let value =
            json!({ "engine": "postgres", "host": host, "username": name, "password": "first" });
        let token = format!("{:032}", self.number);
        let asked =
            json!({ "Name": name, "SecretString": value.to_string(), "ClientRequestToken": token });
        let caller = testkit::caller(&account(plan.account)).expect("an account");
        let body = asked.to_string();
        let made = self.desk.call_as(&caller, "CreateSecret", body.as_bytes()).await;
        assert_eq!(made.status, 200, "{}", made.body);
        let arn = made.body["ARN"].as_str().expect("an ARN").to_owned();
        let id = self.id_of(plan.account, &name).await;
        let key = format!("s/{}/us-east-1/secret/{id}", account(plan.account));
        let row = self.row(&key).await;
        self.schedule(&row, &id, plan);
        arn
    }

    /// Rows of secrets as `like`, under other ids, due one `apart` from the next: they have schedules, and no values
    /// of their own. Made as text: there are many.
    fn copy(&mut self, like: &[u8], plan: &Plan<'_>, (count, apart): (u64, Duration)) {
        const ID: &str = "019cffffffffffffffff";
        let writes = self.writes.len();
        self.schedule(like, ID, plan);
        let model: Vec<_> =
            self.writes.drain(writes..).map(|(_, row)| row.expect("a row")).collect();
        let model = model.into_iter().map(|it| String::from_utf8(it).expect("text"));
        let (model, account) = (model.collect::<Vec<_>>(), account(plan.account));
        let fires = json!(plan.fires).to_string();
        for number in 0..count {
            self.number += 1;
            let id = format!("019c{:016x}", self.number);
            let at = plan.fires.plus(apart * u32::try_from(number).expect("small"));
            let instant = json!(at).to_string();
            let mut rows = model.iter().map(|it| it.replace(ID, &id).replace(&fires, &instant));
            let mut row = || rows.next().map(String::into_bytes);
            self.writes.push((format!("s/{account}/us-east-1/secret/{id}"), row()));
            let key = format!("rotation-due/{:012x}/{account}/us-east-1/{id}", at.millis());
            self.writes.push((key, row()));
        }
    }

    fn schedule(&mut self, like: &[u8], id: &str, plan: &Plan<'_>) {
        let Plan { host, fires, known, .. } = plan;
        let account = account(plan.account);
        let function = if *host == PROGRAM { ":function:hangs" } else { FUNCTION };
        let (schema, body) = like.split_at(SCHEMA);
        let mut secret: Value = serde_json::from_slice(body).expect("JSON");
        let (opens, closes) = (fires.minus(MINUTE), fires.plus(60 * MINUTE));
        let mut rotation = json!({
            "enabled": true, "anchor": opens, "rules": { "days": 30 },
            "function": format!("arn:aws:lambda:us-east-1:{account}{function}"),
            "next": { "opens": opens, "closes": closes, "fires": fires },
        });
        if *known {
            rotation["target"] = format!("{host}:5432").into();
        }
        (secret["id"], secret["rotation"]) = (id.into(), rotation);
        let row = [schema, secret.to_string().as_bytes()].concat();
        self.writes.push((format!("s/{account}/us-east-1/secret/{id}"), Some(row)));
        let due = Due {
            at: *fires,
            account: account.parse().expect("an account"),
            region: "us-east-1".parse().expect("a Region"),
            secret: serde_json::from_value(id.into()).expect("an id"),
        };
        let key = format!("rotation-due/{:012x}/{account}/us-east-1/{id}", fires.millis());
        let row = [&[0, 1], &*serde_json::to_vec(&due).expect("JSON")].concat();
        self.writes.push((key, Some(row)));
    }

    async fn row(&self, key: &str) -> Vec<u8> {
        let view = self.desk.backend.snapshot().await.expect("alive");
        view.get(key).await.expect("readable").expect("a row")
    }

    async fn id_of(&self, owner: u64, name: &str) -> String {
        let row = self.row(&format!("s/{}/us-east-1/secret-name/{name}", account(owner))).await;
        serde_json::from_slice::<String>(&row[SCHEMA..]).expect("an id")
    }

    /// Writes all that was planned; a ground on which an engine rotates it.
    async fn settle(&mut self, fleet: &Arc<Fleet>) -> Arc<Ground> {
        let writes = std::mem::take(&mut self.writes);
        let commit = Commit { seen: Revision(u64::MAX), writes, ..Commit::default() };
        self.desk.backend.commit(commit).await.expect("written");
        Arc::new(ground(&self.desk, fleet, Arc::new(Paced::new(self.start))))
    }

    async fn due_rows(&self) -> usize {
        let view = self.desk.backend.snapshot().await.expect("alive");
        let all = KeyRange::prefix("rotation-due/");
        view.scan_heads(&all, usize::MAX, false, 0).await.expect("readable").len()
    }
}

fn account(number: u64) -> String {
    format!("{:012}", 111_122_220_000 + number)
}

/// A row is its schema number, and JSON.
const SCHEMA: usize = 2;

/// Turns `engine` as the server does, until `over`, or `longest` has passed. Gives the most that it held in memory.
async fn run(
    (engine, ground): (&mut Engine, &Ground),
    longest: Duration,
    over: impl Fn() -> bool,
) -> usize {
    let (begun, mut most) = (tokio::time::Instant::now(), 0);
    while !over() && begun.elapsed() < longest {
        let turn = engine.turn().await.expect("the store works");
        let wait = turn.next.map_or(MINUTE, |it| it.since(ground.clock.now())).min(MINUTE);
        most = most.max(engine.held());
        tokio::select! {
            () = engine.ended() => (),
            () = tokio::time::sleep(wait) => (),
        }
    }
    most
}

/// Issue: 100,000 schedules, 5,000 due in the same minute at 50 servers of which two hang.
#[tokio::test(start_paused = true)]
async fn a_burst_at_two_hanging_servers_makes_nothing_else_late() {
    const DUE: u64 = 5_000;
    const ALL: u64 = 100_000;
    let mut crowd = Crowd::open().await;
    let hosts: Vec<_> = (0..50).map(|it| format!("host-{it}")).collect();
    let mut expected = BTreeMap::new();
    for number in 0..DUE {
        let host = &hosts[usize::try_from(number % 50).expect("small")];
        let fires = crowd.start.plus(Duration::from_millis(12 * number));
        let plan = Plan { account: number % 40, host, fires, known: number % 3 > 0 };
        let arn = crowd.real(&plan).await;
        expected.insert(arn, (host.clone(), fires));
    }
    let like = crowd.writes[0].1.clone().expect("a row");
    for owner in 0..40 {
        let fires = crowd.start.plus(Duration::from_hours(1 + owner % 20));
        let plan = Plan { account: owner, host: "later", fires, known: true };
        crowd.copy(&like, &plan, ((ALL - DUE) / 40, Duration::from_secs(2)));
    }
    let fleet = Arc::new(Fleet::new(["host-0", "host-1"]));
    let ground = crowd.settle(&fleet).await;
    assert_eq!(crowd.due_rows().await, usize::try_from(ALL).expect("small"));

    let mut engine = Engine::new(Arc::clone(&ground), Bounds::default());
    let most = run((&mut engine, &ground), 5 * MINUTE, || fleet.changed() == 4_800).await;
    assert_eq!(fleet.changed(), 4_800, "all but those of the two that hang");
    let took = fleet.last_change().elapsed();
    assert!(took < MINUTE, "the last has ended long ago: {took:?}");
    let late = ground.clock.now().since(crowd.start);
    assert!(late < Duration::from_secs(75), "the last of a minute's work was over after {late:?}");
    assert!(most <= 8192 + 64, "{most} were held");
    assert!(fleet.most_at_once() <= 2, "at one server");
    let asked = fleet.asked("host-0") + fleet.asked("host-1");
    assert!(asked < 40 * 2 * 8, "the two were left alone: {asked}");
    assert_eq!(
        crowd.due_rows().await,
        usize::try_from(ALL).expect("small"),
        "each has a next time"
    );
}

/// A hole that was there: whoever had all places to wait kept everybody else from being taken up.
#[tokio::test(start_paused = true)]
async fn nobodys_backlog_keeps_another_account_from_being_taken_up() {
    const PLACES: u64 = 500;
    let mut crowd = Crowd::open().await;
    let first = crowd.start;
    let plan = Plan { account: 1, host: PROGRAM, fires: first, known: false };
    crowd.real(&plan).await;
    let like = crowd.writes[0].1.clone().expect("a row");
    crowd.copy(&like, &plan, (3 * PLACES, Duration::ZERO));
    let fires = first.plus(Duration::from_secs(30));
    for number in 0..20 {
        // The second account, and the other server of the first: all due later than the backlog.
        crowd.real(&Plan { account: 1 + number % 2, host: "well", fires, known: true }).await;
    }
    let fleet = Arc::new(Fleet::new([]));
    let ground = crowd.settle(&fleet).await;
    let waiting = usize::try_from(PLACES).expect("small");
    let bounds = Bounds { waiting, ..Bounds::default() };
    let mut engine = Engine::new(Arc::clone(&ground), bounds);
    let most = run((&mut engine, &ground), 2 * MINUTE, || fleet.changed() == 20).await;
    assert_eq!(fleet.changed(), 20);
    assert!(ground.clock.now().since(fires) < Duration::from_secs(10));
    assert!(most <= waiting + bounds.node, "{most} were held");
}

/// First rotations of one function don't know their server: one that hangs holds up none of another.
#[tokio::test(start_paused = true)]
async fn first_rotations_wait_for_their_own_server_only() {
    let mut crowd = Crowd::open().await;
    let fires = crowd.start;
    for number in 0..60 {
        let host = if number < 30 { "dead" } else { "well" };
        crowd.real(&Plan { account: 1, host, fires, known: false }).await;
    }
    let fleet = Arc::new(Fleet::new(["dead"]));
    let ground = crowd.settle(&fleet).await;
    let mut engine = Engine::new(Arc::clone(&ground), Bounds::default());
    run((&mut engine, &ground), 2 * MINUTE, || fleet.changed() == 30).await;
    assert_eq!(fleet.changed(), 30);
    let took = ground.clock.now().since(fires);
    assert!(took < Duration::from_secs(5), "before the dead one was given up once: {took:?}");
}

/// Nothing here panics; what did all the same frees its place, and comes again.
#[tokio::test(start_paused = true)]
async fn an_attempt_that_breaks_off_keeps_no_place() {
    let mut crowd = Crowd::open().await;
    let fires = crowd.start;
    for _ in 0..5 {
        crowd.real(&Plan { account: 1, host: "panics", fires, known: true }).await;
    }
    let fleet = Arc::new(Fleet::new(["dead"]));
    fleet.panic_at("panics", 4);
    let ground = crowd.settle(&fleet).await;
    let mut engine = Engine::new(Arc::clone(&ground), Bounds::default());
    run((&mut engine, &ground), 2 * MINUTE, || fleet.changed() == 5).await;
    assert_eq!(fleet.changed(), 5);
}

/// After an outage everything that was missed is due at once: it begins bit by bit.
#[tokio::test(start_paused = true)]
async fn what_was_missed_is_spread() {
    for (count, within) in [(50, 10), (700, 100)] {
        let mut crowd = Crowd::open().await;
        let fires = crowd.start.minus(Duration::from_hours(7));
        let plan = Plan { account: 1, host: "well", fires, known: true };
        if count > 50 {
            crowd.real(&plan).await;
            let like = crowd.writes[0].1.clone().expect("a row");
            let more = u64::try_from(count - 1).expect("small");
            crowd.copy(&like, &plan, (more, Duration::ZERO));
        } else {
            for _ in 0..count {
                crowd.real(&plan).await;
            }
        }
        // What is late by less was only not begun yet.
        let recent = crowd.start.minus(Duration::from_mins(4));
        crowd.real(&Plan { fires: recent, ..plan }).await;
        let fleet = Arc::new(Fleet::new([]));
        let ground = crowd.settle(&fleet).await;
        let mut engine = Engine::new(Arc::clone(&ground), Bounds::default());
        run((&mut engine, &ground), Duration::from_millis(900), || fleet.changed() == 1).await;
        assert_eq!(fleet.changed(), 1);

        let view = crowd.desk.backend.snapshot().await.expect("alive");
        let all = KeyRange::prefix("rotation-due/");
        let rows = view.scan_heads(&all, usize::MAX, false, usize::MAX).await.expect("readable");
        let soon = format!("rotation-due/{:012x}", crowd.start.millis());
        let end = crowd.start.plus(within * MINUTE + Duration::from_secs(1));
        let end = format!("rotation-due/{:012x}", end.millis());
        let spread = rows.iter().filter(|it| soon < it.0 && it.0 < end).count();
        assert_eq!(spread, count, "all within {within} minutes");
        let half = crowd.start.plus(within * MINUTE / 2);
        let half = format!("rotation-due/{:012x}", half.millis());
        let early = rows.iter().filter(|it| it.0 < half).count();
        assert!((count / 3..=count * 2 / 3).contains(&early), "evenly: {early} of {count}");
    }
}
