//! A connection, and what is asked of it in bounded time.

use super::failure::{code, of_login, of_statement};
use super::quote::{Account, usable};
use super::server::{Maker, Server};
use super::shown;
use crate::marker::mark;
use crate::transport::{LOGIN, Need, STATEMENT, need};
use crate::{Credential, Dialect, Failure, Protection, Trust};
use mysql_async::prelude::{FromRow, Queryable};
use mysql_async::{Conn, DriverError, Error, Opts, OptsBuilder, Params, SslOpts};
use tokio::time::timeout;

/// What each session is set to: see [`super::quote`], and less waiting than [`STATEMENT`] for anybody's lock.
const SETUP: &str = "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES', lock_wait_timeout = 8";

/// A login that has succeeded.
pub(crate) struct Link {
    conn: Option<Conn>,
    opts: Opts,
    pub(crate) protection: Protection,
    pub(crate) server: Server,
    /// Who it is, as the server sees it.
    pub(crate) account: Account,
}

impl Link {
    /// Logs in.
    pub(crate) async fn open(
        login: &Credential,
        trust: &Trust,
        dialect: &Dialect,
    ) -> Result<Self, Failure> {
        usable(&login.username, dialect.longest_name)?;
        let password = shown(&login.password)?;
        let need = need(login);
        let encrypted = (need != Need::Nothing).then(|| believed(trust, &login.host));
        let builder = OptsBuilder::default()
            .ip_or_hostname(login.host.as_str())
            .tcp_port(login.port.unwrap_or(dialect.port))
            .user(Some(login.username.as_str()))
            .pass(Some(password))
            .db_name(login.database.as_deref())
            .ssl_opts(encrypted)
            .prefer_socket(false)
            // Else the driver asks for them, in statements of its own.
            .max_allowed_packet(Some(16 << 20))
            .wait_timeout(Some(60))
            .stmt_cache_size(0)
            .setup(vec![SETUP]);
        match login_to(&Opts::from(builder.clone())).await {
            // Nobody between here and there can have taken the offer away.
            Err(Error::Driver(DriverError::NoClientSslFlagFromServer))
                if need == Need::WhatIsOffered =>
            {
                let opts = Opts::from(builder.ssl_opts(None));
                let conn = login_to(&opts).await.map_err(|it| of_login(&it))?;
                Self::greet(conn, opts).await
            }
            Err(error) => Err(of_login(&error)),
            Ok(conn) => Self::greet(conn, builder.into()).await,
        }
    }

    /// Asks who is who.
    async fn greet(conn: Conn, opts: Opts) -> Result<Self, Failure> {
        let nobody = Account { user: String::new(), host: String::new() };
        let server = Server { maker: Maker::MySql, version: (0, 0, 0) };
        let protection = Protection::Plain;
        let mut link = Self { conn: Some(conn), opts, protection, server, account: nobody };
        let told: Vec<(String, String)> = link.ask("SELECT VERSION(), CURRENT_USER()", ()).await?;
        let (version, account) = told.into_iter().next().unwrap_or_default();
        let unknown = || Failure::Refused("the server doesn't say what it is".to_owned());
        link.server = Server::parse(&version).ok_or_else(unknown)?;
        link.account = Account::parse(&account).ok_or_else(unknown)?;
        let told: Vec<(String, String)> = link.ask("SHOW STATUS LIKE 'Ssl_version'", ()).await?;
        if link.opts.ssl_opts().is_some() {
            let version = told.into_iter().next().map(|it| it.1).unwrap_or_default();
            link.protection = Protection::Tls(version);
        }
        if link.server.supported() {
            return Ok(link);
        }
        Err(Failure::Refused(format!("version {version} is older than what is supported here")))
    }

    /// Whether `user` has the password `password`, found by logging in.
    pub(crate) async fn admits(&self, user: &str, password: &str) -> Result<bool, Failure> {
        self.try_login(user, password).await.or_else(|error| match of_login(&error) {
            Failure::Denied(_) => Ok(false),
            failure => Err(failure),
        })
    }

    /// The same of a user that may be locked: MySQL says so only to who has the password.
    pub(crate) async fn proves(&self, user: &str, password: &str) -> Result<bool, Failure> {
        const LOCKED: u16 = 3118;
        self.try_login(user, password).await.or_else(|error| match of_login(&error) {
            Failure::Denied(_) => Ok(code(&error) == Some(LOCKED)),
            failure => Err(failure),
        })
    }

    async fn try_login(&self, user: &str, password: &str) -> Result<bool, Error> {
        let builder = OptsBuilder::from_opts(self.opts.clone()).user(Some(user));
        let opts = builder.pass(Some(password)).db_name(None::<String>).into();
        let conn = login_to(&opts).await?;
        // It said what was asked.
        let _ = timeout(STATEMENT, conn.disconnect()).await;
        Ok(true)
    }

    /// What `statement` answers.
    pub(crate) async fn ask<T: FromRow + Send + 'static>(
        &mut self,
        statement: &str,
        values: impl Into<Params> + Send,
    ) -> Result<Vec<T>, Failure> {
        let values = values.into();
        let mut conn = self.take()?;
        let asked = async {
            match values {
                Params::Empty => conn.query(statement).await,
                values => conn.exec(statement, values).await,
            }
        };
        let answer = timeout(STATEMENT, asked).await;
        self.put_back(conn, answer)?.map_err(|it| of_statement(&it, false))
    }

    /// Runs `statement`.
    pub(crate) async fn run(&mut self, statement: &str) -> Result<(), Failure> {
        self.act(statement).await?.map_err(|it| of_statement(&it, false))
    }

    /// Runs `statement`, of which nothing may be told, as it holds a password.
    pub(crate) async fn run_secret(&mut self, statement: &str) -> Result<(), Failure> {
        self.act(statement).await?.map_err(|it| of_statement(&it, true))
    }

    /// The same; the number of the server's refusal beside what it means.
    pub(crate) async fn try_secret(
        &mut self,
        statement: &str,
    ) -> Result<Result<(), (Option<u16>, Failure)>, Failure> {
        let done = self.act(statement).await?;
        Ok(done.map_err(|it| (code(&it), of_statement(&it, true))))
    }

    async fn act(&mut self, statement: &str) -> Result<Result<(), Error>, Failure> {
        let mut conn = self.take()?;
        let answer = timeout(STATEMENT, conn.query_drop(statement)).await;
        self.put_back(conn, answer)
    }

    fn take(&mut self) -> Result<Conn, Failure> {
        self.conn.take().ok_or_else(|| Failure::Unreachable("the connection was lost".to_owned()))
    }

    /// Keeps `conn` if it is where it was before; one that is in the middle of an answer is of no use.
    fn put_back<T>(
        &mut self,
        conn: Conn,
        answer: Result<Result<T, Error>, tokio::time::error::Elapsed>,
    ) -> Result<Result<T, Error>, Failure> {
        let answer = answer.map_err(|_| {
            Failure::Unreachable("the server didn't answer within 10 seconds".to_owned())
        })?;
        if !answer.as_ref().is_err_and(Error::is_fatal) {
            self.conn = Some(conn);
        }
        Ok(answer)
    }

    /// Runs `act` while nobody else acts on `user` through a session of this kind: no statement on users is part of
    /// a transaction here. Who is cut off meanwhile leaves no lock.
    pub(crate) async fn alone<T>(
        &mut self,
        user: &str,
        act: impl AsyncFnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        // Names of locks have 64 characters at most.
        let lock = format!("strongroom {}", mark(user, 16));
        let got: Vec<Option<i64>> = self.ask("SELECT GET_LOCK(?, 8)", (&lock,)).await?;
        if got.first() != Some(&Some(1)) {
            let told = format!("`{user}` is being changed by somebody else");
            return Err(Failure::Unreachable(told));
        }
        let done = act(self).await;
        // What can't be released goes with the connection.
        let _ = self.ask::<Option<i64>>("SELECT RELEASE_LOCK(?)", (&lock,)).await;
        done
    }

    /// Says goodbye.
    pub(crate) async fn close(mut self) {
        if let Some(conn) = self.conn.take() {
            // Who doesn't answer isn't waited for.
            let _ = timeout(LOGIN, conn.disconnect()).await;
        }
    }
}

/// What is believed of `host`, as the driver wants it.
fn believed(trust: &Trust, host: &str) -> SslOpts {
    let roots = trust.believed(host).certificates().iter();
    let roots = roots.map(|it| it.to_vec().into()).collect();
    SslOpts::default().with_disable_built_in_roots(true).with_root_certs(roots)
}

/// Logs in within [`LOGIN`], in a task of its own: the driver trusts the length of some packets.
async fn login_to(opts: &Opts) -> Result<Conn, Error> {
    let task = tokio::spawn(timeout(LOGIN, Conn::new(opts.clone())));
    let late = || std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer within 5 seconds");
    match task.await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(late().into()),
        Err(_) => Err(DriverError::PacketOutOfOrder.into()),
    }
}
