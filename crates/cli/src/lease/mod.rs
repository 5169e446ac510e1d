//! `strongroom lease`: a folder of subcommands.

mod list;
mod renew;
mod revoke;

use crate::data::DataFolder;
use crate::who_can::encoded;
use anyhow::Result;
use base::{AccountId, Region};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;

/// See, renew and end the database users that readers of dynamic secrets have
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Lease {
    List(list::List),
    Renew(renew::Renew),
    Revoke(revoke::Revoke),
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

/// A page of `GET /v1/leases`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    leases: Vec<Row>,
    #[serde(skip_serializing)]
    after: Option<String>,
}

/// A lease as the server shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct Row {
    lease_id: String,
    secret_name: String,
    secret_arn: String,
    account_id: String,
    region: String,
    principal_arn: String,
    principal_id: String,
    username: String,
    engine: String,
    host: String,
    port: Option<u16>,
    state: String,
    reason: Option<String>,
    created: String,
    expires: String,
    next: String,
    problem: Option<Problem>,
}

/// Why the last attempt failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct Problem {
    at: String,
    step: String,
    text: String,
    failures: u32,
}

impl Lease {
    pub(crate) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        match self {
            Self::List(it) => it.run(data, out),
            Self::Renew(it) => it.run(data, out),
            Self::Revoke(it) => it.run(data),
        }
    }
}

impl Where {
    /// The path that asks for the leases of `secret`, or of all.
    fn path(&self, secret: Option<&str>, after: Option<&str>) -> String {
        let account = self.account.as_ref().map(ToString::to_string);
        let region = self.region.as_ref().map(ToString::to_string);
        let given = [
            ("Resource", secret),
            ("AccountId", account.as_deref()),
            ("Region", region.as_deref()),
            ("After", after),
        ];
        let mut path = "/v1/leases".to_owned();
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
