//! `strongroom access-key`.

use crate::account::Accounts;
use crate::admin::Admin;
use crate::data::DataFolder;
use crate::output;
use anyhow::{Result, bail};
use base::AccountId;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::process::ExitCode;

/// Create, list, deactivate, activate and delete access keys
#[derive(Debug, clap::Subcommand)]
pub(crate) enum AccessKey {
    Create(Create),
    List(List),
    Deactivate(Deactivate),
    Activate(Activate),
    Delete(Delete),
}

/// Create an access key, and show its secret once
#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    /// The account; may be left out while there is only one
    #[arg(long, value_name = "DIGITS")]
    account: Option<AccountId>,
    /// The user the key belongs to; made as an administrator if there is none
    #[arg(long, value_name = "NAME", default_value = "admin")]
    user: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// List access keys, without their secrets
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only this account's keys
    #[arg(long, value_name = "DIGITS")]
    account: Option<AccountId>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Refuse all further requests that are signed with a key
#[derive(Debug, clap::Args)]
pub(crate) struct Deactivate {
    /// The key's id, `AKIA…`
    id: String,
}

/// Accept requests that are signed with a key again
#[derive(Debug, clap::Args)]
pub(crate) struct Activate {
    /// The key's id, `AKIA…`
    id: String,
}

/// Delete an access key for good; a request that is signed with it is refused from now on
#[derive(Debug, clap::Args)]
pub(crate) struct Delete {
    /// The key's id, `AKIA…`
    id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Wanted {
    account_id: String,
    user_name: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    access_key_id: String,
    secret_access_key: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AccessKeys {
    access_keys: Vec<Listed>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    access_key_id: String,
    account_id: String,
    user_name: String,
    status: String,
    created_at: serde_json::Value,
}

impl AccessKey {
    pub(crate) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        let admin = Admin::new(data)?;
        match self {
            Self::Create(it) => it.run(&admin, out),
            Self::List(it) => it.run(&admin, out),
            Self::Deactivate(it) => change(&admin, &it.id, "deactivate", "inactive"),
            Self::Activate(it) => change(&admin, &it.id, "activate", "active"),
            Self::Delete(it) => change(&admin, &it.id, "delete", "deleted"),
        }
    }
}

impl Create {
    fn run(&self, admin: &Admin, out: &mut dyn Write) -> Result<ExitCode> {
        let account_id = match &self.account {
            Some(account) => account.to_string(),
            None => only_account(admin)?,
        };
        let wanted = Wanted { account_id, user_name: self.user.clone() };
        let created: Created = admin.post("/v1/access-keys", &wanted)?;
        if self.json {
            output::json(out, &created)?;
        } else {
            writeln!(out, "access key id      {}", created.access_key_id)?;
            writeln!(out, "secret access key  {}", created.secret_access_key)?;
            output::note("the secret access key is shown only now");
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    fn run(&self, admin: &Admin, out: &mut dyn Write) -> Result<ExitCode> {
        let accounts = match &self.account {
            Some(account) => vec![account.to_string()],
            None => accounts(admin)?,
        };
        let mut found = AccessKeys { access_keys: Vec::new() };
        for account in accounts {
            let path = format!("/v1/access-keys?AccountId={account}");
            found.access_keys.extend(admin.get::<AccessKeys>(&path)?.access_keys);
        }
        if self.json {
            output::json(out, &found)?;
        } else {
            let row = |it: Listed| {
                let created = output::plain(&it.created_at);
                vec![it.access_key_id, it.account_id, it.user_name, it.status, created]
            };
            let rows = found.access_keys.into_iter().map(row).collect();
            output::table(out, &["ACCESS KEY", "ACCOUNT", "USER", "STATUS", "CREATED"], rows)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn change(admin: &Admin, id: &str, verb: &str, state: &str) -> Result<ExitCode> {
    if !id.bytes().all(|it| it.is_ascii_alphanumeric()) {
        bail!("`{id}` is not an access key id");
    }
    let path = format!("/v1/access-keys/{id}/{verb}");
    let _changed: serde_json::Value = admin.post(&path, &serde_json::json!({}))?;
    output::note(&format!("{id} is {state}"));
    Ok(ExitCode::SUCCESS)
}

fn accounts(admin: &Admin) -> Result<Vec<String>> {
    let found: Accounts = admin.get("/v1/accounts")?;
    Ok(found.accounts.into_iter().map(|it| it.account_id).collect())
}

fn only_account(admin: &Admin) -> Result<String> {
    match accounts(admin)?.as_slice() {
        [only] => Ok(only.clone()),
        [] => bail!("there is no account\nhint: make one with `strongroom account create`"),
        several => bail!("there are {} accounts\nhint: name one with --account", several.len()),
    }
}
