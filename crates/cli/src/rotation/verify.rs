//! `strongroom rotation verify`.

use super::{Where, several, title};
use crate::admin::Admin;
use crate::data::DataFolder;
use crate::lines;
use crate::output::{self, FOUND};
use anyhow::{Context, Result};
use base::{AccountId, Region};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;
use trail::render::plain;

/// Check that stored values log in, and have the servers of those that don't take them
///
/// Exits with 0 if all log in, if need be after --repair, and 1 if one doesn't or can't be tried. A server that
/// can't be asked is told apart from one that has another password.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["secret", "all"]))]
pub(crate) struct Verify {
    /// The name or ARN of one secret
    secret: Option<String>,
    /// All secrets whose rotation is turned on
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    place: Where,
    /// Give a server that has another password the stored one, by an earlier password or the administrator's secret
    #[arg(long)]
    repair: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Wanted<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<&'a AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a Region>,
    repair: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Report {
    verified: u64,
    log_in: u64,
    changing: u64,
    drift: u64,
    unreachable: u64,
    unknown: u64,
    repaired: u64,
    secrets: Vec<Tried>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tried {
    name: String,
    account_id: String,
    region: String,
    server: Option<String>,
    state: String,
    problem: Option<String>,
}

impl Verify {
    pub(super) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        let admin = Admin::new(data)?;
        let Where { account, region } = &self.place;
        let wanted = Wanted {
            resource: self.secret.as_deref(),
            account_id: account.as_ref(),
            region: region.as_ref(),
            repair: self.repair,
        };
        let answer = lines::ask(&admin, ("/v1/rotation/verify", &wanted), "secrets")?;
        let report: Report =
            serde_json::from_value(answer.clone()).context("another version of the server runs")?;
        if self.json {
            output::json(out, &answer)?;
        } else {
            report.show(out)?;
        }
        Ok(if report.is_fine() { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
    }
}

impl Report {
    fn is_fine(&self) -> bool {
        self.drift + self.unreachable + self.unknown == 0
    }

    fn show(&self, out: &mut dyn Write) -> Result<()> {
        if !self.secrets.is_empty() {
            let several = several(self.secrets.iter().map(Tried::place));
            let rows = self.secrets.iter().map(|it| it.row(several)).collect();
            output::table(out, &["NAME", "SERVER", "STATE", "PROBLEM"], rows)?;
        }
        let Self { verified, log_in, .. } = self;
        let mut summary = format!("{log_in} of {verified} log in");
        for (what, count) in [
            ("drifted", self.drift),
            ("repaired", self.repaired),
            ("changing", self.changing),
            ("couldn't be asked", self.unreachable),
            ("can't be tried", self.unknown),
        ] {
            if count > 0 {
                let _infallible = write!(summary, "; {what}: {count}");
            }
        }
        output::note(&summary);
        Ok(())
    }
}

impl Tried {
    fn place(&self) -> (&str, &str) {
        (&self.account_id, &self.region)
    }

    fn row(&self, several: bool) -> Vec<String> {
        let (server, problem) = (self.server.as_deref(), self.problem.as_deref());
        [
            &*title(&self.name, self.place(), several),
            server.unwrap_or("-"),
            &self.state,
            problem.unwrap_or_default(),
        ]
        .map(|it| plain(it).into_owned())
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(states: &[(&str, Option<&str>)], places: [&str; 2]) -> Report {
        let count = |name: &str| states.iter().filter(|it| it.0 == name).count() as u64;
        let secrets = states.iter().zip(places).map(|((state, problem), region)| Tried {
            name: "n".to_owned(),
            account_id: "1".to_owned(),
            region: region.to_owned(),
            server: problem.map(|_| "h:1".to_owned()),
            state: (*state).to_owned(),
            problem: problem.map(str::to_owned),
        });
        Report {
            verified: 7,
            log_in: 5,
            changing: 0,
            drift: count("drift"),
            unreachable: count("unreachable"),
            unknown: count("unknown"),
            repaired: count("repaired"),
            secrets: secrets.collect(),
        }
    }

    #[test]
    fn what_doesnt_log_in_is_a_finding_until_it_is_repaired() {
        for (states, fine) in [
            (&[][..], true),
            (&[("repaired", None)], true),
            (&[("repaired", None), ("drift", Some("no"))], false),
            (&[("unreachable", Some("no"))], false),
            (&[("unknown", Some("no"))], false),
        ] {
            assert_eq!(report(states, ["r", "r"]).is_fine(), fine, "{states:?}");
        }
    }

    #[test]
    fn a_name_of_several_places_is_told_with_its_place() {
        let states = [("drift", Some("no\u{9b}")), ("unknown", None)];
        for (regions, names) in [(["r", "r"], ["n", "n"]), (["r", "s"], ["n (1, r)", "n (1, s)"])] {
            let mut out = Vec::new();
            report(&states, regions).show(&mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            let lines: Vec<_> = text.lines().skip(1).collect();
            assert!(lines.iter().zip(names).all(|(line, name)| line.starts_with(name)), "{text}");
            assert!(lines[0].ends_with("drift    no\\u{9b}"), "{text}");
        }
    }
}
