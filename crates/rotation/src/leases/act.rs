//! A user is made, and removed.

use crate::engine::Ground;
use crate::trouble::{During, Trouble};
use base::{Sensitive, Timestamp};
use rotators::{Credential, Dialect, Failure, Rotator, Session, roles};
use secrets::lease::work::{self, Task};
use secrets::lease::{Lease, Server, State, Template};
use serde_json::json;

/// Steps, as the list of leases shows them.
pub(super) const MAKE: &str = "makeUser";
pub(super) const REMOVE: &str = "removeUser";
const RENEW: &str = "renewUser";

/// In place of what makes a user: fails where there is none.
const EXTEND: &str = "ALTER USER {{name}} VALID UNTIL {{expiration}}";

/// What is put where an engine wants a password and none is known: it logs nobody in.
const NONE: &str = "-";

impl Ground {
    /// Has the user of `of` made, from wherever an earlier attempt has come, and proves that it logs in.
    pub(super) async fn make(&self, mut of: Task) -> Result<(), Trouble> {
        let template = work::template(self.work(), &of).await.during(MAKE)?;
        let rotator = self.rotator_of(&of.lease.server).during(MAKE)?;
        let dialect = rotator.dialect();
        let creation = creation(&template, dialect).during(MAKE)?;
        // First: what an administrator can't do leaves nothing that only an administrator could remove.
        let master = self.administrator(&of, rotator, MAKE).await?;
        let mut session = rotator.connect(&master, &self.trust).await.during(MAKE)?;
        settle(&mut of.lease.server, &master, dialect);
        let granted = self.grant(&mut *session, &mut of, (&template, dialect), &creation).await;
        session.close().await;
        let password = granted?;

        let login = login(&of.lease, &password).during(MAKE)?;
        let mut session = rotator.connect(&login, &self.trust).await.during(MAKE)?;
        let tested = session.test().await;
        session.close().await;
        tested.during(MAKE)?;
        work::activate(self.work(), &of).await.during(MAKE)
    }

    /// Has the user of `of` made in `session`; gives its password.
    async fn grant(
        &self,
        session: &mut dyn Session,
        of: &mut Task,
        by: (&Template, &Dialect),
        creation: &[String],
    ) -> Result<Sensitive, Trouble> {
        let password = self.password_of(of, by).await?;
        let expiration = shown(of.lease.expires);
        let lease = as_granted(&of.lease, &password, (creation, &expiration));
        session.grant(&lease).await.during(MAKE)?;
        Ok(password)
    }

    /// The password of `of`, kept before anybody hears of it; the one that is kept, if an earlier attempt made it.
    async fn password_of(
        &self,
        of: &mut Task,
        (template, dialect): (&Template, &Dialect),
    ) -> Result<Sensitive, Trouble> {
        if of.lease.state != State::Wanted {
            let kept = work::password(self.work(), of).await;
            return kept.during(MAKE)?.ok_or(Trouble::Gone);
        }
        let names = (of.lease.holder.name.as_str(), of.lease.name.as_str());
        let user = template.user(names, dialect.longest_name, &*self.entropy).during(MAKE)?;
        let password = self.password(dialect).during(MAKE)?;
        let kept = work::create(self.work(), of, &user, &password).await;
        During::<()>::during(kept, MAKE)?;
        Ok(password)
    }

    /// Has the user of `of` removed, with all that it has open.
    pub(super) async fn remove(&self, of: &Task) -> Result<(), Trouble> {
        if of.lease.username.is_empty() {
            return work::removed(self.work(), of).await.during(REMOVE);
        }
        let rotator = self.rotator_of(&of.lease.server).during(REMOVE)?;
        // Where a server keeps no marks, the password shows whose the user is. Without it all else still goes.
        let password = work::password(self.work(), of).await.ok().flatten();
        let password = password.unwrap_or_else(|| Sensitive::from(NONE.to_owned()));
        let master = self.administrator(of, rotator, REMOVE).await?;
        let mut session = rotator.connect(&master, &self.trust).await.during(REMOVE)?;
        let expiration = shown(of.lease.expires);
        let revoked = session.revoke(&as_granted(&of.lease, &password, (&[], &expiration))).await;
        session.close().await;
        revoked.during(REMOVE)?;
        work::removed(self.work(), of).await.during(REMOVE)
    }

    /// Has the lease of `of` end at `until`.
    ///
    /// # Errors
    ///
    /// Its server can't be told, or it ends already.
    pub async fn renew(&self, of: &Task, until: Timestamp) -> Result<(), Trouble> {
        let rotator = self.rotator_of(&of.lease.server).during(RENEW)?;
        // The server first: a user who outlives what the server was told is removed all the same.
        if roles::keeps_expiration(rotator.dialect()) {
            let password = work::password(self.work(), of).await.during(RENEW)?;
            let password = password.ok_or(Trouble::Gone)?;
            let master = self.administrator(of, rotator, RENEW).await?;
            let mut session = rotator.connect(&master, &self.trust).await.during(RENEW)?;
            // One who has just been removed must not come back.
            let (only, expiration) = ([EXTEND.to_owned()], shown(until));
            let lease = as_granted(&of.lease, &password, (&only, &expiration));
            let told = session.grant(&lease).await;
            session.close().await;
            told.during(RENEW)?;
        }
        work::renew(self.work(), of, until).await.during(RENEW)
    }

    fn rotator_of(&self, server: &Server) -> Result<&dyn Rotator, Failure> {
        let engine = &server.engine;
        let told = || Failure::Invalid(format!("nothing here makes users of `{engine}`"));
        self.rotators.of_engine(engine).ok_or_else(told)
    }

    /// The login of the administrator, who must be one of the same server.
    async fn administrator(
        &self,
        of: &Task,
        rotator: &dyn Rotator,
        step: &'static str,
    ) -> Result<Credential, Trouble> {
        let text = work::master(self.work(), of).await.during(step)?;
        let mut master = Credential::parse(&text).during(step)?;
        let (server, dialect) = (&of.lease.server, rotator.dialect());
        let engine = self.rotators.of_engine(&master.engine);
        let same = engine.is_some_and(|it| it.dialect().name == dialect.name)
            && master.host.eq_ignore_ascii_case(&server.host)
            && master.port.unwrap_or(dialect.port) == server.port.unwrap_or(dialect.port);
        if !same {
            let told = "the administrator's secret is for another server".to_owned();
            return Err(Trouble::Server(step, Failure::Invalid(told)));
        }
        let own = master.database.take();
        // Statements are about objects of the database that users open.
        master.database = server.database.clone().or_else(|| own.clone());
        if let Some(home) = rotator.home(&master).map(str::to_owned) {
            // The administrator may be at home elsewhere.
            (master.home, master.database) = (Some(home), own);
        }
        Ok(master)
    }
}

/// Says where users of `server` are, as far as the template leaves it to the administrator.
fn settle(server: &mut Server, master: &Credential, dialect: &Dialect) {
    server.port.get_or_insert(dialect.port);
    // Of some engines a database is only where a login begins: users need not be let into the administrator's.
    let bound = !matches!(dialect.name, "MySQL" | "MariaDB");
    if bound && server.database.is_none() {
        server.database = master.home.clone().or_else(|| master.database.clone());
    }
}

/// The statements that make a user.
fn creation(template: &Template, dialect: &Dialect) -> Result<Vec<String>, Failure> {
    if template.creation.is_empty() {
        return roles::creation(dialect, &template.roles);
    }
    Ok(template.creation.clone())
}

fn as_granted<'a>(
    lease: &'a Lease,
    password: &'a Sensitive,
    (creation, expiration): (&'a [String], &'a str),
) -> rotators::Lease<'a> {
    let (user, revocation) = (&*lease.username, &*lease.revocation);
    rotators::Lease { user, password, creation, revocation, expiration }
}

/// What the lease's holder would log in with.
fn login(lease: &Lease, password: &Sensitive) -> Result<Credential, Failure> {
    let server = &lease.server;
    let document = json!({
        "engine": server.engine, "host": server.host, "port": server.port, "dbname": server.database,
        "ssl": server.tls, "username": "-", "password": "-",
    });
    let empty = Credential::parse(&Sensitive::from(document.to_string()))?;
    Credential::parse(&empty.with_login(&lease.username, password)?)
}

/// An instant as engines take it.
fn shown(at: Timestamp) -> String {
    at.format("%Y-%m-%d %H:%M:%S+00")
}
