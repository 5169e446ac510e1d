use super::*;
use base::Sensitive;
use std::collections::VecDeque;
use std::time::Duration;
use testkit::chance::Seeded;
use testkit::clock::HandMoved;
use tokio::sync::Semaphore;

const START: Timestamp = Timestamp::from_secs(1_767_225_600);

/// Answers as it was told to, one fetch for each permit.
struct Scripted {
    clock: Arc<HandMoved>,
    answers: Mutex<VecDeque<Result<Duration, &'static str>>>,
    permits: Semaphore,
    fetches: watch::Sender<usize>,
}

#[async_trait::async_trait]
impl Issuer for Scripted {
    async fn issue(&self, _: &Wanted, now: Timestamp) -> Result<Keys, IssueError> {
        self.fetches.send_modify(|it| *it += 1);
        self.permits.acquire().await.expect("open").forget();
        let answer = self.answers.lock().expect("whole").pop_front();
        let lifetime = answer.expect("an answer").map_err(|code| IssueError::Refused {
            code: code.to_owned(),
            message: "no".to_owned(),
        })?;
        Ok(Keys {
            access_key_id: format!("ASIA{}", *self.fetches.borrow()),
            secret: Sensitive::from("canary-secret".to_owned()),
            token: Sensitive::from("canary-token".to_owned()),
            expires: now.plus(lifetime),
        })
    }
}

struct World {
    clock: Arc<HandMoved>,
    issuer: Arc<Scripted>,
    session: Arc<Session>,
    task: tokio::task::JoinHandle<()>,
}

impl World {
    fn new(is_passing: bool, answers: &[Result<Duration, &'static str>]) -> Self {
        let clock = Arc::new(HandMoved::new(START));
        let issuer = Arc::new(Scripted {
            clock: Arc::clone(&clock),
            answers: Mutex::new(answers.iter().copied().collect()),
            permits: Semaphore::new(0),
            fetches: watch::Sender::new(0),
        });
        let wanted = Wanted {
            role_arn: "arn:aws:iam::111122223333:role/app".to_owned(),
            session_name: "app".to_owned(),
            seconds: 3600,
            web_token: Some(Sensitive::from("canary-web".to_owned())),
        };
        let session = Session::new(wanted);
        session.ask(START);
        let means = Means {
            issuer: Arc::clone(&issuer) as Arc<dyn Issuer>,
            clock: Arc::clone(&issuer.clock) as Arc<dyn Clock>,
            entropy: Arc::new(Seeded::new(1)),
        };
        let task = tokio::spawn(Arc::clone(&session).tend(means, is_passing));
        Self { clock, issuer, session, task }
    }

    async fn id(&self) -> Result<String, Unavailable> {
        self.session.keys(&*self.clock).await.map(|it| it.access_key_id.clone())
    }

    /// Returns when the fetch of that number has begun.
    async fn begun(&self, number: usize) {
        let mut fetches = self.issuer.fetches.subscribe();
        fetches.wait_for(|it| *it == number).await.expect("the issuer is there");
    }

    fn permit(&self) {
        self.issuer.permits.add_permits(1);
    }
}

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn many_who_ask_at_once_wait_for_one_fetch() {
    let world = World::new(false, &[Ok(HOUR)]);
    let (first, second, third, ()) = tokio::join!(world.id(), world.id(), world.id(), async {
        world.begun(1).await;
        world.permit();
    });
    for id in [first, second, third, world.id().await] {
        assert_eq!(id.expect("a session"), "ASIA1");
    }
    assert_eq!(*world.issuer.fetches.borrow(), 1);
}

#[tokio::test]
async fn the_old_one_serves_while_the_new_one_is_fetched() {
    let world = World::new(false, &[Ok(HOUR), Ok(HOUR)]);
    world.permit();
    assert_eq!(world.id().await.expect("a session"), "ASIA1");
    world.clock.advance(Duration::from_mins(26));
    assert_eq!(world.id().await.expect("the old one"), "ASIA1");
    world.begun(2).await;
    assert_eq!(world.id().await.expect("still the old one"), "ASIA1");
    let mut outcomes = world.session.outcomes.subscribe();
    world.permit();
    outcomes.changed().await.expect("the session is there");
    assert_eq!(world.id().await.expect("the new one"), "ASIA2");
}

#[tokio::test]
async fn a_server_that_is_down_costs_nothing_before_the_end() {
    let world = World::new(false, &[Ok(HOUR), Err("Down"), Err("Down"), Ok(HOUR)]);
    world.permit();
    world.id().await.expect("a session");
    world.clock.advance(Duration::from_mins(59));
    let mut outcomes = world.session.outcomes.subscribe();
    world.permit();
    world.id().await.expect("the old one");
    outcomes.changed().await.expect("the session is there");
    assert_eq!(world.id().await.expect("the old one, to its end"), "ASIA1");

    world.clock.advance(Duration::from_mins(1));
    world.permit();
    match world.id().await {
        Err(Unavailable::Failed(IssueError::Refused { code, .. })) => assert_eq!(code, "Down"),
        other => panic!("{other:?}"),
    }
    assert!(world.id().await.is_err(), "at once: it pauses");
    assert_eq!(*world.issuer.fetches.borrow(), 3);

    world.clock.advance(Duration::from_mins(1));
    world.permit();
    assert_eq!(world.id().await.expect("it is up again"), "ASIA4");
}

#[tokio::test(start_paused = true)]
async fn a_passing_session_ends_when_nobody_asks() {
    let world = World::new(true, &[Err("No")]);
    world.permit();
    assert!(world.id().await.is_err());
    world.clock.advance(Duration::from_mins(2));
    // Time passes by itself while everybody waits.
    world.task.await.expect("ended");
    assert!(world.session.has_ended());
    assert!(matches!(world.session.keys(&*world.clock).await, Err(Unavailable::Ended)));
}

#[tokio::test]
async fn debug_shows_no_credentials() {
    let world = World::new(false, &[Ok(HOUR)]);
    world.permit();
    world.id().await.expect("a session");
    let shown = format!("{:?}", world.session);
    assert!(shown.contains("ASIA1") && !shown.contains("canary"), "{shown}");
}
