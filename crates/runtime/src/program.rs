//! What is run, for whom, and what comes of it.

use async_trait::async_trait;
use base::{Sensitive, Timestamp};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A function as it is to be run. No `Debug`: its variables are its owner's.
#[derive(Clone)]
pub struct Program {
    /// Its ARN, unqualified. Processes are kept by it.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// What its code is written for.
    pub runtime: Runtime,
    /// `module.function`; for [`Runtime::Provided`] it is only passed on.
    pub handler: String,
    /// Its unpacked code. A server that is root opens its files to the user of functions.
    pub code: PathBuf,
    /// Its own variables. Reserved names are left out.
    pub environment: BTreeMap<String, String>,
    /// Memory in MB.
    pub memory_mb: u32,
    /// What one invocation may take.
    pub timeout: Duration,
    /// The temporary folder, in MB.
    pub ephemeral_mb: u32,
    /// Changes with code and configuration: another one means other processes.
    pub revision: String,
}

/// What code is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Runtime {
    /// `nodejs20.x`: major version.
    Node(u8),
    /// `provided.al2`, `provided.al2023`: an executable called `bootstrap`.
    Provided,
    /// `python3.11`: minor version.
    Python(u8),
}

impl Runtime {
    /// Reads AWS's name, for example `python3.12`; `None` if nothing here runs it.
    pub fn parse(name: &str) -> Option<Self> {
        if let Some(minor) = name.strip_prefix("python3.") {
            return Some(Self::Python(minor.parse().ok()?));
        }
        if let Some(major) = name.strip_prefix("nodejs").and_then(|it| it.strip_suffix(".x")) {
            return Some(Self::Node(major.parse().ok()?));
        }
        matches!(name, "provided" | "provided.al2" | "provided.al2023").then_some(Self::Provided)
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(major) => write!(out, "nodejs{major}.x"),
            Self::Provided => out.write_str("provided.al2023"),
            Self::Python(minor) => write!(out, "python3.{minor}"),
        }
    }
}

/// Temporary credentials of a function's role.
#[derive(Debug)]
pub struct Credentials {
    /// The public half.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: Sensitive,
    /// What makes them a session's.
    pub session_token: Sensitive,
    /// When they end. A process isn't used beyond.
    pub expires: Timestamp,
}

/// Gives a function's process the credentials of its role.
#[async_trait]
pub trait CredentialSource: Send + Sync {
    /// Fresh credentials for a process of `program`; the reason, without anything secret, if there are
    /// none.
    async fn credentials(&self, program: &Program) -> Result<Credentials, String>;
}

/// What a function must not print.
#[async_trait]
pub trait Hidden: Send + Sync {
    /// The texts there are by now: the function may have made one. `None` if nobody can tell.
    async fn texts(&self) -> Option<Vec<Sensitive>>;
}

/// Takes what functions print.
pub trait LogSink: Send + Sync {
    /// One line, without its end, masked.
    fn line(&self, function_arn: &str, line: &str);
}

/// What came of an invocation. That a function failed is an outcome, too. No `Debug`: an answer may hold
/// anything.
#[derive(Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The function's answer, or what it says of its failure, masked.
    pub payload: Bytes,
    /// `X-Amz-Function-Error`: `Unhandled` if it failed.
    pub function_error: Option<&'static str>,
    /// The last 4 KB that it printed in this invocation, masked.
    pub log_tail: Vec<u8>,
    /// How long it took, the start of a process included.
    pub duration: Duration,
    /// Whether a process had to be started.
    pub cold: bool,
}

/// Why a function could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Too many invocations, or too much memory, at once. Later there may be room.
    #[error("too many functions run at once")]
    Busy,
    /// There are no credentials for its role.
    #[error("no credentials for the role of `{function}`: {reason}")]
    Credentials {
        /// Its name.
        function: String,
        /// Why.
        reason: String,
    },
    /// The host's own folders can't be used.
    #[error("functions can't be started from `{}`: {reason}", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        reason: String,
    },
    /// The interpreter isn't there.
    #[error("{runtime} isn't on this host: {reason}")]
    Interpreter {
        /// Which.
        runtime: Runtime,
        /// What was looked for.
        reason: String,
    },
    /// Modules can't be installed.
    #[error("can't install {what}: {reason}")]
    Modules {
        /// Which.
        what: String,
        /// The installer's last words.
        reason: String,
    },
    /// The operator demands walls that this host can't build.
    #[error(
        "functions need a sandbox, and this host can't build one: {lacking}\nhint: allow user namespaces, run the server as root, or set `sandbox = \"prefer\"`"
    )]
    NoSandbox {
        /// What it lacks.
        lacking: String,
    },
    /// It may have more than all functions together.
    #[error(
        "`{function}` may have {wanted} MB, memory and temporary folder together, and all functions {most} MB\nhint: see `functions.memory_mb`"
    )]
    TooLarge {
        /// Its name.
        function: String,
        /// What it may have.
        wanted: u32,
        /// What all may have.
        most: u32,
    },
    /// The process can't be started.
    #[error("can't start `{function}`: {reason}")]
    Start {
        /// Its name.
        function: String,
        /// Why.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_have_the_names_of_aws() {
        for name in ["python3.9", "python3.13", "nodejs20.x", "nodejs22.x", "provided.al2023"] {
            let runtime = Runtime::parse(name).map(|it| it.to_string());
            assert_eq!(runtime.as_deref(), Some(name));
        }
        assert_eq!(Runtime::parse("provided.al2"), Some(Runtime::Provided));
        for name in ["python2.7", "java21", "nodejs20", "python3.", "provided.al3", "nodejs999.x"] {
            assert_eq!(Runtime::parse(name), None, "{name}");
        }
    }
}
