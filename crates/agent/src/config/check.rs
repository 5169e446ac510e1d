//! What makes a configuration unfit, each in one sentence.

use super::{Config, IdentityConfig, Kind, Reach, WorkloadConfig};
use crate::glob::Glob;
use crate::upstream::endpoint;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// Why a configuration is no good.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Two rules could fit one caller, and neither says more than the other.
    #[error(
        "`workload` {first} and `workload` {second} can fit the same caller, and neither is more \
         specific: give one of them everything the other asks for, and more"
    )]
    Ambiguous {
        /// One, counted from 1.
        first: usize,
        /// The other.
        second: usize,
    },
    /// Something about a listener.
    #[error("`listen` at `{at}`: {reason}")]
    Listen {
        /// Where it listens.
        at: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A key is missing that another value asks for.
    #[error("{needed} is missing: {reason}")]
    Missing {
        /// The key.
        needed: &'static str,
        /// Who needs it.
        reason: &'static str,
    },
    /// Something about the server.
    #[error("`server.{key}`: {reason}")]
    Server {
        /// The key.
        key: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
    /// Not TOML, an unknown key, or a value of the wrong kind.
    #[error("line {line}: {message}")]
    Syntax {
        /// Where, counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A file can't be read.
    #[error("can't read `{}`: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Something about a rule.
    #[error("`workload` {number}: {reason}")]
    Workload {
        /// Which, counted from 1.
        number: usize,
        /// What is wrong.
        reason: &'static str,
    },
}

impl ConfigError {
    pub(super) fn syntax(text: &str, error: &toml::de::Error) -> Self {
        let start = error.span().map_or(0, |it| it.start);
        let line = text.bytes().take(start).filter(|it| *it == b'\n').count() + 1;
        Self::Syntax { line, message: error.message().trim().replace('\n', "; ") }
    }
}

impl Config {
    /// Checks what the values mean together. Touches no file and opens nothing.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.check_server()?;
        self.check_listen()?;
        if self.workload.is_empty() {
            let reason = "without one nobody gets anything";
            return Err(ConfigError::Missing { needed: "`[[workload]]`", reason });
        }
        for (place, workload) in self.workload.iter().enumerate() {
            let number = place + 1;
            workload.check().map_err(|reason| ConfigError::Workload { number, reason })?;
        }
        let need = self.workload.iter().any(|it| it.service_account.is_none());
        if need && self.identity.is_none() {
            let reason = "a workload without a token of its own needs the agent's identity";
            return Err(ConfigError::Missing { needed: "`[identity]`", reason });
        }
        Ok(())
    }

    fn check_server(&self) -> Result<(), ConfigError> {
        let wrong = |key, reason| Err(ConfigError::Server { key, reason });
        let Some(endpoint) = endpoint(&self.server.endpoint) else {
            return wrong("endpoint", "is not `https://HOST[:PORT]`");
        };
        match (endpoint.is_tls, &self.server.ca_file) {
            (false, _) if !endpoint.is_loopback() => {
                return wrong("endpoint", "plain http is for loopback only; use https");
            }
            (true, None) => {
                return wrong("ca_file", "is missing: https needs to know whom to trust");
            }
            _ => (),
        }
        if !(SECOND..=MINUTE).contains(&self.server.timeout) {
            return wrong("timeout", "must be from \"1s\" to \"60s\"");
        }
        match &self.identity {
            Some(IdentityConfig::X509(it))
                if ![&it.trust_anchor_arn, &it.profile_arn]
                    .iter()
                    .all(|it| it.starts_with("arn:")) =>
            {
                let reason = "trust anchor and profile are named by their ARNs";
                Err(ConfigError::Missing { needed: "an ARN in `[identity]`", reason })
            }
            _ => Ok(()),
        }
    }

    fn check_listen(&self) -> Result<(), ConfigError> {
        if self.listen.is_empty() {
            let reason = "without it nobody can ask";
            return Err(ConfigError::Missing { needed: "`[[listen]]`", reason });
        }
        let mut known = BTreeSet::new();
        for listen in &self.listen {
            let wrong = |reason| Err(ConfigError::Listen { at: listen.at.to_string(), reason });
            if !listen.at.is_local() && self.reach == Reach::ThisHost {
                return wrong(
                    "other hosts could ask there; say `reach = \"other-hosts\"` to allow it",
                );
            }
            if listen.offers.is_empty() {
                return wrong("`offers` is empty");
            }
            if listen.hop_limit == 0 {
                return wrong("`hop_limit` must be from 1 to 255");
            }
            let chosen_by_kernel = matches!(&listen.at, super::At::Address(it) if it.port() == 0);
            if !known.insert(&listen.at) && !chosen_by_kernel {
                return wrong("is there twice");
            }
        }
        Ok(())
    }
}

impl WorkloadConfig {
    fn check(&self) -> Result<(), &'static str> {
        let is_role = self.role_arn.starts_with("arn:") && self.role_arn.contains(":role/");
        let named = self.session_name.as_deref().is_none_or(is_session_name);
        let pods = self.service_account.is_some();
        let host = self.uid.is_some() || self.gid.is_some() || self.cgroup.is_some();
        let kinds = self.kinds();
        let checks = [
            (is_role, "`role_arn` is no role's ARN"),
            (named, "`session_name` must be 2 to 64 letters, digits or any of `_+=,.@-`"),
            (self.session_name.is_some() || pods, "`session_name` is missing"),
            (
                self.cgroup.as_deref().is_none_or(|it| Glob::parse(it).is_some()),
                "`cgroup` is no absolute path of at most 256 characters",
            ),
            (
                self.service_account.as_deref().is_none_or(is_service_account),
                "`service_account` is not `NAMESPACE/NAME`",
            ),
            (
                !pods || self.token_file.is_none(),
                "`token_file` and `service_account` exclude each other",
            ),
            (
                host || pods || self.token_file.is_some(),
                "it fits everybody: give at least one of `uid`, `gid`, `cgroup`, `token_file`, \
                 `service_account`",
            ),
            (!kinds.is_empty(), "`endpoints` is empty"),
            (
                kinds.contains(&Kind::PodIdentity) == pods && (!pods || kinds.len() == 1),
                "`service_account` and the endpoint `pod-identity` need each other",
            ),
            (
                self.token_file.is_none() || !kinds.contains(&Kind::Imds),
                "the metadata service takes no `token_file`",
            ),
            (
                (QUARTER..=HALF_DAY).contains(&self.duration),
                "`duration` must be from \"15m\" to \"12h\"",
            ),
        ];
        checks.iter().find(|it| !it.0).map_or(Ok(()), |it| Err(it.1))
    }

    /// Where the rule counts.
    pub(crate) fn kinds(&self) -> BTreeSet<Kind> {
        if let Some(kinds) = &self.endpoints {
            return kinds.clone();
        }
        match (&self.service_account, &self.token_file) {
            (Some(_), _) => BTreeSet::from([Kind::PodIdentity]),
            (None, Some(_)) => BTreeSet::from([Kind::Container]),
            (None, None) => BTreeSet::from([Kind::Container, Kind::Imds]),
        }
    }
}

/// What STS takes as a `RoleSessionName`.
pub(crate) fn is_session_name(text: &str) -> bool {
    let allowed = |it: char| it.is_ascii_alphanumeric() || "_+=,.@-".contains(it);
    (2..=64).contains(&text.len()) && text.chars().all(allowed)
}

fn is_service_account(text: &str) -> bool {
    let is_name = |it: &str| {
        !it.is_empty()
            && it
                .bytes()
                .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || b"-.".contains(&it))
    };
    text.split_once('/').is_some_and(|(namespace, name)| is_name(namespace) && is_name(name))
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const QUARTER: Duration = Duration::from_mins(15);
const HALF_DAY: Duration = Duration::from_hours(12);

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "[server]\nendpoint = \"http://127.0.0.1:1\"\nregion = \"eu-west-1\"\n";
    const IDENTITY: &str = "[identity]\nkind = \"access-key\"\nfile = \"/k\"\n";
    const LISTEN: &str = "[[listen]]\nat = \"127.0.0.1:2\"\noffers = [\"container\"]\n";
    const ROLE: &str =
        "role_arn = \"arn:aws:iam::111122223333:role/app\"\nsession_name = \"app\"\n";

    fn sentence(text: &str) -> String {
        Config::parse(text).map_or_else(|it| it.to_string(), |_| String::new())
    }

    #[test]
    fn each_mistake_of_the_whole_is_one_sentence() {
        let workload = format!("[[workload]]\nuid = 1\n{ROLE}");
        let full = |head: &str, server: &str, listen: &str| {
            format!("{head}{server}{IDENTITY}{listen}{workload}")
        };
        #[rustfmt::skip]
        let cases = [
            (full("", SERVER, LISTEN), ""),
            (full("", &SERVER.replace("127.0.0.1", "10.0.0.1"), LISTEN), "`server.endpoint`: plain http is for loopback only; use https"),
            (full("", &SERVER.replace("http:", "https:"), LISTEN), "`server.ca_file`: is missing: https needs to know whom to trust"),
            (full("", &SERVER.replace("http://", ""), LISTEN), "`server.endpoint`: is not `https://HOST[:PORT]`"),
            (full("", &format!("{SERVER}timeout = \"0s\"\n"), LISTEN), "`server.timeout`: must be from \"1s\" to \"60s\""),
            (full("", SERVER, &LISTEN.replace("127.0.0.1", "0.0.0.0")), "`listen` at `0.0.0.0:2`: other hosts could ask there; say `reach = \"other-hosts\"` to allow it"),
            (full("reach = \"other-hosts\"\n", SERVER, &LISTEN.replace("127.0.0.1", "0.0.0.0")), ""),
            (full("", SERVER, &LISTEN.replace("127.0.0.1", "169.254.170.2")), ""),
            (full("", SERVER, &LISTEN.repeat(2)), "`listen` at `127.0.0.1:2`: is there twice"),
            (full("", SERVER, &LISTEN.replace("\"container\"", "")), "`listen` at `127.0.0.1:2`: `offers` is empty"),
            (full("", SERVER, &format!("{LISTEN}hop_limit = 0\n")), "`listen` at `127.0.0.1:2`: `hop_limit` must be from 1 to 255"),
            (format!("{SERVER}{LISTEN}{workload}"), "`[identity]` is missing: a workload without a token of its own needs the agent's identity"),
            (format!("listen = []\n{SERVER}{IDENTITY}{workload}"), "`[[listen]]` is missing: without it nobody can ask"),
            (format!("workload = []\n{SERVER}{IDENTITY}{LISTEN}"), "`[[workload]]` is missing: without one nobody gets anything"),
        ];
        for (text, expected) in cases {
            assert_eq!(sentence(&text), expected, "{text}");
        }
    }

    #[test]
    fn each_mistake_of_a_rule_is_one_sentence() {
        let pod = "service_account = \"ns/app\"\n";
        #[rustfmt::skip]
        let cases = [
            (format!("uid = 1\n{ROLE}"), ""),
            (format!("token_file = \"/t\"\n{ROLE}"), ""),
            (format!("{pod}role_arn = \"arn:aws:iam::111122223333:role/app\"\n"), ""),
            (ROLE.to_owned(), "`workload` 1: it fits everybody: give at least one of `uid`, `gid`, `cgroup`, `token_file`, `service_account`"),
            (format!("uid = 1\n{}", ROLE.replace(":role/", ":user/")), "`workload` 1: `role_arn` is no role's ARN"),
            (format!("uid = 1\n{}", ROLE.replace("\"app\"", "\"a b\"")), "`workload` 1: `session_name` must be 2 to 64 letters, digits or any of `_+=,.@-`"),
            ("uid = 1\nrole_arn = \"arn:aws:iam::1:role/a\"\n".to_owned(), "`workload` 1: `session_name` is missing"),
            (format!("cgroup = \"x\"\n{ROLE}"), "`workload` 1: `cgroup` is no absolute path of at most 256 characters"),
            (format!("service_account = \"app\"\n{ROLE}"), "`workload` 1: `service_account` is not `NAMESPACE/NAME`"),
            (format!("{pod}token_file = \"/t\"\n{ROLE}"), "`workload` 1: `token_file` and `service_account` exclude each other"),
            (format!("uid = 1\nendpoints = []\n{ROLE}"), "`workload` 1: `endpoints` is empty"),
            (format!("uid = 1\nendpoints = [\"pod-identity\"]\n{ROLE}"), "`workload` 1: `service_account` and the endpoint `pod-identity` need each other"),
            (format!("{pod}endpoints = [\"container\"]\n{ROLE}"), "`workload` 1: `service_account` and the endpoint `pod-identity` need each other"),
            (format!("token_file = \"/t\"\nendpoints = [\"imds\"]\n{ROLE}"), "`workload` 1: the metadata service takes no `token_file`"),
            (format!("uid = 1\nduration = \"5m\"\n{ROLE}"), "`workload` 1: `duration` must be from \"15m\" to \"12h\""),
            (format!("uid = 1\nuser = 2\n{ROLE}"), "line 12: unknown field `user`, expected one of `uid`, `gid`, `cgroup`, `token_file`, `service_account`, `endpoints`, `role_arn`, `session_name`, `duration`"),
        ];
        for (workload, expected) in cases {
            let text = format!("{SERVER}{IDENTITY}{LISTEN}[[workload]]\n{workload}");
            assert_eq!(sentence(&text), expected, "{workload}");
        }
    }
}
