//! `strongroom org`.

mod policy;
mod tree;

use crate::admin::Admin;
use crate::data::DataFolder;
use crate::output;
use anyhow::Result;
use base::AccountId;
use serde_json::{Value, json};
use std::io::Write;
use std::process::ExitCode;

/// Group accounts into an organization, and cap what they may do
///
/// Places are `root`, paths of units such as `prod/eu`, or ids.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Org {
    Create(Create),
    Show(Show),
    Delete(Delete),
    #[command(subcommand)]
    Unit(Unit),
    #[command(subcommand)]
    Account(Account),
    #[command(subcommand)]
    Policy(policy::Policy),
}

/// Create the organization of this server
#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    /// The account that no control policy concerns
    #[arg(long, value_name = "DIGITS")]
    management_account: AccountId,
    /// The organization's id, `o-…`; chosen by the server if left out
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Show units, accounts, and what is attached to them
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Delete the organization, when nobody but the management account is left in it
#[derive(Debug, clap::Args)]
pub(crate) struct Delete {}

/// Create, move and delete units
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Unit {
    /// Create a unit
    Create {
        /// Its name
        name: String,
        /// Where it is to be
        #[arg(long = "in", value_name = "PLACE", default_value = "root")]
        parent: String,
    },
    /// Move a unit, with all that is in it
    Move {
        /// Its path or id
        unit: String,
        /// Where to
        #[arg(long, value_name = "PLACE")]
        to: String,
    },
    /// Delete an empty unit
    Delete {
        /// Its path or id
        unit: String,
    },
}

/// Move accounts into, within and out of the organization
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Account {
    /// Move an account of this server to a place in the organization
    Move {
        /// Its 12 digits
        #[arg(value_name = "DIGITS")]
        account: AccountId,
        /// Where to
        #[arg(long, value_name = "PLACE")]
        to: String,
    },
    /// Take an account out of the organization
    Remove {
        /// Its 12 digits
        #[arg(value_name = "DIGITS")]
        account: AccountId,
    },
}

const PATH: &str = "/v1/organization";

impl Org {
    pub(crate) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        let admin = Admin::new(data)?;
        match self {
            Self::Create(it) => it.run(&admin, out)?,
            Self::Show(it) => it.run(&admin, out)?,
            Self::Delete(_) => {
                act(&admin, "DeleteOrganization", json!({}))?;
                output::note("the organization is no more; its accounts stay");
            }
            Self::Unit(it) => it.run(&admin, out)?,
            Self::Account(it) => it.run(&admin)?,
            Self::Policy(it) => it.run(&admin, out)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Create {
    fn run(&self, admin: &Admin, out: &mut dyn Write) -> Result<()> {
        let wanted = json!({ "ManagementAccountId": self.management_account, "Id": self.id });
        let made = act(admin, "CreateOrganization", wanted)?;
        if self.json {
            return output::json(out, &made);
        }
        writeln!(out, "organization  {}", text(&made, "OrganizationId"))?;
        writeln!(out, "root          {}", text(&made, "RootId"))?;
        Ok(())
    }
}

impl Show {
    fn run(&self, admin: &Admin, out: &mut dyn Write) -> Result<()> {
        let shown: Value = admin.get(PATH)?;
        if self.json {
            return output::json(out, &shown);
        }
        for line in tree::drawn(&shown) {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }
}

impl Unit {
    fn run(&self, admin: &Admin, out: &mut dyn Write) -> Result<()> {
        match self {
            Self::Create { name, parent } => {
                let wanted = json!({ "Name": name, "Parent": parent });
                let made = act(admin, "CreateOrganizationalUnit", wanted)?;
                writeln!(out, "{}", text(&made, "UnitId"))?;
            }
            Self::Move { unit, to } => {
                act(admin, "MoveOrganizationalUnit", json!({ "Unit": unit, "To": to }))?;
                output::note(&format!("{unit} is in {to} now"));
            }
            Self::Delete { unit } => {
                act(admin, "DeleteOrganizationalUnit", json!({ "Unit": unit }))?;
                output::note(&format!("{unit} is deleted"));
            }
        }
        Ok(())
    }
}

impl Account {
    fn run(&self, admin: &Admin) -> Result<()> {
        match self {
            Self::Move { account, to } => {
                act(admin, "MoveAccount", json!({ "AccountId": account, "To": to }))?;
                output::note(&format!("{account} is in {to} now"));
            }
            Self::Remove { account } => {
                act(admin, "RemoveAccountFromOrganization", json!({ "AccountId": account }))?;
                output::note(&format!("{account} is in no organization now"));
            }
        }
        Ok(())
    }
}

/// Has the server do what is called `name`.
fn act(admin: &Admin, name: &str, details: Value) -> Result<Value> {
    let body = serde_json::Map::from_iter([(name.to_owned(), details)]);
    admin.post(PATH, &Value::Object(body))
}

/// The text `name` of `value`.
fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The members of the list `name` of `value`.
fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
