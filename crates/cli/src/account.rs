//! `strongroom account`.

use crate::admin::Admin;
use crate::data::DataFolder;
use crate::output;
use anyhow::Result;
use base::AccountId;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::process::ExitCode;

/// Create and list accounts
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Account {
    Create(Create),
    List(List),
}

/// Create an account with an admin user, and show its access key once
#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    /// The account's 12 digits; chosen by the server if left out
    #[arg(long, value_name = "DIGITS")]
    id: Option<AccountId>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// List the accounts
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Wanted {
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<AccountId>,
}

/// An access key, in the one answer that shows its secret.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    account_id: String,
    access_key_id: String,
    secret_access_key: String,
}

/// `GET /v1/accounts`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Accounts {
    pub(crate) accounts: Vec<Listed>,
}

/// One account.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Listed {
    pub(crate) account_id: String,
    pub(crate) created_at: serde_json::Value,
}

impl Account {
    pub(crate) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        match self {
            Self::Create(it) => it.run(data, out),
            Self::List(it) => it.run(data, out),
        }
    }
}

impl Create {
    fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        let wanted = Wanted { account_id: self.id.clone() };
        let created: Created = Admin::new(data)?.post("/v1/accounts", &wanted)?;
        if self.json {
            output::json(out, &created)?;
        } else {
            writeln!(out, "account            {}", created.account_id)?;
            writeln!(out, "access key id      {}", created.access_key_id)?;
            writeln!(out, "secret access key  {}", created.secret_access_key)?;
            output::note("the secret access key is shown only now");
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        let found: Accounts = Admin::new(data)?.get("/v1/accounts")?;
        if self.json {
            output::json(out, &found)?;
        } else {
            let row = |it: Listed| vec![it.account_id, output::plain(&it.created_at)];
            let rows = found.accounts.into_iter().map(row).collect();
            output::table(out, &["ACCOUNT", "CREATED"], rows)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
