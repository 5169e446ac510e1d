//! `strongroom credentials serve`.

use crate::{log, output, run};
use ::server::config::{LogFormat, LogLevel};
use agent::{
    Agent, At, Config, ConfigError, IdentityConfig, Listen, Reach, ServerConfig, WorkloadConfig,
    World, X509Config,
};
use anyhow::{Context, Result, bail};
use base::{Region, SystemClock, SystemEntropy};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

/// Hand this host's workloads sessions of their roles, so that none of them stores a key
///
/// Offers the container credentials endpoint, EKS Pod Identity and the instance metadata service (version
/// 2), finds out who asks, and fetches the sessions from a server. Prints the variables that lead SDKs
/// there. Stops on SIGTERM or SIGINT. With `--role-arn` instead of `--config`, one user of this host gets
/// one role.
#[derive(Debug, clap::Args)]
pub(crate) struct CredentialsServe {
    /// Configuration file, TOML
    #[arg(long, value_name = "FILE", required_unless_present = "role_arn")]
    config: Option<PathBuf>,
    /// Only check the configuration, with the files it names
    #[arg(long)]
    check: bool,
    /// Log JSON objects instead of lines of text
    #[arg(long)]
    log_json: bool,
    #[command(flatten)]
    single: Single,
}

/// One role without a file.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "One role without a file")]
struct Single {
    /// The role
    #[arg(long, value_name = "ARN", conflicts_with = "config", requires_all = ["endpoint", "region"])]
    role_arn: Option<String>,
    /// The server: `https://HOST:PORT`, or plain http on loopback
    #[arg(long, value_name = "URL", requires = "role_arn")]
    endpoint: Option<String>,
    /// PEM file of the certificate authorities to trust
    #[arg(long, value_name = "FILE", requires = "role_arn")]
    ca_file: Option<PathBuf>,
    /// The Region to sign for
    #[arg(long, requires = "role_arn")]
    region: Option<Region>,
    /// The session's name
    #[arg(long, value_name = "NAME", requires = "role_arn", default_value = "strongroom-agent")]
    session_name: String,
    /// The user who may ask; whoever runs this, if absent
    #[arg(long, requires = "role_arn")]
    uid: Option<u32>,
    /// Where to listen: `ADDRESS:PORT` or `unix:/PATH`
    #[arg(long, value_name = "AT", requires = "role_arn", default_value = "127.0.0.1:4750")]
    listen: At,
    #[command(flatten)]
    identity: Identity,
}

/// How the agent proves to the server who it is.
#[derive(Debug, clap::Args)]
struct Identity {
    /// JSON file with an access key, mode 0600: for AssumeRole
    #[arg(long, value_name = "FILE", requires = "role_arn")]
    access_key_file: Option<PathBuf>,
    /// File with an identity provider's token: for AssumeRoleWithWebIdentity
    #[arg(long, value_name = "FILE", requires = "role_arn", conflicts_with = "access_key_file")]
    web_identity_token_file: Option<PathBuf>,
    /// PEM file with a certificate: for Roles Anywhere
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["access_key_file", "web_identity_token_file"],
        requires_all = ["role_arn", "key", "trust_anchor_arn", "profile_arn"]
    )]
    certificate: Option<PathBuf>,
    /// PEM file with its private key, mode 0600
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// The trust anchor that the certificate chains to
    #[arg(long, value_name = "ARN", requires = "certificate")]
    trust_anchor_arn: Option<String>,
    /// The profile that lists the role
    #[arg(long, value_name = "ARN", requires = "certificate")]
    profile_arn: Option<String>,
}

impl CredentialsServe {
    pub(crate) fn run(self, out: &mut dyn Write) -> Result<ExitCode> {
        let (check, log_json) = (self.check, self.log_json);
        let config = self.config()?;
        let upstream = agent::check(&config)?;
        if check {
            return Ok(ExitCode::SUCCESS);
        }
        log::start(if log_json { LogFormat::Json } else { LogFormat::Text }, LogLevel::Info);
        run::open_to_nobody();
        run::leave_no_core();
        let world = World {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            issuer: Arc::new(upstream),
            processes: PathBuf::from("/proc"),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        runtime.context("can't start a runtime")?.block_on(until_stopped(&config, world, out))
    }

    fn config(self) -> Result<Config> {
        if let Some(path) = &self.config {
            return Config::read(path).map_err(|error| match error {
                // Names the file itself.
                ConfigError::Unreadable { .. } => error.into(),
                _ => anyhow::Error::from(error).context(format!("in `{}`", path.display())),
            });
        }
        let Single { role_arn, endpoint, ca_file, region, session_name, uid, listen, identity } =
            self.single;
        let (Some(role_arn), Some(endpoint), Some(region)) = (role_arn, endpoint, region) else {
            bail!("neither --config nor --role-arn, --endpoint and --region");
        };
        let uid = uid.unwrap_or_else(|| rustix::process::geteuid().as_raw());
        let workload =
            WorkloadConfig { uid: Some(uid), ..WorkloadConfig::of(role_arn, session_name) };
        Ok(Config {
            reach: Reach::ThisHost,
            server: ServerConfig { ca_file, ..ServerConfig::at(endpoint, region) },
            identity: identity.config(),
            listen: vec![Listen::all(listen)],
            workload: vec![workload],
        })
    }
}

impl Identity {
    fn config(self) -> Option<IdentityConfig> {
        let key = self.access_key_file.map(|file| IdentityConfig::AccessKey { file });
        let token = self.web_identity_token_file;
        let token = token.map(|token_file| IdentityConfig::WebIdentity { token_file });
        let x509 = self.certificate.zip(self.key).zip(self.trust_anchor_arn.zip(self.profile_arn));
        let x509 = x509.map(|((certificate, key), (trust_anchor_arn, profile_arn))| {
            let accepts_session_names = false;
            IdentityConfig::X509(X509Config {
                certificate,
                key,
                trust_anchor_arn,
                profile_arn,
                accepts_session_names,
            })
        });
        key.or(token).or(x509)
    }
}

async fn until_stopped(config: &Config, world: World, out: &mut dyn Write) -> Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate()).context("can't listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("can't listen for SIGINT")?;
    let agent = Agent::start(config, world).await?;
    for offered in agent.offered() {
        writeln!(out, "{offered}")?;
    }
    out.flush()?;
    tokio::select! {
        _ = terminate.recv() => (),
        _ = interrupt.recv() => (),
    }
    output::note("stopping: running requests finish");
    match timeout(DRAIN, agent.shutdown()).await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(_) => bail!("requests were cut off after {} s", DRAIN.as_secs()),
    }
}

/// How long running requests may take to finish.
const DRAIN: Duration = Duration::from_secs(10);
