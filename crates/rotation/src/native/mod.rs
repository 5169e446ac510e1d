//! How a password changes without anybody losing the way in. Source: rotation.md §5.4–5.6.

mod alternating;
pub(crate) mod master;
mod reconcile;
mod single;

pub(crate) use alternating::alternate_name;

use crate::engine::Ground;
use crate::port::{self, Strategy};
use crate::tally::Counted;
use crate::trouble::{During, Trouble};
use base::Sensitive;
use rotators::{Credential, Failure, Rotator, Session};
use secrets::rotation::work::{self, Assignment, Values};
use secrets::rotation::{Kind, Phase};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// One attempt of a native rotator.
pub(crate) struct Attempt<'a> {
    ground: &'a Ground,
    of: &'a Assignment,
    rotator: &'a dyn Rotator,
    strategy: Strategy,
    values: Values,
    counted: &'a Counted<'a>,
}

/// Steps, as functions call them: people look for these words.
const CREATE: &str = "createSecret";
const SET: &str = "setSecret";
const TEST: &str = "testSecret";
const FINISH: &str = "finishSecret";

/// How long a server may take to let a new password in: a replica, a proxy that remembers.
const SETTLING: Duration = Duration::from_secs(5);
const BETWEEN: Duration = Duration::from_millis(100);
/// Older passwords tried in one attempt: servers lock accounts.
const MOST: usize = 3;
/// An attempt takes no longer.
const WHOLE: Duration = Duration::from_mins(1);

/// Carries `of` out as `native` says.
pub(crate) async fn carry_out(
    ground: &Ground,
    of: &Assignment,
    native: port::Native,
    counted: &Counted<'_>,
) -> Result<(), Trouble> {
    let late = || Failure::Unreachable("the attempt took longer than a minute".to_owned());
    let attempt = begin(ground, of, native, counted);
    timeout(WHOLE, attempt).await.map_err(|_| Trouble::Server(SET, late()))?
}

async fn begin(
    ground: &Ground,
    of: &Assignment,
    native: port::Native,
    counted: &Counted<'_>,
) -> Result<(), Trouble> {
    let values = work::values(ground.work(), of).await.during(CREATE)?;
    let known = values.current.as_ref().or(values.pending.as_ref());
    let none = || Failure::Invalid("the secret has no current value in text".to_owned());
    let known = Credential::parse(known.ok_or_else(none).during(CREATE)?).during(CREATE)?;
    let rotator = ground.rotators.of_engine(&known.engine);
    let rotator = rotator.filter(|it| native.engine.is_none_or(|name| it.dialect().name == name));
    let rotator = rotator.ok_or_else(|| unfit(&known, native)).during(CREATE)?;
    let strategy = strategy(native, &known, rotator);
    let attempt = Attempt { ground, of, rotator, strategy, values, counted };
    let promoted = work::is_current(ground.work(), of).await.during(FINISH)?;
    if of.job.kind == Kind::Rotate && promoted {
        // Somebody has moved AWSCURRENT by hand: that value is made to work.
        return attempt.reconcile().await;
    }
    match (of.job.kind, attempt.strategy) {
        (Kind::Test, _) => attempt.test().await,
        (Kind::Reconcile, _) => attempt.reconcile().await,
        (Kind::Rotate, Strategy::AlternatingUsers) => attempt.alternate().await,
        (Kind::Rotate, _) => attempt.rotate_one().await,
    }
}

/// How the password of `known` is changed.
pub(crate) fn strategy(
    native: port::Native,
    known: &Credential,
    rotator: &dyn Rotator,
) -> Strategy {
    let dialect = rotator.dialect();
    // Where nobody changes its own password an administrator is needed anyway.
    let alternates = known.master.is_some() && !dialect.overlaps && dialect.changes_own;
    match native.strategy {
        Strategy::BySecret if alternates => Strategy::AlternatingUsers,
        Strategy::BySecret => Strategy::SingleUser,
        named => named,
    }
}

/// The server that `login` is for: `host:port`.
pub(crate) fn server(rotator: &dyn Rotator, login: &Credential) -> String {
    let port = login.port.unwrap_or(rotator.dialect().port);
    format!("{}:{port}", login.host.to_ascii_lowercase())
}

pub(crate) fn unfit(known: &Credential, native: port::Native) -> Failure {
    let engine = &known.engine;
    Failure::Invalid(match native.engine {
        Some(name) => {
            format!("the function rotates {name}, and the secret's `engine` is `{engine}`")
        }
        None => format!("nothing here rotates the secret's `engine`, `{engine}`"),
    })
}

impl Attempt<'_> {
    /// Logs in.
    async fn connect(&self, login: &Credential) -> Result<Box<dyn Session>, Failure> {
        self.rotator.connect(login, &self.ground.trust).await
    }

    /// Logs in and reads something, as an application would.
    async fn prove(&self, login: &Credential) -> Result<Box<dyn Session>, Failure> {
        let mut session = self.connect(login).await?;
        session.test().await?;
        Ok(session)
    }

    /// The same, patient with a server that takes a moment to learn the password.
    async fn prove_soon(&self, login: &Credential) -> Result<Box<dyn Session>, Failure> {
        let begun = Instant::now();
        loop {
            match self.prove(login).await {
                Err(Failure::Denied(_)) if begun.elapsed() < SETTLING => sleep(BETWEEN).await,
                outcome => return outcome,
            }
        }
    }

    /// A login of an administrator, as the secret `login` names it.
    async fn master(&self, login: &Credential) -> Result<Box<dyn Session>, Trouble> {
        let master = master::login_of(self.ground, self.of, self.rotator, login).await?;
        self.connect(&master).await.during(SET)
    }

    fn current(&self) -> Result<Credential, Trouble> {
        let none = || Failure::Invalid("the secret has no current value in text".to_owned());
        let current = self.values.current.as_ref().ok_or_else(none).during(CREATE)?;
        Credential::parse(current).during(CREATE)
    }

    /// The value of the job's version, if it has one.
    fn pending(&self) -> Result<Option<Credential>, Trouble> {
        let made = self.of.job.kind != Kind::Rotate || self.of.job.phase >= Phase::Created;
        if self.values.pending.is_some() && !made {
            // Else whoever may write the secret would choose the next password.
            let told = "somebody else has put the pending value; take AWSPENDING off it with UpdateSecretVersionStage";
            return Err(Trouble::Server(CREATE, Failure::Invalid(told.to_owned())));
        }
        self.values.pending.as_ref().map(Credential::parse).transpose().during(CREATE)
    }

    /// A new password for `username`, kept before anybody hears of it.
    async fn create(&self, like: &Credential, username: &str) -> Result<Credential, Trouble> {
        let dialect = self.rotator.dialect();
        let password = self.ground.password(dialect).map_err(|it| Trouble::Secret(CREATE, it))?;
        let value: Sensitive = like.with_login(username, &password).during(CREATE)?;
        let kept = work::create(self.ground.work(), self.of, &value).await;
        During::<()>::during(kept, CREATE)?;
        self.counted.reach(Phase::Created);
        // What is stored counts: somebody may have put it before us.
        let values = work::values(self.ground.work(), self.of).await.during(CREATE)?;
        let kept = values.pending.ok_or(Trouble::Gone)?;
        Credential::parse(&kept).during(CREATE)
    }

    /// Those of `all` that this attempt tries, and whether a later one will try others: servers lock accounts.
    fn turn_of(&self, mut all: Vec<Credential>, most: usize) -> (Vec<Credential>, bool) {
        let before = usize::try_from(self.of.job.attempt.saturating_sub(1)).unwrap_or(0) * most;
        let more = before + most < all.len();
        if let Some(turned) = before.checked_rem(all.len()) {
            all.rotate_left(turned);
        }
        all.truncate(most);
        (all, more)
    }

    /// From here on the server may know the password of `pending`.
    async fn set_out(&self, pending: &Credential) -> Result<(), Trouble> {
        // So many at a time there.
        let target = server(self.rotator, pending);
        During::<()>::during(work::set_out(self.ground.work(), self.of, &target).await, SET)?;
        self.counted.reach(Phase::Setting);
        Ok(())
    }

    /// Whether an earlier attempt has come so far that the server may know the password.
    fn may_know(&self) -> bool {
        self.of.job.phase >= Phase::Setting
    }

    async fn finish(&self) -> Result<(), Trouble> {
        work::finish(self.ground.work(), self.of, false).await.during(FINISH)
    }

    /// Whether the server has the password of `pending` from an attempt before.
    async fn has_taken(&self, pending: &Credential) -> Result<bool, Trouble> {
        match self.prove(pending).await {
            Ok(session) => {
                session.close().await;
                Ok(true)
            }
            Err(Failure::Denied(_)) => Ok(false),
            Err(failure) => Err(Trouble::Server(TEST, failure)),
        }
    }

    /// Whether the function could do it: the copy of the current value logs in.
    async fn test(&self) -> Result<(), Trouble> {
        let none = || Failure::Invalid("the secret has no value in text".to_owned());
        let pending = self.pending()?.ok_or_else(none).during(TEST)?;
        self.prove(&pending).await.during(TEST)?.close().await;
        self.finish().await
    }
}
