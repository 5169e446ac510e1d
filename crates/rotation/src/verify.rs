//! Whether a stored value is the server's.

use crate::engine::Ground;
use crate::native::server;
use rotators::{Credential, Failure, Rotator};
use secrets::rotation::work::{self, Assignment};
use service::chain;
use std::time::Duration;
use tokio::time::timeout;

/// Whether a stored value is the server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The server has another password, and says so.
    Drift(String),
    /// It logs in.
    LogsIn,
    /// The value isn't one that could be tried.
    Unknown(String),
    /// The server couldn't be asked.
    Unreachable(String),
}

/// A stored login, ready to be tried.
pub struct Login<'a> {
    credential: Credential,
    rotator: &'a dyn Rotator,
}

/// A login takes no longer.
const PATIENCE: Duration = Duration::from_secs(20);

impl Login<'_> {
    /// The server that it is for, `host:port`.
    pub fn server(&self) -> String {
        server(self.rotator, &self.credential)
    }
}

impl Ground {
    /// The current value of the secret `of`.
    ///
    /// # Errors
    ///
    /// Why it can't be tried.
    pub async fn login(&self, of: &Assignment) -> Result<Login<'_>, String> {
        let values = work::values(self.work(), of).await.map_err(|error| chain(&error))?;
        let current = values.current.ok_or("the secret has no current value in text")?;
        let credential = Credential::parse(&current).map_err(|it| it.to_string())?;
        let engine = &credential.engine;
        let unknown = || format!("nothing here logs in at the secret's `engine`, `{engine}`");
        let rotator = self.rotators.of_engine(engine).ok_or_else(unknown)?;
        Ok(Login { credential, rotator })
    }

    /// Logs in as an application would.
    pub async fn verify(&self, login: &Login<'_>) -> Verdict {
        let Login { credential, rotator } = login;
        let attempt = async {
            let mut session = rotator.connect(credential, &self.trust).await?;
            let tested = session.test().await;
            session.close().await;
            tested
        };
        let late = || Failure::Unreachable("the server took too long".to_owned());
        match timeout(PATIENCE, attempt).await.unwrap_or_else(|_| Err(late())) {
            Ok(()) => Verdict::LogsIn,
            Err(Failure::Denied(told)) => Verdict::Drift(told),
            Err(Failure::Invalid(told) | Failure::Refused(told)) => Verdict::Unknown(told),
            Err(Failure::Unreachable(told) | Failure::Untrusted(told)) => {
                Verdict::Unreachable(told)
            }
        }
    }
}
