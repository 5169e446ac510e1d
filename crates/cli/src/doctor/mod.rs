//! `strongroom doctor`.
//!
//! [`CHECKS`] is the table; the checks are in [`files`], [`machine`] and [`state`]. A check looks at
//! the [`Subject`] and gives one [`Finding`]; it changes nothing.

mod files;
mod machine;
mod state;

use crate::admin::{Admin, Status, is_absent};
use crate::data::DataFolder;
use crate::output::{self, FOUND};
use ::server::config::{Config, Provider};
use anyhow::Result;
use serde::Serialize;
use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Look for what is wrong or will be, each with a remedy
///
/// Works beside a running server and on the folder of a stopped one. Exits with 1 if something is
/// wrong; warnings don't count.
#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    /// The configuration of a production server, for where its keys and certificates are
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// What is examined.
struct Subject {
    data: DataFolder,
    /// The root key's file, if it is in one.
    root_key: Option<PathBuf>,
    /// The module and the PIN's file, if it is in a token.
    token: Option<(PathBuf, PathBuf)>,
    /// The certificate's and its key's files, if there are any.
    certificate: Option<(PathBuf, PathBuf)>,
    /// What the server says of itself, if it runs.
    status: Result<Option<Status>>,
}

type Check = fn(&Subject) -> Finding;

const CHECKS: &[(&str, Check)] = &[
    ("server", state::server),
    ("data folder", files::data_folder),
    ("root key", files::root_key),
    ("disk", machine::disk),
    ("clock", machine::clock),
    ("store", state::store),
    ("audit trail", state::trail),
    ("certificate", files::certificate),
];

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Grade {
    Ok,
    Warn,
    Fail,
}

/// What a check has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Finding {
    check: &'static str,
    grade: Grade,
    fact: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Doctor {
    pub(crate) fn run(self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        let subject = self.subject(data)?;
        let examine = |(check, look): &(&'static str, Check)| Finding { check, ..look(&subject) };
        let findings: Vec<_> = CHECKS.iter().map(examine).collect();
        if self.json {
            output::json(out, &serde_json::json!({ "Findings": findings }))?;
        } else {
            findings.iter().try_for_each(|it| it.write(out))?;
        }
        let failed = findings.iter().any(|it| it.grade == Grade::Fail);
        Ok(if failed { ExitCode::from(FOUND) } else { ExitCode::SUCCESS })
    }

    fn subject(&self, data: &DataFolder) -> Result<Subject> {
        let config = self.config.as_ref().map(|path| Config::read(path)).transpose()?;
        let data = config.as_ref().map_or_else(|| data.clone(), |it| it.server.data.clone().into());
        let root_key = match &config {
            None => Some(data.root_key()),
            Some(config) => root_key_file(config),
        };
        let certificate = match &config {
            None => Some((data.certificate(), data.certificate_key())),
            Some(config) => config.tls.as_ref().map(|it| (it.certificate.clone(), it.key.clone())),
        };
        let token =
            config.as_ref().and_then(|it| it.root_key.module.clone().zip(it.root_key.pin.clone()));
        let status = match Admin::new(&data)?.get("/v1/status") {
            Err(error) if is_absent(&error) => Ok(None),
            other => other.map(Some),
        };
        Ok(Subject { data, root_key, token, certificate, status })
    }
}

/// The file that holds the root key itself.
fn root_key_file(config: &Config) -> Option<PathBuf> {
    let file = || config.root_key.path.clone();
    (config.root_key.provider == Provider::File)
        .then(|| file().unwrap_or_else(|| config.server.data.join("root.key")))
}

impl Finding {
    fn ok(fact: impl Display) -> Self {
        Self { check: "", grade: Grade::Ok, fact: fact.to_string(), remedy: None }
    }

    fn warn(fact: impl Display, remedy: impl Into<String>) -> Self {
        Self { grade: Grade::Warn, remedy: Some(remedy.into()), ..Self::ok(fact) }
    }

    fn fail(fact: impl Display, remedy: impl Into<String>) -> Self {
        Self { grade: Grade::Fail, remedy: Some(remedy.into()), ..Self::ok(fact) }
    }

    /// A failure from an error that may bring its own hint.
    fn of_error(error: &dyn Display, remedy: &str) -> Self {
        let text = error.to_string();
        match text.split_once("\nhint: ") {
            Some((fact, hint)) => Self::fail(fact, hint),
            None => Self::fail(text, remedy),
        }
    }

    fn write(&self, out: &mut dyn Write) -> Result<()> {
        let grade = match self.grade {
            Grade::Ok => "ok",
            Grade::Warn => "warn",
            Grade::Fail => "FAIL",
        };
        writeln!(out, "{grade:4}  {:11}  {}", self.check, self.fact)?;
        if let Some(remedy) = &self.remedy {
            writeln!(out, "{:4}  {:11}  hint: {remedy}", "", "")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
