//! The functions that a rotation can name.

use super::{FunctionHost, Logged, Remotes};
use async_trait::async_trait;
use functions::native::{Engine, Native, Strategy};
use rotation::{Functions, Hidden, Registry};
use rotators::Rotator;
use secrets::rotation::work::Assignment;
use std::sync::Arc;

/// This server's own functions, those that run as processes, and those that are somewhere else.
pub(crate) struct Named {
    pub(crate) host: Arc<FunctionHost>,
    pub(crate) remotes: Arc<Remotes>,
}

/// The engines that are compiled in.
pub(crate) struct Engines;

impl Registry for Engines {
    fn of_engine(&self, name: &str) -> Option<&dyn Rotator> {
        rotators::of_engine(name)
    }
}

#[async_trait]
impl Functions for Named {
    fn native(&self, arn: &str) -> Option<rotation::Native> {
        if self.remotes.has(arn) {
            return None;
        }
        let (_, name) = arn.split_once(":function:")?;
        let name = name.split_once(':').map_or(name, |it| it.0);
        let (engine, strategy) = match functions::native::find(name)? {
            Native::BySecret => (None, rotation::Strategy::BySecret),
            Native::Fixed(engine, Strategy::SingleUser) => {
                (Some(dialect(engine)), rotation::Strategy::SingleUser)
            }
            Native::Fixed(engine, Strategy::AlternatingUsers) => {
                (Some(dialect(engine)), rotation::Strategy::AlternatingUsers)
            }
        };
        Some(rotation::Native { engine, strategy })
    }

    async fn invoke(
        &self,
        of: &Assignment,
        event: Vec<u8>,
        hidden: &dyn Hidden,
    ) -> Result<(), String> {
        if self.remotes.has(&of.function) {
            return self.remotes.step(&of.function, &event, hidden, &Logged).await;
        }
        self.host.step(of, event, hidden).await
    }
}

/// What the rotators call an engine.
fn dialect(engine: Engine) -> &'static str {
    match engine {
        Engine::Db2 => "Db2",
        Engine::MariaDb => "MariaDB",
        Engine::MongoDb => "MongoDB",
        Engine::MySql => "MySQL",
        Engine::Oracle => "Oracle",
        Engine::Postgres => "PostgreSQL",
        Engine::Redis => "Redis",
        Engine::Redshift => "Redshift",
        Engine::SqlServer => "SQL Server",
    }
}
