//! The secret that rotates, through the API.

use super::application::Reader;
use super::stage::Stage;
use crate::import::caller::{Caller, Connection};
use anyhow::{Context, Result};
use base::{SystemEntropy, Uuid};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Whose password changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Strategy {
    /// One user gets another password
    Single,
    /// Two users take turns, so that the one before still logs in
    Alternating,
}

/// A secret whose rotation is switched on.
pub(super) struct Secret {
    caller: Arc<Caller>,
    connection: Connection,
    name: String,
    /// What the next rotation names besides, which is the first: the function, and when it rotates by itself.
    first: Map<String, Value>,
}

/// Which version carries which label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stages {
    pub(super) current: Option<String>,
    pub(super) pending: Option<String>,
    pub(super) previous: Option<String>,
}

impl Strategy {
    /// As people are told.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Single => "single user",
            Self::Alternating => "alternating users",
        }
    }

    /// The template of AWS that the server is itself.
    fn function(self) -> &'static str {
        match self {
            Self::Single => "SecretsManagerRDSPostgreSQLRotationSingleUser",
            Self::Alternating => "SecretsManagerRDSPostgreSQLRotationMultiUser",
        }
    }
}

impl Secret {
    /// Gives the user `app` a password, and makes a secret of it; with alternating users also one of the
    /// administrator, who makes and changes the second user.
    pub(super) async fn new(stage: &Stage, strategy: Strategy) -> Result<Self> {
        let password = drawn();
        stage.sql(&format!("ALTER ROLE app PASSWORD '{password}'"))?;
        let (caller, connection) = (Arc::clone(&stage.caller), Connection::default());
        let mut secret =
            Self { caller, connection, name: strategy.name().replace(' ', "-"), first: Map::new() };
        let port = stage.postgres.port();
        let login = |username: &str, password: &str| {
            let server = ("postgres", "127.0.0.1", "postgres");
            let login = [
                ("engine", server.0.into()),
                ("host", server.1.into()),
                ("port", port.into()),
                ("dbname", server.2.into()),
                ("username", username.into()),
                ("password", password.into()),
            ];
            Map::from_iter(login.map(|(name, value)| (name.to_owned(), value)))
        };
        let mut value = login("app", &password);
        if strategy == Strategy::Alternating {
            let master = secret.create("master", login("postgres", stage.postgres.password()));
            value.insert("masterarn".to_owned(), master.await?.into());
        }
        let arn = secret.create(&secret.name.clone(), value).await?;
        let place = arn.split(':').skip(3).take(2).collect::<Vec<_>>().join(":");
        let function = format!("arn:aws:lambda:{place}:function:{}", strategy.function());
        secret.first.insert("RotationLambdaARN".to_owned(), function.into());
        let rules = json!({ "AutomaticallyAfterDays": 30 });
        secret.first.insert("RotationRules".to_owned(), rules);
        Ok(secret)
    }

    /// How the application reads it, keeping what it has read for the time `keeps`.
    pub(super) fn reader(&self, keeps: Duration) -> Reader {
        let body = json!({ "SecretId": self.name }).to_string().into();
        Reader { caller: Arc::clone(&self.caller), body, keeps }
    }

    /// Has it rotated; the version that will be current.
    pub(super) async fn rotate(&mut self) -> Result<String> {
        let mut members = std::mem::take(&mut self.first);
        let version = drawn();
        members.insert("SecretId".to_owned(), self.name.as_str().into());
        members.insert("ClientRequestToken".to_owned(), version.as_str().into());
        self.ask("RotateSecret", &members.into()).await?;
        Ok(version)
    }

    /// Which version carries which label now.
    pub(super) async fn stages(&mut self) -> Result<Stages> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Described {
            version_ids_to_stages: BTreeMap<String, Vec<String>>,
        }
        let answer = self.ask("DescribeSecret", &json!({ "SecretId": self.name })).await?;
        let told: Described = serde_json::from_slice(&answer).context("not understood")?;
        let holder = |label: &str| {
            let mut all = told.version_ids_to_stages.iter();
            let found = all.find(|(_, labels)| labels.iter().any(|it| it == label));
            found.map(|(version, _)| version.clone())
        };
        let (current, pending) = (holder("AWSCURRENT"), holder("AWSPENDING"));
        // A version that has become current keeps the other label, and that moves nowhere.
        let pending = pending.filter(|it| current.as_ref() != Some(it));
        Ok(Stages { current, pending, previous: holder("AWSPREVIOUS") })
    }

    /// Makes a secret of `value`; its ARN.
    async fn create(&mut self, name: &str, value: Map<String, Value>) -> Result<String> {
        #[derive(Deserialize)]
        struct Made {
            #[serde(rename = "ARN")]
            arn: String,
        }
        let members = json!({ "Name": name, "SecretString": Value::from(value).to_string(),
                              "ClientRequestToken": drawn() });
        let answer = self.ask("CreateSecret", &members).await?;
        Ok(serde_json::from_slice::<Made>(&answer).context("not understood")?.arn)
    }

    async fn ask(&mut self, operation: &str, members: &Value) -> Result<Bytes> {
        let body = Bytes::from(members.to_string());
        let answer = self.connection.ask(&self.caller, operation, &body).await;
        answer.with_context(|| format!("{operation} was not done"))
    }
}

/// A name or a password that nobody guesses.
fn drawn() -> String {
    Uuid::random(&SystemEntropy).to_string()
}
