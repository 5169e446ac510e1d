//! `strongroom lease revoke`.

use super::Where;
use crate::admin::Admin;
use crate::data::DataFolder;
use crate::output;
use anyhow::Result;
use serde::Deserialize;
use serde_json::json;
use std::process::ExitCode;

/// End leases now: their users are removed, and their connections with them
///
/// A server that can't be asked is asked again until it has done it; `strongroom lease list` shows what is left.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub(crate) struct Revoke {
    /// The lease's id
    #[arg(group = "which")]
    lease: Option<String>,
    /// All leases of a secret, by its name or ARN
    #[arg(long, group = "which", value_name = "NAME")]
    secret: Option<String>,
    /// All leases of a user or role, by its ARN, by `user/NAME` or `role/NAME`, or by its unique id
    #[arg(long, group = "which", value_name = "ARN")]
    principal: Option<String>,
    #[command(flatten)]
    place: Where,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Done {
    revoked: u64,
}

impl Revoke {
    pub(super) fn run(&self, data: &DataFolder) -> Result<ExitCode> {
        let wanted = json!({
            "Lease": self.lease, "Resource": self.secret, "Principal": self.principal,
            "AccountId": self.place.account, "Region": self.place.region,
        });
        let done: Done = Admin::new(data)?.post("/v1/leases/revoke", &wanted)?;
        output::note(&format!("leases that end now: {}", done.revoked));
        Ok(ExitCode::SUCCESS)
    }
}
