//! `strongroom session`.

use crate::admin::Admin;
use crate::data::DataFolder;
use crate::output;
use anyhow::Result;
use serde_json::{Value, json};
use std::process::ExitCode;

/// End temporary credentials before their time
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Session {
    Revoke(Revoke),
}

/// End all sessions of a role that were begun so far; the role itself can be assumed again at once
#[derive(Debug, clap::Args)]
pub(crate) struct Revoke {
    /// The role: `arn:aws:iam::111122223333:role/app`
    #[arg(value_name = "ROLE-ARN")]
    role: String,
}

impl Session {
    pub(crate) fn run(&self, data: &DataFolder) -> Result<ExitCode> {
        let Self::Revoke(Revoke { role }) = self;
        let _done: Value =
            Admin::new(data)?.post("/v1/sessions/revoke", &json!({ "RoleArn": role }))?;
        output::note(&format!("the sessions of {role} have ended"));
        output::note("hint: change the role's trust policy if they must not begin again");
        Ok(ExitCode::SUCCESS)
    }
}
