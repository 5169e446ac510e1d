//! `strongroom dev`.

use crate::data::DataFolder;
use crate::env::{self, Credentials};
use crate::run;
use ::server::config::{Config, LogLevel};
use anyhow::{Context, Result, bail};
use base::{Clock, SystemClock};
use clap::builder::PossibleValuesParser;
use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

/// Run a server for development: one command, one account, nothing to configure
///
/// Prints how to reach it. Signatures, encryption, durability and the audit trail are as in
/// production; only throttling is off. A second start finds the same data and keys.
#[derive(Debug, clap::Args)]
pub(crate) struct Dev {
    /// Loopback address for HTTP; HTTPS is on the next port. Port 0: the kernel chooses both
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4747")]
    listen: SocketAddr,
    /// The least serious level that is logged
    #[arg(
        long,
        value_name = "LEVEL",
        default_value = "info",
        value_parser = PossibleValuesParser::new(["error", "warn", "info", "debug", "trace"])
    )]
    log: String,
}

const START: Duration = Duration::from_secs(10);

impl Dev {
    pub(crate) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        if !self.listen.ip().is_loopback() {
            bail!(
                "`{}` is not a loopback address, and `dev` listens at no other\n\
                 hint: `strongroom server --config FILE` is the production form",
                self.listen
            );
        }
        let mut config = Config::dev(data.path().to_owned(), self.listen);
        config.log.level = level(&self.log);
        let data = data.clone();
        run::until_stopped(config, async |_| {
            let folder = data.clone();
            let asked = tokio::task::spawn_blocking(move || env::when_ready(&folder, START));
            let credentials = asked.await.context("the server ended")??;
            welcome(&data, &credentials, out)
        })
    }
}

/// What to paste, now that it answers.
fn welcome(data: &DataFolder, credentials: &Credentials, out: &mut dyn Write) -> Result<()> {
    let Credentials { endpoint, tls_endpoint, ca_file, .. } = credentials;
    writeln!(out, "Strongroom answers at {endpoint}")?;
    writeln!(out, "            and at {tls_endpoint}, certificate authority {ca_file}")?;
    writeln!(out, "Data is in {}\n", data.shown())?;
    writeln!(out, "In another shell:\n")?;
    for line in env::exports(credentials, false) {
        writeln!(out, "    {line}")?;
    }
    // A name of its own, so that pasting works again after the next start.
    let name = format!("demo/{}", SystemClock.now().secs() % 1_000_000);
    let value = r#"{"username":"app","password":"correct horse"}"#;
    writeln!(out)?;
    writeln!(out, "    aws secretsmanager create-secret --name {name} --secret-string '{value}'")?;
    writeln!(out, "    aws secretsmanager get-secret-value --secret-id {name}")?;
    writeln!(out, "    aws secretsmanager list-secrets")?;
    writeln!(out)?;
    Ok(out.flush()?)
}

fn level(name: &str) -> LogLevel {
    match name {
        "error" => LogLevel::Error,
        "warn" => LogLevel::Warn,
        "debug" => LogLevel::Debug,
        "trace" => LogLevel::Trace,
        _ => LogLevel::Info,
    }
}
