//! `strongroom server`.

use crate::run;
use ::server::config::{Config, ConfigError};
use anyhow::Result;
use std::path::PathBuf;
use std::process::ExitCode;

/// Run the production server
///
/// Stops on SIGTERM or SIGINT, after letting running requests finish. Logs go to standard error.
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// Configuration file, TOML
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Only check the configuration
    #[arg(long)]
    check: bool,
}

impl Serve {
    pub(crate) fn run(&self) -> Result<ExitCode> {
        let config = Config::read(&self.config).map_err(|error| match error {
            // Names the file itself.
            ConfigError::Unreadable { .. } => error.into(),
            _ => anyhow::Error::from(error).context(format!("in `{}`", self.config.display())),
        })?;
        if self.check {
            return Ok(ExitCode::SUCCESS);
        }
        run::until_stopped(config, async |running| {
            let endpoints = running.endpoints();
            tracing::info!(
                plain = ?endpoints.plain,
                tls = ?endpoints.tls,
                unix = ?endpoints.unix,
                admin = ?endpoints.admin,
                "ready"
            );
            Ok(())
        })
    }
}
