//! `strongroom org policy`.

use super::{PATH, act, list, text};
use crate::admin::Admin;
use crate::output;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Create, attach and list control policies
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Policy {
    /// Create a policy; it does nothing before it is attached
    Create {
        /// Its name
        name: String,
        /// What it controls: what accounts may do, or what may be done with their resources
        #[arg(long, value_name = "KIND")]
        r#type: Control,
        /// The file with the policy
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
    /// Replace a policy's text, wherever it is attached
    Update {
        /// Its name or id
        policy: String,
        /// The file with the new text
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// Delete a policy that is attached nowhere
    Delete {
        /// Its name or id
        policy: String,
    },
    /// Attach a policy to a place or an account
    Attach {
        /// Its name or id
        policy: String,
        /// A place, or an account's 12 digits
        #[arg(long, value_name = "TARGET")]
        to: String,
    },
    /// Detach a policy
    Detach {
        /// Its name or id
        policy: String,
        /// A place, or an account's 12 digits
        #[arg(long, value_name = "TARGET")]
        from: String,
    },
    /// List the policies
    List {
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Print a policy's text
    Show {
        /// Its name or id
        policy: String,
        /// Print one JSON object with all that is known of it
        #[arg(long)]
        json: bool,
    },
}

/// What a policy controls.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Control {
    /// What may be done with the resources of accounts
    Rcp,
    /// What the users and roles of accounts may do
    Scp,
}

impl Policy {
    pub(super) fn run(&self, admin: &Admin, out: &mut dyn Write) -> Result<()> {
        match self {
            Self::Create { name, r#type, file, description } => {
                let (kind, content) = (r#type.name(), read(file)?);
                let wanted = json!({
                    "Name": name, "Type": kind, "Content": content, "Description": description,
                });
                let made = act(admin, "CreatePolicy", wanted)?;
                writeln!(out, "{}", text(&made, "PolicyId"))?;
            }
            Self::Update { policy, file } => {
                let wanted = json!({ "Policy": policy, "Content": read(file)? });
                act(admin, "UpdatePolicy", wanted)?;
                output::note(&format!("{policy} is updated"));
            }
            Self::Delete { policy } => {
                act(admin, "DeletePolicy", json!({ "Policy": policy }))?;
                output::note(&format!("{policy} is deleted"));
            }
            Self::Attach { policy, to } => {
                act(admin, "AttachPolicy", json!({ "Policy": policy, "Target": to }))?;
                output::note(&format!("{policy} is attached to {to}"));
            }
            Self::Detach { policy, from } => {
                act(admin, "DetachPolicy", json!({ "Policy": policy, "Target": from }))?;
                output::note(&format!("{policy} is detached from {from}"));
            }
            Self::List { json } => show_all(admin, *json, out)?,
            Self::Show { policy, json } => show(admin, policy, *json, out)?,
        }
        Ok(())
    }
}

impl Control {
    const fn name(self) -> &'static str {
        match self {
            Self::Rcp => "RESOURCE_CONTROL_POLICY",
            Self::Scp => "SERVICE_CONTROL_POLICY",
        }
    }
}

fn show_all(admin: &Admin, json: bool, out: &mut dyn Write) -> Result<()> {
    let found: Value = admin.get(&format!("{PATH}/policies"))?;
    if json {
        return output::json(out, &found);
    }
    let row = |it: &Value| {
        let targets: Vec<_> = list(it, "Targets").iter().map(output::plain).collect();
        let kind = if text(it, "Type").starts_with("RESOURCE") { "rcp" } else { "scp" };
        let own = ["Name", "Id"].map(|name| text(it, name).to_owned());
        own.into_iter().chain([kind.to_owned(), targets.join(" ")]).collect()
    };
    let rows = list(&found, "Policies").iter().map(row).collect();
    output::table(out, &["POLICY", "ID", "KIND", "ATTACHED TO"], rows)
}

fn show(admin: &Admin, policy: &str, json: bool, out: &mut dyn Write) -> Result<()> {
    let escaped = policy.bytes().fold(String::new(), |text, it| text + &format!("%{it:02X}"));
    let found: Value = admin.get(&format!("{PATH}/policies?Policy={escaped}"))?;
    if json {
        return output::json(out, &found);
    }
    writeln!(out, "{}", text(&found, "Content"))?;
    Ok(())
}

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("can't read `{}`", file.display()))
}
