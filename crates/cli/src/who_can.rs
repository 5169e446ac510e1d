//! `strongroom who-can`.

use crate::admin::Admin;
use crate::data::DataFolder;
use crate::output::{self, FOUND};
use anyhow::Result;
use base::{AccountId, Region};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;

/// List everybody who could do something to a secret, a key or a role, and why
///
/// Looks at every user, role and root of every account, and at those whom policies name. A condition that only a
/// request could meet is shown. Exits with 0 if there is somebody and 1 if there is nobody.
#[derive(Debug, clap::Args)]
pub(crate) struct WhoCan {
    /// What would be done, such as `secretsmanager:GetSecretValue`
    action: String,
    /// To what: the name of a secret, an ARN, a key id, or `*` for an action without resource
    resource: String,
    /// The account of a name; may be left out while there is only one
    #[arg(long, value_name = "DIGITS")]
    account: Option<AccountId>,
    /// The Region of a name
    #[arg(long, value_name = "NAME")]
    region: Option<Region>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    action: String,
    resource: String,
    principals: Vec<Someone>,
    #[serde(skip_serializing)]
    after: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Someone {
    principal: String,
    kind: String,
    always: bool,
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Step {
    action: String,
    resource: String,
    allowed_by: Vec<Told>,
    unless: Vec<Told>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    kind: String,
    policy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    conditions: Vec<String>,
}

impl WhoCan {
    pub(crate) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        let admin = Admin::new(data)?;
        let mut found: Found = admin.get(&self.path(None))?;
        while let Some(after) = found.after.take() {
            let more: Found = admin.get(&self.path(Some(&after)))?;
            found.principals.extend(more.principals);
            found.after = more.after;
        }
        let nobody = found.principals.is_empty();
        if self.json {
            output::json(out, &found)?;
        } else if nobody {
            output::note(&format!("nobody can {} {}", found.action, found.resource));
        } else {
            let rows = found.principals.iter().flat_map(rows).collect();
            output::table(out, &["PRINCIPAL", "KIND", "ACTION", "BECAUSE OF", "IF"], rows)?;
        }
        Ok(if nobody { ExitCode::from(FOUND) } else { ExitCode::SUCCESS })
    }

    fn path(&self, after: Option<&str>) -> String {
        let mut path = format!("/v1/who-can?Action={}", encoded(&self.action));
        let account = self.account.as_ref().map(ToString::to_string);
        let region = self.region.as_ref().map(ToString::to_string);
        let resource = Some(self.resource.as_str());
        for (name, value) in [
            ("Resource", resource),
            ("AccountId", account.as_deref()),
            ("Region", region.as_deref()),
            ("After", after),
        ] {
            if let Some(value) = value {
                let _infallible = write!(path, "&{name}={}", encoded(value));
            }
        }
        path
    }
}

/// A line for each statement.
fn rows(someone: &Someone) -> Vec<Vec<String>> {
    let told = someone.steps.iter().flat_map(|step| {
        let allows = step.allowed_by.iter().map(move |it| (step, it, ""));
        allows.chain(step.unless.iter().map(move |it| (step, it, "not: ")))
    });
    let row = |(step, it, mark): (&Step, &Told, &str)| {
        let conditions = it.conditions.join(" and ");
        let open =
            if conditions.is_empty() { String::new() } else { format!("{mark}{conditions}") };
        let (name, kind) = (someone.principal.clone(), someone.kind.clone());
        vec![name, kind, step.action.clone(), because(it), open]
    };
    told.map(row).collect()
}

fn because(it: &Told) -> String {
    let sid = it.sid.as_ref().filter(|it| !it.contains(' '));
    match (sid, it.statement) {
        (Some(sid), _) => format!("{} {}, {sid}", it.kind, it.policy),
        (None, Some(number)) => format!("{} {}, statement {number}", it.kind, it.policy),
        (None, None) if ["grant", "key"].contains(&it.kind.as_str()) => {
            format!("{} {}", it.kind, it.policy)
        }
        (None, None) => it.kind.clone(),
    }
}

/// `text` as a value of a query.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _infallible = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_statement() {
        let told = |kind: &str, sid: Option<&str>, conditions: &[&str]| Told {
            kind: kind.to_owned(),
            policy: "p".to_owned(),
            statement: Some(2),
            sid: sid.map(str::to_owned),
            conditions: conditions.iter().map(|it| (*it).to_owned()).collect(),
        };
        let step = Step {
            action: "kms:Decrypt".to_owned(),
            resource: "r".to_owned(),
            allowed_by: vec![told("identity policy", None, &["a", "b"])],
            unless: vec![told("resource policy", Some("No"), &["c"])],
        };
        let (principal, kind) = ("arn".to_owned(), "user".to_owned());
        let lines = rows(&Someone { principal, kind, always: false, steps: vec![step] });
        let expected = [
            ["arn", "user", "kms:Decrypt", "identity policy p, statement 2", "a and b"],
            ["arn", "user", "kms:Decrypt", "resource policy p, No", "not: c"],
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn what_a_path_holds_is_encoded() {
        assert_eq!(encoded("arn:aws:x/y z"), "arn%3Aaws%3Ax%2Fy%20z");
    }
}
