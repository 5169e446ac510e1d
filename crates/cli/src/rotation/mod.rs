//! `strongroom rotation`: a folder of subcommands.

mod plan;
mod status;
mod verify;
mod watch;

use crate::data::DataFolder;
use crate::who_can::encoded;
use anyhow::Result;
use base::{AccountId, Region};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;

/// See and check how secrets rotate
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Rotation {
    Status(status::Status),
    Plan(plan::Plan),
    Watch(watch::Watch),
    Verify(verify::Verify),
}

/// Where a name is.
#[derive(Debug, Default, clap::Args)]
struct Where {
    /// The account; of a name it may be left out while there is only one
    #[arg(long, value_name = "DIGITS")]
    account: Option<AccountId>,
    /// The Region
    #[arg(long, value_name = "NAME")]
    region: Option<Region>,
}

/// A page of `GET /v1/rotation/status`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    secrets: Vec<Secret>,
    #[serde(skip_serializing)]
    after: Option<String>,
}

/// How one secret's rotation stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct Secret {
    name: String,
    arn: String,
    account_id: String,
    region: String,
    function: Option<String>,
    enabled: bool,
    state: String,
    overdue: bool,
    last_rotated: Option<String>,
    next_at: Option<String>,
    next_by: Option<String>,
    job: Option<Job>,
    problem: Option<Problem>,
    versions: BTreeMap<String, Vec<String>>,
}

/// What is under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct Job {
    version_id: String,
    kind: String,
    phase: String,
    attempt: u32,
    at: String,
    started: String,
}

/// Why the last attempt failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct Problem {
    at: String,
    step: String,
    text: String,
    operator: bool,
}

impl Rotation {
    pub(crate) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        match self {
            Self::Status(it) => it.run(data, out),
            Self::Plan(it) => it.run(data, out),
            Self::Watch(it) => it.run(data, out),
            Self::Verify(it) => it.run(data, out),
        }
    }
}

impl Where {
    /// The path that asks for `what`, of `secret` or of all.
    fn path(&self, what: &str, secret: Option<&str>, after: Option<&str>) -> String {
        let account = self.account.as_ref().map(ToString::to_string);
        let region = self.region.as_ref().map(ToString::to_string);
        let given = [
            ("Resource", secret),
            ("AccountId", account.as_deref()),
            ("Region", region.as_deref()),
            ("After", after),
        ];
        let mut path = format!("/v1/rotation/{what}");
        let mut separator = '?';
        for (name, value) in given {
            if let Some(value) = value {
                let _infallible = write!(path, "{separator}{name}={}", encoded(value));
                separator = '&';
            }
        }
        path
    }
}

/// The step that an attempt in `phase` is in, as functions call it.
fn step(phase: &str) -> &str {
    match phase {
        "Allocated" => "createSecret",
        "Created" => "setSecret",
        "Setting" => "setSecret or later",
        other => other,
    }
}

/// Whether not all of `places` are the same.
fn several<'a>(mut places: impl Iterator<Item = (&'a str, &'a str)>) -> bool {
    let first = places.next();
    places.any(|it| Some(it) != first)
}

/// A secret's name in a table, with its place where that isn't the same for all.
fn title(name: &str, (account, region): (&str, &str), several: bool) -> String {
    if several { format!("{name} ({account}, {region})") } else { name.to_owned() }
}
