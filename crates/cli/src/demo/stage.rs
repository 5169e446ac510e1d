//! What a demonstration runs on: a database and a server that nobody else knows.

use crate::env::{self, Credentials};
use crate::import::caller::{Caller, Keys, Patience};
use crate::import::endpoint::Endpoint;
use crate::run;
use ::server::config::Config;
use ::server::{Running, Server};
use anyhow::{Context, Result, bail};
use peers::{Postgres, Setup};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::{block_in_place, spawn_blocking};

/// A private PostgreSQL, and a Strongroom on a folder of its own. Dropping it ends and removes both, too.
pub(super) struct Stage {
    pub(super) postgres: Postgres,
    pub(super) caller: Arc<Caller>,
    running: Running,
    folder: TempDir,
}

const START: Duration = Duration::from_secs(30);

/// Nothing is tried again unseen: what fails once has failed.
const IMPATIENT: Patience = Patience { retries: 0, first: Duration::ZERO, longest: Duration::ZERO };

/// What `app` may do, so that a login can prove to have the right to it.
const SHOP: &str = "CREATE ROLE app LOGIN;
CREATE TABLE stock (item text, pieces integer);
INSERT INTO stock VALUES ('lamp', 3);
GRANT SELECT ON stock TO app;";

/// Says what is missing on this machine.
pub(super) fn require() -> Result<()> {
    if Postgres::is_installed() {
        return Ok(());
    }
    bail!(
        "no PostgreSQL is installed here\nhint: `apt-get install postgresql`; nothing of it has to run"
    )
}

impl Stage {
    /// Starts both.
    pub(super) async fn start() -> Result<Self> {
        let started = spawn_blocking(|| {
            let postgres = Postgres::start(&setup()).context("can't start a PostgreSQL")?;
            postgres.sql(SHOP).context("can't fill the PostgreSQL")?;
            Ok::<_, anyhow::Error>(postgres)
        });
        let postgres = started.await.context("the start broke off")??;
        let folder = tempfile::Builder::new().prefix("strongroom-demo-").tempdir();
        let folder = folder.context("can't make a temporary folder")?;
        let data = folder.path().join("data");
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = Server::new(Config::dev(data.clone(), anywhere));
        let running = server.start().await.map_err(run::hinted)?;
        let asked = spawn_blocking(move || env::when_ready(&data.into(), START));
        let credentials = asked.await.context("the server ended")??;
        let caller = Arc::new(caller(credentials)?);
        Ok(Self { postgres, caller, running, folder })
    }

    /// Runs `statements` as the database's administrator.
    pub(super) fn sql(&self, statements: &str) -> Result<()> {
        block_in_place(|| self.postgres.sql(statements))?;
        Ok(())
    }

    /// Ends both, and removes what they have left.
    pub(super) async fn stop(self) -> Result<()> {
        let Self { postgres, caller: _, running, folder } = self;
        running.shutdown().await;
        block_in_place(|| drop(postgres));
        folder.close().context("can't remove the temporary folder")
    }
}

/// As quiet as a server can be: there are thousands of logins.
fn setup() -> Setup {
    let settings = ["log_statement = none", "log_connections = off", "max_connections = 300"];
    Setup { settings: settings.map(str::to_owned).into(), ..Setup::default() }
}

fn caller(credentials: Credentials) -> Result<Caller> {
    let Credentials { endpoint, access_key_id, secret_access_key, region, .. } = credentials;
    let keys =
        Keys { access_key_id, secret: secret_access_key.into(), session_token: None, region };
    Ok(Caller { endpoint: Endpoint::new(&endpoint, None)?, keys, patience: IMPATIENT })
}
