//! The configuration file: TOML, an unknown key stops the start, as does all that
//! [`Config::validate`] finds.

mod check;
mod listen;

use base::Region;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use check::ConfigError;
pub(crate) use check::is_session_name;
pub(crate) use listen::is_local;
pub use listen::{At, Listen};

/// Everything the agent is told at its start.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Who may connect at all.
    #[serde(default)]
    pub reach: Reach,
    /// `[server]`: where sessions come from.
    pub server: ServerConfig,
    /// `[identity]`: how the agent proves to the server who it is. Not needed where every
    /// workload brings a token of its own.
    pub identity: Option<IdentityConfig>,
    /// `[[listen]]`: where workloads ask.
    pub listen: Vec<Listen>,
    /// `[[workload]]`: who gets which role.
    pub workload: Vec<WorkloadConfig>,
}

/// Who may connect at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// Listeners are on loopback, link-local and unix sockets only.
    #[default]
    ThisHost,
    /// Listeners may be reachable from other hosts, over plain HTTP: who has a token there, or sees
    /// one on the way, has its role.
    OtherHosts,
}

/// `[server]`: where sessions come from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// `https://HOST[:PORT]`; plain `http` on loopback only.
    pub endpoint: String,
    /// The Region that requests are signed for.
    pub region: Region,
    /// PEM file of the certificate authorities to trust. Needed for https.
    pub ca_file: Option<PathBuf>,
    /// Longest time for one exchange, connecting included.
    #[serde(default = "default_timeout", with = "base::duration")]
    pub timeout: Duration,
}

/// `[identity]`: how the agent proves to the server who it is.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum IdentityConfig {
    /// An access key for `AssumeRole`.
    AccessKey {
        /// JSON file with `AccessKeyId`, `SecretAccessKey` and perhaps `SessionToken`, mode 0600.
        /// Read for each session.
        file: PathBuf,
    },
    /// A token of an identity provider for `AssumeRoleWithWebIdentity`.
    WebIdentity {
        /// Read for each session.
        token_file: PathBuf,
    },
    /// A certificate for Roles Anywhere.
    X509(X509Config),
}

/// A certificate that a trust anchor vouches for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct X509Config {
    /// PEM file: the certificate first, then those between it and the trust anchor. Read for
    /// each session.
    pub certificate: PathBuf,
    /// PEM file of its private key, RSA or P-256, mode 0600. Read for each session.
    pub key: PathBuf,
    /// The trust anchor that the certificate chains to.
    pub trust_anchor_arn: String,
    /// The profile that lists the roles.
    pub profile_arn: String,
    /// Whether the profile accepts the names of sessions. They are sent only then: a profile
    /// that doesn't refuses them.
    #[serde(default)]
    pub accepts_session_names: bool,
}

/// The protocols that credentials are handed out by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `AWS_CONTAINER_CREDENTIALS_FULL_URI`, path `/credentials`.
    Container,
    /// EC2's metadata service, version 2: `AWS_EC2_METADATA_SERVICE_ENDPOINT`.
    Imds,
    /// The same variable, path `/v1/credentials`, with a service account's token.
    PodIdentity,
}

/// `[[workload]]`: a caller for whom everything given holds gets sessions of the role.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadConfig {
    /// The caller's user.
    pub uid: Option<u32>,
    /// The caller's group.
    pub gid: Option<u32>,
    /// The caller's cgroup (v2): `*` within one part of the path, `**` across parts.
    pub cgroup: Option<String>,
    /// File of the token that the caller must send, for `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`.
    /// Read at the start.
    pub token_file: Option<PathBuf>,
    /// `NAMESPACE/NAME` of the service account whose token the caller must send.
    pub service_account: Option<String>,
    /// Where the rule counts; everywhere it can, if absent.
    pub endpoints: Option<BTreeSet<Kind>>,
    /// The role.
    pub role_arn: String,
    /// The session's name. With `service_account` it may be absent: the pod's name is taken.
    pub session_name: Option<String>,
    /// How long a session lives, 15 minutes to 12 hours, as far as the role allows.
    #[serde(default = "default_duration", with = "base::duration")]
    pub duration: Duration,
}

impl Config {
    /// The configuration in the file at `path`, checked.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), error })?;
        Self::parse(&text)
    }

    /// The configuration in `text`, checked.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|it| ConfigError::syntax(text, &it))?;
        config.validate()?;
        Ok(config)
    }
}

impl fmt::Display for Kind {
    /// As the configuration spells it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Container => "container",
            Self::Imds => "imds",
            Self::PodIdentity => "pod-identity",
        })
    }
}

impl ServerConfig {
    /// What `[server]` says when it says only where.
    pub fn at(endpoint: String, region: Region) -> Self {
        Self { endpoint, region, ca_file: None, timeout: default_timeout() }
    }
}

impl WorkloadConfig {
    /// A rule for nobody yet.
    pub fn of(role_arn: String, session_name: String) -> Self {
        Self {
            uid: None,
            gid: None,
            cgroup: None,
            token_file: None,
            service_account: None,
            endpoints: None,
            role_arn,
            session_name: Some(session_name),
            duration: default_duration(),
        }
    }
}

fn default_timeout() -> Duration {
    Duration::from_secs(10)
}

fn default_duration() -> Duration {
    Duration::from_hours(1)
}
