//! A login, and what is asked of it in bounded time.

use super::failure::{NO_SESSION, is_no_service, of_login, of_statement, said};
use super::quote::{kept, shown};
use super::tunnel::Tunnel;
use crate::transport::{LOGIN, STATEMENT, within};
use crate::{Credential, Failure, Protection, Trust};
use async_trait::async_trait;
use base::Sensitive;
use oracledb::{Config, Connection, Error, ToDbValue};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

/// Rows of texts.
pub(super) type Rows = Vec<Vec<Option<String>>>;

/// What a login may be asked. Tests answer in a database's place.
#[async_trait]
pub(super) trait Ask: Send {
    /// What `statement` answers, with `values` in its places; all columns are texts.
    async fn ask(&mut self, statement: &str, values: &[&str]) -> Result<Rows, Failure>;

    /// Runs `statement`, of which nothing may be told; the number of the server's refusal beside what it means.
    async fn act(
        &mut self,
        statement: &str,
    ) -> Result<Result<(), (Option<usize>, Failure)>, Failure>;

    /// Whether `user` has the password `password`, found by logging in.
    async fn admits(&mut self, user: &str, password: &Sensitive) -> Result<Admits, Failure>;
}

/// What a database says to a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admits {
    No,
    /// It is right, but its user may not begin a session.
    NotYet,
    Yes,
}

/// A login that has succeeded.
pub(super) struct Link {
    connection: Option<(Connection, Tunnel)>,
    way: (Credential, Trust),
    pub(super) protection: Protection,
    /// Who it is, as the database keeps the name.
    pub(super) me: String,
}

impl Link {
    /// Logs in.
    pub(super) async fn open(login: &Credential, trust: &Trust) -> Result<Self, Failure> {
        let me = kept(&login.username)?;
        let login = Credential::parse(&login.with_login(&login.username, &login.password)?)?;
        let opened = open(&login, trust).await.map_err(|it| it.1)?;
        let protection = opened.1.protection.clone();
        Ok(Self { connection: Some(opened), way: (login, trust.clone()), protection, me })
    }

    /// Does `act` where it may wait; who stops waiting leaves a connection that is of no more use, and ends it.
    async fn wait<T: Send + 'static>(
        &mut self,
        act: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<Result<T, Error>, Failure> {
        let lost = || Failure::Unreachable("the connection was lost".to_owned());
        let (connection, tunnel) = self.connection.take().ok_or_else(lost)?;
        let waiting = spawn_blocking(move || {
            let answer = act(&connection);
            (connection, answer)
        });
        let waited = within(STATEMENT, async { waiting.await.map_err(|_| lost()) }).await;
        let (connection, answer) = waited?;
        if answer.as_ref().err().is_none_or(|it| said(it).is_some()) {
            self.connection = Some((connection, tunnel));
        } else {
            end(connection, tunnel);
        }
        Ok(answer)
    }

    /// Says goodbye.
    pub(super) async fn close(mut self) {
        if let Some((connection, tunnel)) = self.connection.take() {
            let goodbye = spawn_blocking(move || drop(connection));
            // Who doesn't answer isn't waited for.
            let _ = within(LOGIN, async {
                goodbye.await.map_err(|it| Failure::Unreachable(it.to_string()))
            })
            .await;
            drop(tunnel);
        }
    }
}

#[async_trait]
impl Ask for Link {
    async fn ask(&mut self, statement: &str, values: &[&str]) -> Result<Rows, Failure> {
        let statement = statement.to_owned();
        let values: Vec<_> = values.iter().map(|it| (*it).to_owned()).collect();
        let answer = self.wait(move |connection| rows(connection, &statement, &values)).await?;
        answer.map_err(|it| of_statement(&it, false))
    }

    async fn act(
        &mut self,
        statement: &str,
    ) -> Result<Result<(), (Option<usize>, Failure)>, Failure> {
        let statement = zeroize::Zeroizing::new(statement.to_owned());
        let done = self.wait(move |it| it.execute(&statement, &[]).map(drop)).await?;
        Ok(done.map_err(|it| (said(&it).map(|it| it.0), of_statement(&it, true))))
    }

    async fn admits(&mut self, user: &str, password: &Sensitive) -> Result<Admits, Failure> {
        // As the database keeps it.
        let user = super::quote::quoted(user);
        let login = Credential::parse(&self.way.0.with_login(&user, password)?)?;
        match open(&login, &self.way.1).await {
            Ok((connection, tunnel)) => {
                end(connection, tunnel);
                Ok(Admits::Yes)
            }
            Err((Some(NO_SESSION), _)) => Ok(Admits::NotYet),
            Err((_, Failure::Denied(_))) => Ok(Admits::No),
            Err((_, failure)) => Err(failure),
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some((connection, tunnel)) = self.connection.take() {
            end(connection, tunnel);
        }
    }
}

/// Ends both, without waiting: the driver says goodbye where it stands, and hears nothing.
fn end(connection: Connection, tunnel: Tunnel) {
    drop(tunnel);
    if let Ok(here) = Handle::try_current() {
        here.spawn_blocking(move || drop(connection));
    }
}

fn rows(connection: &Connection, statement: &str, values: &[String]) -> Result<Rows, Error> {
    let values: Vec<&dyn ToDbValue> = values.iter().map(|it| it as &dyn ToDbValue).collect();
    let mut rows = Rows::new();
    for row in connection.query(statement, &values)? {
        let row = row?;
        let cells = (0..row.columns().len()).map(|at| row.get::<Option<String>>(at));
        rows.push(cells.collect::<Result<_, _>>()?);
    }
    Ok(rows)
}

type Opened = (Connection, Tunnel);

/// Logs in; the number of the server's refusal beside what it means.
async fn open(login: &Credential, trust: &Trust) -> Result<Opened, (Option<usize>, Failure)> {
    let invalid = |it| (None, it);
    let database = database(login).map_err(invalid)?;
    shown(&login.password).map_err(invalid)?;
    within(LOGIN, async {
        Ok(match attempt(login, trust, "SERVICE_NAME", &database).await {
            Err((None, error)) if error.as_ref().is_ok_and(is_no_service) => {
                attempt(login, trust, "SID", &database).await
            }
            other => other,
        })
    })
    .await
    .map_err(|it| (None, it))?
    .map_err(|(code, error)| match error {
        Ok(error) => (code, of_login(&error)),
        Err(failure) => (code, failure),
    })
}

/// Logs in to the database of that service, or of that instance.
async fn attempt(
    login: &Credential,
    trust: &Trust,
    kind: &str,
    database: &str,
) -> Result<Opened, (Option<usize>, Result<Error, Failure>)> {
    let tunnel = Tunnel::open(login, trust).await.map_err(|it| (None, Err(it)))?;
    let password = shown(&login.password).map_err(|it| (None, Err(it)))?;
    let address = format!(
        "(DESCRIPTION=(RETRY_COUNT=0)(RETRY_DELAY=0)(ADDRESS=(PROTOCOL=tcp)(HOST=127.0.0.1)(PORT={}))(CONNECT_DATA=({kind}={database})))",
        tunnel.port
    );
    let config = Config::default().set_credentials(&login.username, password);
    let config = config.set_connect_string(&address).map_err(|it| (None, Ok(it)))?;
    let opened = spawn_blocking(move || oracledb::connect(config)).await;
    let failed =
        |_| (None, Err(Failure::Unreachable("the server speaks another protocol".to_owned())));
    match opened.map_err(failed)? {
        Ok(connection) => Ok((connection, tunnel)),
        Err(error) => Err((said(&error).map(|it| it.0), Ok(error))),
    }
}

/// The database's name, which stands in an address and so mustn't end it.
fn database(login: &Credential) -> Result<String, Failure> {
    let invalid = |it: &str| Err(Failure::Invalid(it.to_owned()));
    match login.database.as_deref() {
        None => invalid("the secret's value has no `dbname`, which Oracle needs"),
        Some(it) if it.chars().all(|it| it.is_ascii_alphanumeric() || "._-$#".contains(it)) => {
            Ok(it.to_owned())
        }
        Some(_) => invalid("`dbname` is no name of a service or an instance"),
    }
}
