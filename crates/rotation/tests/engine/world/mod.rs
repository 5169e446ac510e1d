//! A world for rotations: the API, the engine, servers in memory, time and death by hand.

pub(crate) mod scripted;
pub(crate) mod server;

use self::server::{Door, Fate, Server};
use async_trait::async_trait;
use base::Clock;
use rotators::{Rotator, Trust};
use secrets::rotation::view::{self, View};
use secrets::rotation::work::Assignment;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use strongroom_rotation::{
    Barrier, Bounds, Engine, Functions, Ground, Hidden, Leases, Native, Registry, Strategy,
};
use testkit::Desk;

pub(crate) const SINGLE: &str =
    "arn:aws:lambda:us-east-1:111122223333:function:SecretsManagerRDSPostgreSQLRotationSingleUser";
pub(crate) const MULTI: &str =
    "arn:aws:lambda:us-east-1:111122223333:function:SecretsManagerRDSPostgreSQLRotationMultiUser";
pub(crate) const NATIVE: &str = "arn:aws:lambda:us-east-1:111122223333:function:strongroom-native";
pub(crate) const TOKEN: &str = "11111111-1111-4111-8111-111111111111";

/// The world.
pub(crate) struct World {
    pub(crate) desk: Arc<Desk>,
    pub(crate) server: Arc<Server>,
    pub(crate) fate: Arc<Fate>,
    pub(crate) program: Arc<Program>,
    pub(crate) barrier: Arc<Barrier>,
    seen: Mutex<std::collections::BTreeSet<String>>,
}

/// What an unmodified function does: told by the test.
#[derive(Default)]
pub(crate) struct Program {
    pub(crate) events: Mutex<Vec<Value>>,
    pub(crate) script: Mutex<Option<Script>>,
}

pub(crate) type Script = Box<dyn Fn(Arc<Desk>, Value) -> Acting + Send + Sync>;
pub(crate) type Acting = std::pin::Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

struct Table {
    desk: Arc<Desk>,
    program: Arc<Program>,
}

#[async_trait]
impl Functions for Table {
    fn native(&self, arn: &str) -> Option<Native> {
        let (_, name) = arn.split_once(":function:")?;
        let strategy = match name {
            "strongroom-native" => {
                return Some(Native { engine: None, strategy: Strategy::BySecret });
            }
            _ if name.ends_with("SingleUser") => Strategy::SingleUser,
            _ if name.ends_with("MultiUser") => Strategy::AlternatingUsers,
            _ => return None,
        };
        Some(Native { engine: Some("PostgreSQL"), strategy })
    }

    async fn invoke(&self, _: &Assignment, event: Vec<u8>, _: &dyn Hidden) -> Result<(), String> {
        let event: Value = serde_json::from_slice(&event).expect("JSON");
        self.program.events.lock().expect("sound").push(event.clone());
        let acting = self
            .program
            .script
            .lock()
            .expect("sound")
            .as_ref()
            .map(|it| it(Arc::clone(&self.desk), event));
        match acting {
            Some(acting) => acting.await,
            None => Ok(()),
        }
    }
}

struct Engines(Door);

impl Registry for Engines {
    fn of_engine(&self, name: &str) -> Option<&dyn Rotator> {
        self.0.dialect().engines.contains(&name).then_some(&self.0 as &dyn Rotator)
    }
}

impl World {
    /// A world with one server, on which `app` has the password `first` and `admin` the password `boss`.
    pub(crate) async fn open(seed: u64, dialect: &'static rotators::Dialect) -> Self {
        let fate = Arc::new(Fate::default());
        let server = Server { dialect, users: Mutex::default(), fate: Arc::clone(&fate) };
        for (user, password) in [("app", "first"), ("admin", "boss")] {
            server.users().passwords.insert(user.into(), vec![password.into()]);
        }
        Self {
            desk: Arc::new(Desk::open(seed).await.expect("a desk")),
            server: Arc::new(server),
            fate,
            program: Arc::default(),
            barrier: Arc::default(),
            seen: Mutex::default(),
        }
    }

    pub(crate) async fn ok(&self, operation: &str, body: Value) -> Value {
        let answered = self.desk.call(operation, body).await;
        assert_eq!(answered.status, 200, "{operation}: {}", answered.body);
        answered.body
    }

    /// The secrets `app` and `admin`; the first names the second if `with_master`.
    pub(crate) async fn secrets(&self, with_master: bool) {
        let engine = self.server.dialect.engines[0];
        let login = |user: &str, password: &str| json!({ "engine": engine, "host": "db", "username": user, "password": password });
        let master = login("admin", "boss").to_string();
        let arn = self
            .ok("CreateSecret", with_token(json!({ "Name": "admin", "SecretString": master }), 8))
            .await;
        let mut value = login("app", "first");
        if with_master {
            value["masterarn"] = arn["ARN"].clone();
        }
        self.ok(
            "CreateSecret",
            with_token(json!({ "Name": "app", "SecretString": value.to_string() }), 9),
        )
        .await;
    }

    /// The login that the labelled version says.
    pub(crate) async fn login(&self, label: &str) -> Option<(String, String)> {
        let asked = json!({ "SecretId": "app", "VersionStage": label });
        let answered = self.desk.call("GetSecretValue", asked).await;
        let text: Value = serde_json::from_str(answered.get("SecretString").as_str()?).ok()?;
        Some((text["username"].as_str()?.to_owned(), text["password"].as_str()?.to_owned()))
    }

    pub(crate) async fn works(&self, label: &str) -> bool {
        let login = self.login(label).await;
        login.is_some_and(|(user, password)| self.server.admits(&user, password.as_bytes()))
    }

    pub(crate) async fn described(&self) -> Value {
        self.ok("DescribeSecret", json!({ "SecretId": "app" })).await
    }

    /// Lets a fresh worker do what is due for leases, and no more; as [`World::settle`].
    pub(crate) async fn settle_leases(&self) -> Option<base::Timestamp> {
        let mut worker = Leases::new(Arc::new(self.ground()));
        loop {
            let turn = worker.turn().await.ok()?;
            if turn.running == 0 {
                return turn.next;
            }
            tokio::select! {
                () = worker.ended() => (),
                () = self.fate.died.notified() => return None,
            }
        }
    }

    /// Does what is due for leases within `span`, moving time on as far as it takes, and to its end.
    pub(crate) async fn pass_leases(&self, span: std::time::Duration) {
        let clock = &self.desk.clock;
        let end = clock.now().plus(span);
        let least = std::time::Duration::from_millis(1);
        while let Some(next) = self.settle_leases().await.filter(|it| *it <= end) {
            clock.advance(next.since(clock.now()).max(least));
        }
        clock.advance(end.since(clock.now()));
    }

    fn engine(&self) -> Engine {
        Engine::new(Arc::new(self.ground()), Bounds::default())
    }

    pub(crate) fn ground(&self) -> Ground {
        Ground {
            backend: Arc::clone(&self.desk.backend) as _,
            trail: Arc::clone(&self.desk.trail) as _,
            turns: Arc::clone(&self.desk.turns),
            keyring: Arc::clone(&self.desk.keyring),
            entropy: Arc::clone(&self.desk.entropy) as _,
            clock: Arc::clone(&self.desk.clock) as _,
            rotators: Arc::new(Engines(Door(Arc::clone(&self.server)))),
            functions: Arc::new(Table {
                desk: Arc::clone(&self.desk),
                program: Arc::clone(&self.program),
            }),
            trust: Trust {
                platform: rotators::Roots::new([]),
                pinned: std::collections::BTreeMap::default(),
            },
            barrier: Arc::clone(&self.barrier),
            tally: Arc::default(),
        }
    }

    /// The secret `app`, as those see it who look after the server.
    pub(crate) async fn view(&self) -> View {
        let place = secrets::secret::Place {
            account: "111122223333".parse().expect("valid"),
            region: "us-east-1".parse().expect("valid"),
        };
        let mut txn = store::begin(&*self.desk.backend);
        view::named(&mut txn, &place, "app").await.expect("readable").expect("there")
    }

    /// Lets a fresh engine do what is due now, and no more. Tells when something is due next; `None` also if
    /// the process has died.
    pub(crate) async fn settle(&self) -> Option<base::Timestamp> {
        let mut engine = self.engine();
        loop {
            let turn = engine.turn().await.ok()?;
            if turn.running == 0 {
                return turn.next;
            }
            tokio::select! {
                () = engine.ended() => (),
                () = self.fate.died.notified() => return None,
            }
        }
    }

    /// Does what is due until nothing is within `hours`, moving time on as far as it takes.
    pub(crate) async fn pass(&self, hours: u64) {
        let end = self.desk.clock.now().plus(std::time::Duration::from_secs(3600 * hours));
        while let Some(next) = self.settle().await.filter(|it| *it <= end) {
            self.desk.clock.advance(
                next.since(self.desk.clock.now()).max(std::time::Duration::from_millis(1)),
            );
        }
    }

    /// The names of the service's own records since the last look, sorted: several are of one instant.
    pub(crate) async fn events(&self) -> Vec<String> {
        // What was committed waits for the journal: nobody takes it away here.
        let mut txn = store::begin(&*self.desk.backend);
        let rows = store::KeyRange::prefix(service::audit::OUTBOX_PREFIX);
        let page =
            txn.page::<service::audit::Encoded>(rows, 10_000, false).await.expect("readable");
        let mut seen = self.seen.lock().expect("sound");
        let fresh = page.rows.into_iter().filter(|(key, _)| seen.insert(key.clone()));
        let records: Vec<Value> =
            fresh.map(|(_, it)| serde_json::from_str(&it.json).expect("JSON")).collect();
        let own = records.iter().filter(|it| it["eventType"] == "AwsServiceEvent");
        let mut names: Vec<_> =
            own.map(|it| it["eventName"].as_str().unwrap_or_default().to_owned()).collect();
        names.sort_unstable();
        names
    }
}

/// `body` with a client's token that says nothing.
pub(crate) fn with_token(mut body: Value, number: u8) -> Value {
    body["ClientRequestToken"] = format!("{number:08}-aaaa-4aaa-8aaa-aaaaaaaaaaaa").into();
    body
}

/// Why the rotation of `app` has failed last.
#[derive(Debug, Default)]
pub(crate) struct Status {
    pub(crate) step: String,
    pub(crate) text: String,
    pub(crate) operator: bool,
}

impl World {
    pub(crate) async fn rotation(&self) -> Option<secrets::rotation::Rotation> {
        self.view().await.rotation
    }

    pub(crate) async fn status(&self) -> Status {
        let problem = self.rotation().await.and_then(|it| it.job).and_then(|it| it.problem);
        problem
            .map(|it| Status { step: it.step, text: it.text, operator: it.operator })
            .unwrap_or_default()
    }
}
