//! `strongroom lease list`.

use super::{Page, Row, Where};
use crate::admin::Admin;
use crate::data::DataFolder;
use crate::output;
use anyhow::Result;
use std::io::Write;
use std::process::ExitCode;
use trail::render::plain;

/// Show which database users readers of dynamic secrets have, and what can't be made or removed
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// The name or ARN of one secret; without, all leases, those first that something is next to be done about
    secret: Option<String>,
    #[command(flatten)]
    place: Where,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        let admin = Admin::new(data)?;
        let path = |after: Option<&str>| self.place.path(self.secret.as_deref(), after);
        let mut page: Page = admin.get(&path(None))?;
        while let Some(after) = page.after.take() {
            let more: Page = admin.get(&path(Some(&after)))?;
            page.leases.extend(more.leases);
            page.after = more.after;
        }
        if self.json {
            output::json(out, &page)?;
        } else if page.leases.is_empty() {
            output::note("nobody has a lease");
        } else {
            let rows = page.leases.iter().map(row).collect();
            let head = ["LEASE", "SECRET", "PRINCIPAL", "USER", "STATE", "EXPIRES", "PROBLEM"];
            output::table(out, &head, rows)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn row(lease: &Row) -> Vec<String> {
    let principal = lease.principal_arn.rsplit_once(':').map_or(&*lease.principal_arn, |it| it.1);
    let why = lease.problem.as_ref().map(|it| format!("{}: {}", it.step, it.text));
    let user = if lease.username.is_empty() { "-" } else { &lease.username };
    let cells = [
        &*lease.lease_id,
        &lease.secret_name,
        principal,
        user,
        &lease.state,
        &lease.expires,
        why.as_deref().unwrap_or_default(),
    ];
    cells.map(|it| plain(it).into_owned()).into()
}

#[cfg(test)]
mod tests {
    use super::super::Problem;
    use super::*;

    #[test]
    fn a_row_says_who_has_what_and_what_is_wrong() {
        let problem = Problem {
            step: "removeUser".to_owned(),
            text: "no\u{9b}".to_owned(),
            ..Problem::default()
        };
        let lease = Row {
            lease_id: "id".to_owned(),
            secret_name: "s".to_owned(),
            principal_arn: "arn:aws:iam::1:role/path/r".to_owned(),
            state: "Ending".to_owned(),
            expires: "T".to_owned(),
            problem: Some(problem),
            ..Row::default()
        };
        let expected = ["id", "s", "role/path/r", "-", "Ending", "T", "removeUser: no\\u{9b}"];
        assert_eq!(row(&lease), expected);
    }
}
