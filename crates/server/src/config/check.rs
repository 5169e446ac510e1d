//! What makes a configuration unfit, each in one sentence.

use super::{Config, Listen, LogFormat, Provider, RootKeyConfig};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use toml::de::{DeTable, DeValue};

/// Why a configuration is no good.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The admin listener would be reachable from other machines.
    #[error("`admin.listen` is {0}, but metrics may be served on loopback addresses only")]
    AdminExposed(SocketAddr),
    /// A size, a time or a number that nothing works with.
    #[error("`{key}` is {value}, but must be {expected}")]
    OutOfRange {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// Two listeners want the same place.
    #[error("`{first}` and `{second}` can't both be listened at: they overlap")]
    Overlap {
        /// One.
        first: String,
        /// The other.
        second: String,
    },
    /// What `[organization]` describes can't be.
    #[error("`[organization]`: {0}")]
    Organization(#[from] Box<identity::organization::Error>),
    /// Plain HTTP off loopback.
    #[error("{0} is not a loopback address, so it needs TLS")]
    PlainOffLoopback(SocketAddr),
    /// A key is missing that another value asks for.
    #[error("{needed} is missing: {reason}")]
    Missing {
        /// The key, or one of several.
        needed: &'static str,
        /// Who needs it.
        reason: String,
    },
    /// Not TOML, an unknown key, or a value of the wrong kind.
    #[error("line {line}: {message}")]
    Syntax {
        /// Where, counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A policy, or what it is for, is no good.
    #[error("`{key}`: {reason}")]
    Policy {
        /// Where it stands.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// A listener needs a certificate and there is none.
    #[error("`{0}` needs TLS, but there is no `[tls]` with `certificate` and `key`")]
    TlsMissing(String),
    /// The file can't be read.
    #[error("can't read the configuration `{}`: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

impl ConfigError {
    pub(super) fn syntax(text: &str, error: &toml::de::Error) -> Self {
        let start = error.span().map_or(0, |it| it.start);
        let line = text.bytes().take(start).filter(|it| *it == b'\n').count() + 1;
        let message = error.message().trim().replace('\n', "; ");
        let message = match DeTable::parse(text).ok().and_then(|it| key_at(it.get_ref(), start)) {
            Some(key) => format!("`{key}`: {message}"),
            None => message,
        };
        Self::Syntax { line, message }
    }
}

/// The dotted key whose value begins at byte `place` or around it. None of tables, which have no value
/// of their own: what is wrong in them names a key already.
fn key_at(table: &DeTable<'_>, place: usize) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        let key = key.get_ref();
        match value.get_ref() {
            DeValue::Table(inner) => Some(format!("{key}.{}", key_at(inner, place)?)),
            _ => value.span().contains(&place).then(|| key.to_string()),
        }
    })
}

impl Config {
    /// Checks what the values mean together. Touches no file and opens nothing.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.server.listen.is_empty() {
            let reason = "without it nobody is answered".to_owned();
            return Err(ConfigError::Missing { needed: "an entry in `server.listen`", reason });
        }
        self.check_tls()?;
        self.check_overlaps()?;
        self.check_root_key()?;
        self.check_endpoints()?;
        self.check_organization()?;
        self.functions.check()?;
        self.check_limits()
    }

    fn check_tls(&self) -> Result<(), ConfigError> {
        for listen in &self.server.listen {
            match listen {
                Listen::Plain(address) if !address.ip().is_loopback() => {
                    return Err(ConfigError::PlainOffLoopback(*address));
                }
                Listen::Tls(_) if self.tls.is_none() => {
                    return Err(ConfigError::TlsMissing(listen.to_string()));
                }
                Listen::Plain(_) | Listen::Tls(_) | Listen::Unix(_) => (),
            }
        }
        match self.admin.listen {
            Some(address) if !address.ip().is_loopback() => Err(ConfigError::AdminExposed(address)),
            _ => Ok(()),
        }
    }

    fn check_overlaps(&self) -> Result<(), ConfigError> {
        let mut all = self.server.listen.clone();
        all.push(Listen::Unix(self.admin_socket()));
        all.extend(self.admin.listen.map(Listen::Plain));
        for (place, first) in all.iter().enumerate() {
            if let Some(second) = all.iter().skip(place + 1).find(|it| overlap(first, it)) {
                let (first, second) = (first.to_string(), second.to_string());
                return Err(ConfigError::Overlap { first, second });
            }
        }
        Ok(())
    }

    fn check_organization(&self) -> Result<(), ConfigError> {
        let checked = self.organization.as_ref().map(|it| it.declared().check());
        Ok(checked.transpose().map(drop).map_err(Box::new)?)
    }

    fn check_root_key(&self) -> Result<(), ConfigError> {
        let previous = self.root_key.previous.as_deref();
        [Some(&self.root_key), previous].into_iter().flatten().try_for_each(check_provider)
    }

    fn check_limits(&self) -> Result<(), ConfigError> {
        let limits = &self.limits;
        let sizes = [
            ("limits.header_bytes", u64::from(limits.header_bytes), 8192..=1 << 20),
            ("limits.body_bytes", u64::from(limits.body_bytes), 512 << 10..=16 << 20),
            ("limits.connections", u64::from(limits.connections), 1..=1_000_000),
            (
                "limits.connections_per_address",
                u64::from(limits.connections_per_address),
                1..=1_000_000,
            ),
            ("audit.segment_bytes", self.audit.segment_bytes, 1 << 20..=4 << 30),
        ];
        for (key, value, range) in sizes {
            if !range.contains(&value) {
                let expected = match key {
                    "limits.header_bytes" => "from 8192 to 1048576",
                    "limits.body_bytes" => "from 524288 to 16777216",
                    "limits.connections" | "limits.connections_per_address" => "from 1 to 1000000",
                    _ => "from 1048576 to 4294967296",
                };
                return Err(ConfigError::OutOfRange { key, value: value.to_string(), expected });
            }
        }
        let times = [
            ("limits.header_timeout", limits.header_timeout),
            ("limits.request_timeout", limits.request_timeout),
            ("limits.idle_timeout", limits.idle_timeout),
        ];
        for (key, value) in times {
            if value < Duration::from_millis(1) || Duration::from_hours(24) < value {
                let (value, expected) = (format!("{value:?}"), "from \"1ms\" to \"1d\"");
                return Err(ConfigError::OutOfRange { key, value, expected });
            }
        }
        Ok(())
    }

    /// Whether logs are JSON.
    pub fn logs_json(&self) -> bool {
        self.log.format == LogFormat::Json
    }
}

/// Whether the kernel, or a reader of the file, would take the two for one.
fn overlap(first: &Listen, second: &Listen) -> bool {
    let wild = |it: IpAddr| it.is_unspecified();
    match (first, second) {
        (Listen::Unix(one), Listen::Unix(other)) => one == other,
        _ => match (first.address(), second.address()) {
            (Some(one), Some(other)) => {
                one.port() != 0
                    && one.port() == other.port()
                    && (one.ip() == other.ip() || wild(one.ip()) || wild(other.ip()))
            }
            _ => false,
        },
    }
}

/// Whether everything is said that a provider of the root key needs.
fn check_provider(root: &RootKeyConfig) -> Result<(), ConfigError> {
    let missing = |needed, provider| {
        let reason = format!("`root_key.provider` is \"{provider}\"");
        Err(ConfigError::Missing { needed, reason })
    };
    match root.provider {
        Provider::Credential if root.credential.is_none() => {
            missing("`root_key.credential`", "credential")
        }
        Provider::Passphrase if root.path.is_none() && root.credential.is_none() => {
            missing("`root_key.path` or `root_key.credential`", "passphrase")
        }
        Provider::Pkcs11 => {
            let named = [
                (root.module.is_none(), "`root_key.module`"),
                (root.token.is_none(), "`root_key.token`"),
                (root.key.is_none(), "`root_key.key`"),
                (root.pin.is_none(), "`root_key.pin`"),
            ];
            let first = named.into_iter().find(|it| it.0);
            first.map_or(Ok(()), |(_, needed)| missing(needed, "pkcs11"))
        }
        Provider::Credential | Provider::File | Provider::Passphrase => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TLS: &str = "[tls]\ncertificate = \"c\"\nkey = \"k\"\n";

    #[test]
    fn each_mistake_is_one_sentence() {
        let with = |listen: &str, rest: &str| {
            format!("[server]\ndata = \"/d\"\nlisten = [{listen}]\n{rest}")
        };
        for (text, expected) in [
            (with("\"127.0.0.1:1\"", ""), ""),
            (with("\"0.0.0.0:443\", \"127.0.0.1:1\"", TLS), ""),
            (with("\"127.0.0.1:0\", \"127.0.0.1:0\"", ""), ""),
            (
                with("\"0.0.0.0:443\"", ""),
                "`tls:0.0.0.0:443` needs TLS, but there is no `[tls]` with `certificate` and `key`",
            ),
            (with("", ""), "an entry in `server.listen` is missing: without it nobody is answered"),
            (
                with("\"127.0.0.1:1\", \"127.0.0.1:1\"", ""),
                "`127.0.0.1:1` and `127.0.0.1:1` can't both be listened at: they overlap",
            ),
            (
                with("\"0.0.0.0:443\", \"tls:127.0.0.1:443\"", TLS),
                "`tls:0.0.0.0:443` and `tls:127.0.0.1:443` can't both be listened at: they overlap",
            ),
            (
                with("\"unix:/d/admin.sock\"", ""),
                "`unix:/d/admin.sock` and `unix:/d/admin.sock` can't both be listened at: they overlap",
            ),
            (
                with("\"127.0.0.1:1\"", "[admin]\nlisten = \"0.0.0.0:9\""),
                "`admin.listen` is 0.0.0.0:9, but metrics may be served on loopback addresses only",
            ),
            (
                with("\"127.0.0.1:1\"", "[admin]\nlisten = \"127.0.0.1:1\""),
                "`127.0.0.1:1` and `127.0.0.1:1` can't both be listened at: they overlap",
            ),
            (
                with("\"127.0.0.1:1\"", "[root_key]\nprovider = \"passphrase\""),
                "`root_key.path` or `root_key.credential` is missing: `root_key.provider` is \"passphrase\"",
            ),
            (
                with(
                    "\"127.0.0.1:1\"",
                    "[root_key]\nprovider = \"pkcs11\"\nmodule = \"x\"\ntoken = \"t\"",
                ),
                "`root_key.key` is missing: `root_key.provider` is \"pkcs11\"",
            ),
            (
                with("\"127.0.0.1:1\"", "[root_key.previous]\nprovider = \"passphrase\""),
                "`root_key.path` or `root_key.credential` is missing: `root_key.provider` is \"passphrase\"",
            ),
            (
                with("\"127.0.0.1:1\"", "[limits]\nbody_bytes = 10"),
                "`limits.body_bytes` is 10, but must be from 524288 to 16777216",
            ),
            (
                with("\"127.0.0.1:1\"", "[limits]\nconnections_per_address = 0"),
                "`limits.connections_per_address` is 0, but must be from 1 to 1000000",
            ),
            (
                with("\"127.0.0.1:1\"", "[limits]\nidle_timeout = \"0s\""),
                "`limits.idle_timeout` is 0ns, but must be from \"1ms\" to \"1d\"",
            ),
            (
                with("\"localhost:1\"", ""),
                "line 3: `server.listen`: `localhost:1` is no address to listen at: expected ADDRESS:PORT, \
                 tls:ADDRESS:PORT or unix:PATH",
            ),
            (
                with("\"127.0.0.1:1\"", "lisen = 1"),
                "line 4: unknown field `lisen`, expected one of `data`, `listen`, `regions`, \
                 `canonical_hosts`, `drain_timeout`",
            ),
            (
                with("\"127.0.0.1:1\"", "[limits]\nheader_timeout = \"5\""),
                "line 5: `limits.header_timeout`: `5` is not a duration such as `250ms`, `30s`, `15m`, \
                 `4h`, `7d`",
            ),
            (
                with("\"127.0.0.1:1\"", "[limits]\nconnections = \"many\""),
                "line 5: `limits.connections`: invalid type: string \"many\", expected u32",
            ),
            (
                with("\"127.0.0.1:1\"", "[throttle]\naccount = { get = 1, list = true }"),
                "line 5: `throttle.account.list`: invalid type: boolean `true`, expected u32",
            ),
            (
                with("\"127.0.0.1:1\"", "[log]\nlevel = \"loud\""),
                "line 5: `log.level`: unknown variant `loud`, expected one of `debug`, `error`, \
                 `info`, `trace`, `warn`",
            ),
            (
                with("\"127.0.0.1:1\", 7", ""),
                "line 3: `server.listen`: invalid type: integer `7`, expected a string",
            ),
            (
                with("\"127.0.0.1:1\"", "limits = 5"),
                "line 4: unknown field `limits`, expected one of `data`, `listen`, `regions`, \
                 `canonical_hosts`, `drain_timeout`",
            ),
            (
                "limits = 5".to_owned(),
                "line 1: `limits`: invalid type: integer `5`, expected \
              struct LimitsConfig",
            ),
        ] {
            let found = Config::parse(&text).and_then(|it| it.validate());
            let found = found.err().map_or_else(String::new, |it| it.to_string());
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn broken_toml_names_its_line() {
        let error = Config::parse("[server]\ndata = \"/d\"\nlisten = [\n").expect_err("broken");
        assert!(error.to_string().starts_with("line "), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}
