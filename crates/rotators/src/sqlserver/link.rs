//! A login, and what is asked of it in bounded time.

use super::failure::{code, is_about_database, of_login, of_statement};
use super::quote::{name, text, usable};
use super::stream::Stream;
use super::{DIALECT, shown};
use crate::marker::mark;
use crate::transport::{LOGIN, STATEMENT, within};
use crate::{Credential, Failure, Protection, Trust};
use base::Sensitive;
use tiberius::error::Error;
use tiberius::{AuthMethod, Client, Config, EncryptionLevel, Row};
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

/// Whatever the login's own settings say, and less waiting than [`STATEMENT`] for anybody's lock.
const SETTINGS: &str = "SET NOCOUNT ON; SET IMPLICIT_TRANSACTIONS OFF; SET LOCK_TIMEOUT 8000;";

/// Who we are, and where.
const ASKED: &str = "SELECT CONVERT(nvarchar(20), SERVERPROPERTY('EngineEdition')), \
 CONVERT(nvarchar(128), SERVERPROPERTY('ProductVersion')), ORIGINAL_LOGIN(), DB_NAME(), USER_NAME(), \
 (SELECT authentication_type_desc FROM sys.database_principals \
 WHERE principal_id = DATABASE_PRINCIPAL_ID())";

/// Azure SQL, of which a login sees one database.
const ONE_DATABASE: &str = "5";

type Driver = Client<Compat<Stream>>;

/// A login that has succeeded.
pub(super) struct Link {
    client: Option<Driver>,
    way: Way,
    pub(super) protection: Protection,
    pub(super) version: String,
    /// Whether it is a server of which one database can be seen.
    pub(super) narrow: bool,
    /// Whether a database itself let it in.
    pub(super) contained: bool,
    /// The name of the login, or of the database's user.
    pub(super) me: String,
    /// The database that it opened.
    pub(super) home: String,
}

/// What it takes to log in again.
struct Way {
    login: Credential,
    trust: Trust,
}

impl Link {
    /// Logs in.
    pub(super) async fn open(login: &Credential, trust: &Trust) -> Result<Self, Failure> {
        usable(&login.username)?;
        let login = login.with_login(&login.username, &login.password)?;
        let way = Way { login: Credential::parse(&login)?, trust: trust.clone() };
        let (client, protection) = way.open(None).await?;
        let mut link = Self {
            client: Some(client),
            way,
            protection,
            version: String::new(),
            narrow: false,
            contained: false,
            me: String::new(),
            home: String::new(),
        };
        link.run(SETTINGS).await?;
        let [edition, version, login, database, user, authentication] =
            link.ask_row(ASKED).await?.unwrap_or_default();
        link.contained = authentication.as_deref() == Some("DATABASE");
        link.narrow = edition.as_deref() == Some(ONE_DATABASE);
        link.me = if link.contained { user } else { login }.unwrap_or_default();
        link.version = version.unwrap_or_default();
        link.home = database.unwrap_or_default();
        let number = link.version.split('.').next().and_then(|it| it.parse::<u32>().ok());
        match number {
            Some(11..) => Ok(link),
            Some(_) => {
                let told = format!("version {} is older than 2012", link.version);
                Err(Failure::Refused(format!("{told}, and not supported here")))
            }
            None => Err(Failure::Refused("the server doesn't say what it is".to_owned())),
        }
    }

    /// Whether `user` has the password `password`, found by logging in.
    pub(super) async fn admits(&self, user: &str, password: &Sensitive) -> Result<bool, Failure> {
        let login = self.way.login.with_login(user, password)?;
        match self.way.open(Some(Credential::parse(&login)?)).await {
            Ok((client, _)) => {
                // It said what was asked.
                let goodbye = async { client.close().await.map_err(|it| of_login(&it)) };
                let _ = within(LOGIN, goodbye).await;
                Ok(true)
            }
            Err(Failure::Denied(_)) => Ok(false),
            // The password was found right before.
            Err(Failure::Refused(told)) if is_about_database(&told) => Ok(true),
            Err(failure) => Err(failure),
        }
    }

    /// The rows that `statement` answers, all of whose columns are texts.
    pub(super) async fn ask(
        &mut self,
        statement: &str,
    ) -> Result<Vec<Vec<Option<String>>>, Failure> {
        let rows = self.act(statement).await?.map_err(|it| of_statement(&it, false))?;
        rows.iter().map(texts).collect()
    }

    /// The first row of what it answers.
    pub(super) async fn ask_row<const N: usize>(
        &mut self,
        statement: &str,
    ) -> Result<Option<[Option<String>; N]>, Failure> {
        let row = self.ask(statement).await?.into_iter().next();
        Ok(row.and_then(|it| it.try_into().ok()))
    }

    /// The one column of it.
    pub(super) async fn ask_one(&mut self, statement: &str) -> Result<Option<String>, Failure> {
        Ok(self.ask_row(statement).await?.and_then(|[it]| it))
    }

    /// Runs `statement`.
    pub(super) async fn run(&mut self, statement: &str) -> Result<(), Failure> {
        self.act(statement).await?.map(drop).map_err(|it| of_statement(&it, false))
    }

    /// Runs `statement`, of which nothing may be told, as it holds a password.
    pub(super) async fn run_secret(&mut self, statement: &str) -> Result<(), Failure> {
        self.try_secret(statement).await?.map_err(|it| it.1)
    }

    /// The same; the number of the server's refusal beside what it means.
    pub(super) async fn try_secret(
        &mut self,
        statement: &str,
    ) -> Result<Result<(), (Option<u32>, Failure)>, Failure> {
        let done = self.act(statement).await?;
        Ok(done.map(drop).map_err(|it| (code(&it), of_statement(&it, true))))
    }

    /// Whoever stops waiting for an answer leaves a connection that is of no more use.
    async fn act(&mut self, statement: &str) -> Result<Result<Vec<Row>, Error>, Failure> {
        let lost = || Failure::Unreachable("the connection was lost".to_owned());
        let mut client = self.client.take().ok_or_else(lost)?;
        // In a box: what all these waits keep is large, and much of this crate waits for it.
        let asked = Box::pin(async {
            let answer = match client.simple_query(statement).await {
                Ok(answer) => answer.into_results().await,
                Err(error) => Err(error),
            };
            Ok(answer.map(|it| it.into_iter().flatten().collect()))
        });
        let answer = within(STATEMENT, asked).await?;
        // What the server says ends nothing, unless it is that grave.
        let grave = |it: &Error| !matches!(it, Error::Server(told) if told.class() < 20);
        if !answer.as_ref().is_err_and(grave) {
            self.client = Some(client);
        }
        Ok(answer)
    }

    /// Makes `database` the one that statements are about.
    pub(super) async fn enter(&mut self, database: &str) -> Result<(), Failure> {
        if self.narrow {
            return Ok(());
        }
        self.run(&format!("USE {}", name(database))).await
    }

    /// Runs `act` while nobody else acts on `user` through a session of this kind. Who is cut off leaves no lock.
    pub(super) async fn alone<T>(
        &mut self,
        user: &str,
        act: impl AsyncFnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        // Names that are one to the server are so here, as far as that can be told.
        let lock = text(&format!("strongroom {}", mark(&user.to_lowercase(), 16)));
        let got = format!(
            "DECLARE @got int; EXEC @got = sp_getapplock @Resource = {}, @LockMode = 'Exclusive', \
             @LockOwner = 'Session', @LockTimeout = 8000; SELECT CONVERT(nvarchar(20), @got)",
            *lock
        );
        let got = self.ask_one(&got).await?;
        // 0: at once, 1: after others.
        if !matches!(got.as_deref(), Some("0" | "1")) {
            let told = format!("`{user}` is being changed by somebody else");
            return Err(Failure::Unreachable(told));
        }
        let home = self.home.clone();
        let done = act(self).await;
        // A lock is one of the database where it was taken; what can't be released goes with the connection.
        let release =
            format!("EXEC sp_releaseapplock @Resource = {}, @LockOwner = 'Session'", *lock);
        let _ = self.enter(&home).await;
        let _ = self.run(&release).await;
        done
    }

    /// Says goodbye.
    pub(super) async fn close(mut self) {
        if let Some(client) = self.client.take() {
            // Who doesn't answer isn't waited for.
            let goodbye = async { client.close().await.map_err(|it| of_login(&it)) };
            let _ = within(LOGIN, goodbye).await;
        }
    }
}

impl Way {
    /// Logs in, as somebody `other` if that is said.
    async fn open(&self, other: Option<Credential>) -> Result<(Driver, Protection), Failure> {
        let login = other.as_ref().unwrap_or(&self.login);
        let password = shown(&login.password)?;
        let mut config = Config::new();
        config.host(&login.host);
        config.application_name("strongroom");
        config.client_name("strongroom");
        if let Some(database) = login.database.as_deref().or(DIALECT.database) {
            config.database(database);
        }
        config.authentication(AuthMethod::sql_server(&login.username, password));
        config.encryption(EncryptionLevel::NotSupported);
        // Waiting is ended here.
        config.handshake_timeout(None);
        config.command_timeout(None);
        let opened = Box::pin(async {
            let stream = Stream::open(login, &self.trust).await?;
            let protection = stream.protection();
            let client = Client::connect(config, stream.compat_write()).await;
            Ok((client.map_err(|it| of_login(&it))?, protection))
        });
        within(LOGIN, opened).await
    }
}

fn texts(row: &Row) -> Result<Vec<Option<String>>, Failure> {
    let text = |at| {
        let text = row.try_get::<&str, _>(at).map(|it| it.map(str::to_owned));
        text.map_err(|_| Failure::Refused("the server answers with no text".to_owned()))
    };
    (0..row.len()).map(text).collect()
}
