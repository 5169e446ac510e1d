//! A connection of the driver, in time and without a task of its own.

use super::check_name;
use super::stream::Handshake;
use super::told::{collided, of_login, of_statement};
use crate::transport::{LOGIN, Need, STATEMENT, dial, need, proof, within};
use crate::{Credential, Dialect, Failure, Protection, Trust};
use base::Sensitive;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, Error, NoTls, SimpleQueryMessage, SimpleQueryRow};

/// How often what collides with others is tried.
pub(crate) const TRIES: u32 = 5;

type Driver = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// An open connection. The driver's half that reads and writes is moved on by whoever waits for an answer, so that
/// nothing is left behind when this is dropped.
pub(crate) struct Connection {
    client: Client,
    driver: Option<Driver>,
    protection: Protection,
}

/// What it takes to make a connection.
struct Way {
    host: String,
    port: u16,
    mode: SslMode,
    proof: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    user: String,
    password: Sensitive,
    database: String,
}

impl Connection {
    /// Logs in.
    pub(crate) async fn open(
        login: &Credential,
        trust: &Trust,
        dialect: &Dialect,
    ) -> Result<Self, Failure> {
        check_name(&login.username, dialect)?;
        let (need, password) = (need(login), login.password.expose());
        let database = login.database.as_deref().or(dialect.database).unwrap_or_default();
        if database.contains('\0') || password.contains(&0) {
            return Err(Failure::Invalid("a password or a database has a NUL character".into()));
        }
        let way = Way {
            host: login.host.clone(),
            port: login.port.unwrap_or(dialect.port),
            mode: match need {
                Need::Nothing => SslMode::Disable,
                // What is offered is taken; a certificate that isn't believed ends either.
                Need::WhatIsOffered => SslMode::Prefer,
                Need::Tls => SslMode::Require,
            },
            proof: if need == Need::Nothing { None } else { Some(proof(&login.host, trust)?) },
            user: login.username.clone(),
            password: Sensitive::from(password),
            database: database.to_owned(),
        };
        within(LOGIN, way.open()).await
    }

    /// How it is protected.
    pub(crate) fn protection(&self) -> Protection {
        self.protection.clone()
    }

    /// Runs `statements`, by the simple protocol, which also goes through poolers; the rows of all of them.
    pub(crate) async fn run(&mut self, statements: &str) -> Result<Vec<SimpleQueryRow>, Failure> {
        let Self { client, driver, .. } = self;
        let answer = async {
            let mut answer = pin!(client.simple_query(statements));
            poll_fn(|context| {
                // An end of the driver is told to those who wait for its answers.
                if driver.as_mut().is_some_and(|it| it.as_mut().poll(context).is_ready()) {
                    *driver = None;
                }
                match answer.as_mut().poll(context) {
                    Poll::Ready(answer) => Poll::Ready(answer.map_err(|it| of_statement(&it))),
                    Poll::Pending => Poll::Pending,
                }
            })
            .await
        };
        let messages = within(STATEMENT, answer).await?;
        let rows = messages.into_iter().filter_map(|it| match it {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        Ok(rows.collect())
    }

    /// Runs `statements` all or none: those of one message are one transaction.
    pub(crate) async fn run_as_one(&mut self, statements: &[String]) -> Result<(), Failure> {
        let all = statements.join(";\n");
        let mut tries = 1..TRIES;
        loop {
            match self.run(&all).await {
                Err(failure) if collided(&failure) && tries.next().is_some() => (),
                other => return other.map(drop),
            }
        }
    }

    /// Says goodbye.
    pub(crate) async fn close(self) {
        let Self { client, driver, .. } = self;
        drop(client);
        if let Some(driver) = driver {
            let goodbye = async { driver.await.map_err(|error| of_statement(&error)) };
            // Who doesn't hear it sees the connection end.
            let _ = within(LOGIN, goodbye).await;
        }
    }
}

impl Way {
    async fn open(self) -> Result<Connection, Failure> {
        let mut config = Config::new();
        config.user(&self.user).password(self.password.expose()).dbname(&self.database);
        config.ssl_mode(self.mode).application_name("strongroom");
        let stream = dial(&self.host, self.port).await?;
        let version = Arc::new(OnceLock::new());
        let (client, driver): (_, Driver) = match self.proof.clone() {
            None => {
                let opened = config.connect_raw(stream, NoTls).await;
                let (client, driver) = opened.map_err(|error| of_login(&error))?;
                (client, Box::pin(driver))
            }
            Some((config_of_tls, name)) => {
                let version = Arc::clone(&version);
                let handshake = Handshake { config: config_of_tls, name, version };
                let opened = config.connect_raw(stream, handshake).await;
                let (client, driver) = opened.map_err(|error| of_login(&error))?;
                (client, Box::pin(driver))
            }
        };
        let protection = version.get().cloned().map_or(Protection::Plain, Protection::Tls);
        Ok(Connection { client, driver: Some(driver), protection })
    }
}

/// The text of a row's column; empty where it is null.
pub(crate) fn text(row: &SimpleQueryRow, column: &str) -> String {
    row.try_get(column).ok().flatten().unwrap_or_default().to_owned()
}
