//! `strongroom lease renew`.

use super::Row;
use crate::admin::Admin;
use crate::data::DataFolder;
use anyhow::Result;
use serde_json::json;
use std::io::Write;
use std::process::ExitCode;

/// Have a lease end later, as far as its template's `max_ttl` allows
#[derive(Debug, clap::Args)]
pub(crate) struct Renew {
    /// The lease's id, as `strongroom lease list` shows it
    lease: String,
    /// How long from now, such as `30m` or `2h`; without, as long as the template says
    #[arg(long, value_name = "TIME")]
    ttl: Option<String>,
}

impl Renew {
    pub(super) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        let wanted = json!({ "Lease": self.lease, "Ttl": self.ttl });
        let renewed: Row = Admin::new(data)?.post("/v1/leases/renew", &wanted)?;
        writeln!(out, "{}", renewed.expires)?;
        Ok(ExitCode::SUCCESS)
    }
}
