//! What the next rotation would do, and what it lacks: looked at without changing anything.

use crate::engine::{Ground, password_length};
use crate::native::master::login_of;
use crate::native::{alternate_name, server, strategy, unfit};
use crate::port::{Native, Strategy};
use rotators::{Credential, Failure, Finding, Protection, Rotator, Session};
use secrets::rotation::work::{self, Assignment};
use service::chain;
use std::time::Duration;
use tokio::time::timeout;

/// Looking takes no longer.
const WHOLE: Duration = Duration::from_mins(1);

/// What is found, in the order in which a rotation meets it.
struct Plan<'a> {
    ground: &'a Ground,
    of: &'a Assignment,
    found: Vec<Finding>,
}

/// Nothing behind this can be looked at.
struct Stuck;

impl Ground {
    /// What the next rotation of `of` would do, and what it lacks.
    pub async fn plan(&self, of: &Assignment) -> Vec<Finding> {
        let mut plan = Plan { ground: self, of, found: Vec::new() };
        if timeout(WHOLE, plan.look()).await.is_err() {
            let hint = "see what holds up the server that the value names";
            plan.missing("looking took longer than a minute", hint);
        }
        plan.found
    }
}

impl Plan<'_> {
    async fn look(&mut self) {
        // What stands in the way has been noted.
        let _stuck = match self.ground.functions.native(&self.of.function) {
            Some(native) => self.look_native(native).await,
            None => self.look_program().await,
        };
    }

    /// All that a rotation by the engine itself needs.
    async fn look_native(&mut self, native: Native) -> Result<(), Stuck> {
        let text = self.value().await?;
        let hint = "put a value with `engine`, `host`, `username` and `password`";
        let current = Credential::parse(&text).map_err(|it| self.stuck(&it, hint))?;
        let rotator = self.ground.rotators.of_engine(&current.engine);
        let rotator =
            rotator.filter(|it| native.engine.is_none_or(|name| it.dialect().name == name));
        let hint = "name the function of that engine, or correct the value's `engine`";
        let rotator = rotator.ok_or_else(|| self.stuck(&unfit(&current, native), hint))?;
        let dialect = rotator.dialect();
        self.fine(format!("`{}` means {}, which is built in", current.engine, dialect.name));
        let own = self.current(rotator, &current).await;
        let done = match strategy(native, &current, rotator) {
            Strategy::AlternatingUsers => self.alternating(rotator, &current).await,
            _ => self.single(rotator, &current, own).await,
        };
        let drawn = self.ground.password(dialect).map(drop);
        drawn.map_err(|it| self.stuck(&it, "the characters that are left are too few"))?;
        let (length, excluded) = (password_length(dialect), dialect.excluded);
        self.fine(format!("the password would have {length} characters, none of {excluded}"));
        done
    }

    /// What can be known before a function that isn't ours takes its steps.
    async fn look_program(&mut self) -> Result<(), Stuck> {
        let text = self.value().await?;
        self.fine("what the function would do is known to the function alone".to_owned());
        let Ok(current) = Credential::parse(&text) else { return Ok(()) };
        let Some(rotator) = self.ground.rotators.of_engine(&current.engine) else { return Ok(()) };
        if let Some(session) = self.current(rotator, &current).await {
            session.close().await;
        }
        Ok(())
    }

    /// The current value.
    async fn value(&mut self) -> Result<base::Sensitive, Stuck> {
        let values = work::values(self.ground.work(), self.of).await;
        let hint = "the key of the secret must let its account decrypt: see `aws kms describe-key`";
        let values = values.map_err(|error| self.stuck(&chain(&error), hint))?;
        let none = "the secret has no current value in text";
        let value =
            values.current.ok_or_else(|| self.stuck(none, "put one with PutSecretValue"))?;
        self.fine("the current value opens".to_owned());
        Ok(value)
    }

    /// Logs in by the current value.
    async fn current(
        &mut self,
        rotator: &dyn Rotator,
        current: &Credential,
    ) -> Option<Box<dyn Session>> {
        let hint = "put the right one, or set it back with `strongroom rotation verify --repair`";
        self.connect(rotator, current, "", hint).await
    }

    /// Logs in, notes how that went, and how the connection is protected.
    async fn connect(
        &mut self,
        rotator: &dyn Rotator,
        login: &Credential,
        role: &str,
        hint: &str,
    ) -> Option<Box<dyn Session>> {
        let (user, place) = (&login.username, server(rotator, login));
        let mut session = match rotator.connect(login, &self.ground.trust).await {
            Ok(session) => session,
            Err(failure) => {
                let what = format!("{role}`{user}` can't log in at {place}: {failure}");
                self.missing(&what, remedy(&failure, hint));
                return None;
            }
        };
        if let Err(failure) = session.test().await {
            self.missing(&format!("{role}`{user}` can't read anything: {failure}"), hint);
            return None;
        }
        let protected = match session.protection() {
            Protection::Tls(version) => {
                format!("over {version}, by a certificate that is believed")
            }
            Protection::Plain => "over a connection that nothing protects".to_owned(),
        };
        self.fine(format!("{role}`{user}` logs in at {place}, {protected}"));
        Some(session)
    }

    /// Logs in by the administrator's secret that `current` names.
    async fn master(
        &mut self,
        rotator: &dyn Rotator,
        current: &Credential,
    ) -> Result<Box<dyn Session>, Stuck> {
        let none = "the value has no `masterarn`";
        let hint = "put a value with `masterarn`, the ARN of an administrator's secret";
        if current.master.is_none() {
            return Err(self.stuck(none, hint));
        }
        let hint = "`masterarn` is the ARN of a secret of the same account, Region and server, and who may read it has called RotateSecret";
        let found = login_of(self.ground, self.of, rotator, current).await;
        let master = found.map_err(|trouble| {
            self.stuck(&format!("the administrator's secret: {}", chain(&trouble)), hint)
        })?;
        let hint = "put the administrator's right password into its secret";
        self.connect(rotator, &master, "the administrator ", hint).await.ok_or(Stuck)
    }

    async fn single(
        &mut self,
        rotator: &dyn Rotator,
        current: &Credential,
        own: Option<Box<dyn Session>>,
    ) -> Result<(), Stuck> {
        let dialect = rotator.dialect();
        self.fine(format!("`{}` would get another password", current.username));
        if current.master.is_some() && (dialect.overlaps || !dialect.changes_own) {
            close(own).await;
            let master = self.master(rotator, current).await?;
            return self.foresee(master, Some(&current.username), None).await;
        }
        let Some(own) = own else {
            if current.master.is_none() {
                return Err(Stuck);
            }
            let master = self.master(rotator, current).await?;
            return self.foresee(master, Some(&current.username), None).await;
        };
        self.foresee(own, None, None).await?;
        if current.master.is_some() {
            // Only asked if the user's own passwords aren't the server's.
            self.master(rotator, current).await?.close().await;
        }
        Ok(())
    }

    async fn alternating(
        &mut self,
        rotator: &dyn Rotator,
        current: &Credential,
    ) -> Result<(), Stuck> {
        let like = &current.username;
        let hint = "give the user a shorter name";
        let user = alternate_name(like, rotator.dialect());
        let user = user.map_err(|trouble| self.stuck(&trouble, hint))?;
        self.fine(format!("`{like}` would be left alone, and `{user}` get a password"));
        let master = self.master(rotator, current).await?;
        self.foresee(master, Some(&user), Some(like)).await
    }

    /// Asks the server which rights there are, and which statements would run.
    async fn foresee(
        &mut self,
        mut session: Box<dyn Session>,
        user: Option<&str>,
        like: Option<&str>,
    ) -> Result<(), Stuck> {
        let foreseen = session.foresee(user, like).await;
        session.close().await;
        let found = foreseen.map_err(|failure| {
            let hint = remedy(&failure, "see what the server says").to_owned();
            self.stuck(&failure, &hint)
        })?;
        self.found.extend(found);
        Ok(())
    }

    fn fine(&mut self, fact: String) {
        self.found.push(Finding::Fine(fact));
    }

    fn missing(&mut self, fact: &(impl ToString + ?Sized), hint: &str) {
        self.found.push(Finding::Missing(fact.to_string(), hint.to_owned()));
    }

    fn stuck(&mut self, fact: &(impl ToString + ?Sized), hint: &str) -> Stuck {
        self.missing(fact, hint);
        Stuck
    }
}

async fn close(session: Option<Box<dyn Session>>) {
    if let Some(session) = session {
        session.close().await;
    }
}

/// What to do about `failure`; `denied`: about a password that is wrong.
fn remedy<'a>(failure: &Failure, denied: &'a str) -> &'a str {
    match failure {
        Failure::Denied(_) => denied,
        Failure::Invalid(_) => "correct the value",
        Failure::Refused(_) => "see what the server says",
        Failure::Unreachable(_) => {
            "start it, let this host through to it, or correct `host` and `port`"
        }
        Failure::Untrusted(_) => {
            "name its authority in `[rotation]`, as `ca_bundle` or in `pinned`; or offer TLS there"
        }
    }
}
