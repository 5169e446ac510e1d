//! A login of the application: what it has read, and what the database says to it.

use base::Sensitive;
use bytes::Bytes;
use serde::Deserialize;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, NoTls};

/// What the secret says.
pub(super) struct Login {
    host: String,
    port: u16,
    database: String,
    username: String,
    password: Sensitive,
}

/// Why a login came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The database doesn't believe the password.
    #[error("the database refuses the login of `{0}`")]
    Refused(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// For one login, the question included.
const LONGEST: Duration = Duration::from_secs(10);
const QUESTION: &str = "SELECT pieces FROM stock";

impl Login {
    /// Reads an answer to GetSecretValue.
    pub(super) fn parse(answer: &Bytes) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            secret_string: String,
        }
        #[derive(Deserialize)]
        struct Value {
            host: String,
            port: u16,
            dbname: String,
            username: String,
            password: String,
        }
        let Answer { secret_string } = serde_json::from_slice(answer)?;
        let Value { host, port, dbname: database, username, password } =
            serde_json::from_str(&secret_string)?;
        Ok(Self { host, port, database, username, password: password.into() })
    }

    /// Logs in, asks something that takes a right, and leaves.
    pub(super) async fn visit(&self) -> Result<(), Trouble> {
        let late = |_| Trouble::Other("the database didn't answer in time".to_owned());
        timeout(LONGEST, self.ask()).await.map_err(late)?
    }

    async fn ask(&self) -> Result<(), Trouble> {
        let mut config = Config::new();
        config.user(&self.username).password(self.password.expose()).dbname(&self.database);
        config.ssl_mode(SslMode::Disable).application_name("application");
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await;
        let stream = stream.map_err(|error| Trouble::Other(format!("can't connect: {error}")))?;
        let opened = config.connect_raw(stream, NoTls).await;
        let (client, driver) = opened.map_err(|error| self.trouble(&error))?;
        let driver = tokio::spawn(driver);
        let answer = client.simple_query(QUESTION).await;
        drop(client);
        // It ends when it has said goodbye; what goes wrong then changes nothing.
        let _goodbye = driver.await;
        answer.map(drop).map_err(|error| self.trouble(&error))
    }

    fn trouble(&self, error: &tokio_postgres::Error) -> Trouble {
        let refusals = [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION];
        if error.code().is_some_and(|it| refusals.contains(it)) {
            return Trouble::Refused(self.username.clone());
        }
        let told = error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string);
        Trouble::Other(format!("`{}`: {told}", self.username))
    }
}
