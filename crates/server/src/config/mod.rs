//! The configuration file: TOML, units in types, defaults here and nowhere else.
//!
//! The reference page is made from these comments. An unknown key stops the start, as does
//! everything [`Config::validate`] finds.

mod address;
mod check;
mod endpoint;
mod functions;
mod limits;
mod oidc;
mod organization;
mod quotas;
mod root_key;
mod rotation;
mod throttle;

use base::Region;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use address::Listen;
pub use check::ConfigError;
pub use endpoint::EndpointConfig;
pub use functions::{FunctionsConfig, RemoteConfig, Sandbox};
pub use limits::LimitsConfig;
pub use oidc::OidcConfig;
pub use organization::{ControlsConfig, OrganizationConfig, PolicyConfig, UnitConfig};
pub use quotas::QuotasConfig;
pub use root_key::{Provider, RootKeyConfig};
pub use rotation::RotationConfig;
pub use throttle::{Rates, ThrottleConfig};

/// Everything a server is told at its start.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `[server]`: where data is and where to listen.
    pub server: ServerConfig,
    /// `[tls]`: the certificate of all listeners that speak TLS.
    pub tls: Option<TlsConfig>,
    /// `[limits]`: how large, how long, how many.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// `[root_key]`: the key outside the store.
    #[serde(default)]
    pub root_key: RootKeyConfig,
    /// `[audit]`: the audit journal.
    #[serde(default)]
    pub audit: AuditConfig,
    /// `[throttle]`: how many requests a second.
    #[serde(default)]
    pub throttle: ThrottleConfig,
    /// `[quotas]`: how much an account may store.
    #[serde(default)]
    pub quotas: QuotasConfig,
    /// `[oidc]`: asking issuers of web identity tokens for their keys.
    #[serde(default)]
    pub oidc: OidcConfig,
    /// `[functions]`: running Lambda-style functions.
    #[serde(default)]
    pub functions: FunctionsConfig,
    /// `[rotation]`: changing passwords in databases.
    #[serde(default)]
    pub rotation: RotationConfig,
    /// `[admin]`: metrics and health besides the admin socket.
    #[serde(default)]
    pub admin: AdminConfig,
    /// `[organization]`: accounts that belong together.
    pub organization: Option<OrganizationConfig>,
    /// `[[endpoint]]`: listeners that stand for private endpoints.
    #[serde(default)]
    pub endpoint: Vec<EndpointConfig>,
    /// `[log]`: what is logged, and how.
    #[serde(default)]
    pub log: LogConfig,
    /// Whether this is `strongroom dev`. Not a key of the file.
    #[serde(skip)]
    pub mode: Mode,
    /// The folder of systemd's credentials, `$CREDENTIALS_DIRECTORY`. Not a key of the file.
    #[serde(skip)]
    pub credentials: Option<PathBuf>,
    /// The folders of programs, `$PATH`: where interpreters of functions are looked for. Not a key of the file.
    #[serde(skip)]
    pub path: Vec<PathBuf>,
}

/// How the server was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// `strongroom dev`: loopback, an account and a local certificate authority made by itself.
    Dev,
    /// `strongroom server --config FILE`.
    #[default]
    Server,
}

/// `[server]`: where data is and where to listen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// The data folder, with mode 0700: root key, store, journal, admin socket.
    pub data: PathBuf,

    /// Where to answer AWS clients: `127.0.0.1:4747`, `0.0.0.0:443`, `tls:127.0.0.1:4748`,
    /// `unix:/run/strongroom/api.sock`. Addresses off loopback always speak TLS.
    #[serde(default = "default_listen")]
    pub listen: Vec<Listen>,

    /// Regions that may be signed for. Empty: every well-formed name.
    #[serde(default)]
    pub regions: Vec<Region>,

    /// Values of the `Host` header that clients sign where a proxy in between changes it, such as
    /// `secrets.example.com`. Tried when the signature does not fit the header that arrived.
    #[serde(default)]
    pub canonical_hosts: Vec<String>,

    /// How long running requests may take to finish after a stop was asked for.
    #[serde(default = "default_drain", with = "base::duration")]
    pub drain_timeout: Duration,
}

/// `[tls]`: the certificate of all listeners that speak TLS. Reloaded when a file changes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// PEM file: the server's certificate first, then those between it and the root.
    pub certificate: PathBuf,
    /// PEM file: the certificate's private key. Readable by the server's user only.
    pub key: PathBuf,
    /// How old a look at the two files may be before a new connection looks again.
    #[serde(default = "default_reload", with = "base::duration")]
    pub reload_interval: Duration,
}

/// `[audit]`: the audit journal.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// When a record counts as kept, before the answer leaves.
    pub durability: Durability,
    /// Bytes after which a new segment file begins.
    pub segment_bytes: u64,
}

/// When an audit record counts as kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// On disk, in groups.
    Synced,
    /// With the kernel; on disk at the latest 100 ms later.
    #[default]
    Written,
}

/// `[admin]`: metrics and health besides the admin socket in the data folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdminConfig {
    /// A loopback address that answers `/metrics`, `/health` and `/ready`, and nothing else.
    pub listen: Option<SocketAddr>,
}

/// `[log]`: what is logged, and how. Logs go to standard error.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// One JSON object or one line of text for each event.
    pub format: LogFormat,
    /// The least serious level that is logged: `error`, `warn`, `info`, `debug`, `trace`.
    pub level: LogLevel,
}

/// How a log event looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object for each event.
    #[default]
    Json,
    /// One line of text for each event.
    Text,
}

/// How serious a log event is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Debug,
    Error,
    #[default]
    Info,
    Trace,
    Warn,
}

impl LogLevel {
    /// The name, as the file and log filters write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Error => "error",
            Self::Info => "info",
            Self::Trace => "trace",
            Self::Warn => "warn",
        }
    }
}

impl Config {
    /// Reads and checks the file at `path`.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), error })?;
        let mut config = Self::parse(&text)?;
        config.resolve()?;
        config.validate()?;
        Ok(config)
    }

    /// Reads the files of policies. Done twice, it does nothing the second time.
    pub fn resolve(&mut self) -> Result<(), ConfigError> {
        self.endpoint.iter_mut().try_for_each(EndpointConfig::resolve)?;
        self.organization.as_mut().map_or(Ok(()), OrganizationConfig::resolve)
    }

    /// Reads `text` without checking what its values mean together.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| ConfigError::syntax(text, &error))
    }

    /// What `strongroom dev` runs with: HTTP at `listen`, HTTPS at the port after it (or, where
    /// the kernel chooses, at another), no throttling, a certificate of its own.
    pub fn dev(data: PathBuf, listen: SocketAddr) -> Self {
        let mut tls_address = listen;
        tls_address.set_port(match listen.port() {
            0 => 0,
            port => port.checked_add(1).unwrap_or(port - 1),
        });
        let folder = data.join("tls");
        let tls = TlsConfig {
            certificate: folder.join("cert.pem"),
            key: folder.join("key.pem"),
            reload_interval: default_reload(),
        };
        Self {
            server: ServerConfig {
                data,
                listen: vec![Listen::Plain(listen), Listen::Tls(tls_address)],
                regions: Vec::new(),
                canonical_hosts: Vec::new(),
                drain_timeout: default_drain(),
            },
            tls: Some(tls),
            limits: LimitsConfig::default(),
            root_key: RootKeyConfig::default(),
            audit: AuditConfig::default(),
            throttle: ThrottleConfig { enabled: false, ..ThrottleConfig::default() },
            quotas: QuotasConfig { enabled: false, ..QuotasConfig::default() },
            oidc: OidcConfig { allow_private: true, ca_bundle: None },
            functions: FunctionsConfig::default(),
            rotation: RotationConfig::default(),
            admin: AdminConfig::default(),
            organization: None,
            endpoint: Vec::new(),
            log: LogConfig { format: LogFormat::Text, level: LogLevel::Info },
            mode: Mode::Dev,
            credentials: None,
            path: Vec::new(),
        }
    }

    /// The unix socket of the admin API.
    pub fn admin_socket(&self) -> PathBuf {
        self.server.data.join("admin.sock")
    }
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self { durability: Durability::default(), segment_bytes: 64 << 20 }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Json, level: LogLevel::Info }
    }
}

fn default_listen() -> Vec<Listen> {
    vec![Listen::Plain(SocketAddr::from(([127, 0, 0, 1], 4747)))]
}

const fn default_drain() -> Duration {
    Duration::from_secs(30)
}

const fn default_reload() -> Duration {
    Duration::from_secs(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_file_gets_the_defaults() {
        let config = Config::parse("[server]\ndata = \"/var/lib/strongroom\"\n").expect("valid");
        assert_eq!(config.server.listen, default_listen());
        assert_eq!(config.limits, LimitsConfig::default());
        assert!(config.throttle.enabled && config.tls.is_none());
        assert_eq!(config.quotas.effective().secrets, Some(500_000));
        assert_eq!(config.mode, Mode::Server);
    }

    #[test]
    fn every_section_is_read() {
        let config = Config::parse(
            r#"
            [server]
            data = "/data"
            listen = ["0.0.0.0:443", "unix:/run/api.sock", "tls:127.0.0.1:4748"]
            regions = ["eu-central-1"]
            canonical_hosts = ["secrets.example.com"]
            drain_timeout = "5s"
            [tls]
            certificate = "/tls/cert.pem"
            key = "/tls/key.pem"
            [limits]
            header_bytes = 16384
            body_bytes = 600000
            header_timeout = "5s"
            request_timeout = "20s"
            idle_timeout = "60s"
            connections = 100
            connections_per_address = 10
            [root_key]
            provider = "passphrase"
            credential = "strongroom-passphrase"
            [audit]
            durability = "synced"
            segment_bytes = 1048576
            [throttle]
            enabled = true
            account = { get = 10 }
            principal = { get = 5, list = 1 }
            [oidc]
            allow_private = true
            ca_bundle = "/etc/authorities.pem"
            [admin]
            listen = "127.0.0.1:9100"
            [log]
            format = "text"
            level = "debug"
            "#,
        )
        .expect("valid");
        assert_eq!(config.server.listen.len(), 3);
        assert_eq!(config.limits.body_bytes, 600_000);
        assert_eq!(config.limits.connections_per_address, 10);
        assert_eq!(config.root_key.provider, Provider::Passphrase);
        assert_eq!(config.audit.durability, Durability::Synced);
        assert_eq!((config.throttle.account.get, config.throttle.account.list), (10, 100));
        assert!(config.oidc.allow_private && config.oidc.ca_bundle.is_some());
        assert_eq!(config.log.level.as_str(), "debug");
    }

    #[test]
    fn dev_uses_two_ports_or_lets_the_kernel_choose() {
        for (given, tls) in [("127.0.0.1:4747", 4748), ("127.0.0.1:0", 0), ("[::1]:65535", 65534)] {
            let config = Config::dev("/data".into(), given.parse().expect("address"));
            let [Listen::Plain(_), Listen::Tls(address)] = &config.server.listen[..] else {
                panic!("{:?}", config.server.listen);
            };
            assert_eq!(address.port(), tls, "{given}");
            assert!(!config.throttle.enabled);
            assert_eq!(config.quotas.effective().secrets, None);
        }
    }
}
