//! `strongroom simulate`.

use crate::admin::Admin;
use crate::data::DataFolder;
use crate::{lines, output};
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use trail::render::plain;

/// Say which calls of the past a policy would deny or allow, if it were there
///
/// The calls of the trail are asked again: as they were made then, with the policies, secrets and keys of
/// today and the policy in FILE among them. Exits with 0 if nothing changes, 1 if something would be denied,
/// 4 if nothing would be denied and something would be allowed, and 5 if nothing changes as far as can be
/// judged, but some calls can't.
#[derive(Debug, clap::Args)]
pub(crate) struct Simulate {
    /// The policy, a file of JSON
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Where it is to be: the ARN of a user, a group, a role, a secret or a key
    #[arg(long, value_name = "ARN")]
    attach_to: String,
    /// What it is to be there: a policy, the permissions boundary of a user or role, a role's trust policy
    #[arg(long = "as", value_name = "PART", value_enum, default_value_t)]
    part: Part,
    /// The user's, group's or role's policy that it takes the place of: its name, or its ARN
    #[arg(long, value_name = "NAME")]
    replace: Option<String>,
    /// How far to look back, in days
    #[arg(long, value_name = "DAYS", default_value = "7d", value_parser = days)]
    since: u32,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// What a policy is to be.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum Part {
    #[default]
    Policy,
    Boundary,
    Trust,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Wanted<'a> {
    policy: String,
    attach_to: &'a str,
    #[serde(rename = "As")]
    part: Part,
    #[serde(skip_serializing_if = "Option::is_none")]
    replace: Option<&'a str>,
    days: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simulated {
    read: u64,
    concerned: u64,
    allowed: u64,
    denied: u64,
    unjudged: u64,
    already_so: u64,
    calls_beyond_groups: u64,
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Group {
    change: String,
    reason: Option<String>,
    principal: String,
    action: String,
    resource: String,
    count: u64,
    first: String,
    last: String,
}

/// Nothing would be denied, but something would be allowed.
const ONLY_ALLOWED: u8 = 4;
/// Nothing changes, as far as can be judged.
const UNJUDGED: u8 = 5;

impl Simulate {
    pub(crate) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        let policy = std::fs::read_to_string(&self.policy)
            .with_context(|| format!("can't read `{}`", self.policy.display()))?;
        let (attach_to, replace) = (self.attach_to.as_str(), self.replace.as_deref());
        let wanted = Wanted { policy, attach_to, part: self.part, replace, days: self.since };
        let answer = lines::ask(&Admin::new(data)?, ("/v1/simulate", &wanted), "records")?;
        let shown = answer.clone();
        let simulated: Simulated = serde_json::from_value(answer)
            .context("the server's answer isn't understood: another version of it is running")?;
        if self.json {
            output::json(out, &shown)?;
        } else {
            simulated.show(out)?;
        }
        Ok(ExitCode::from(simulated.code()))
    }
}

impl Simulated {
    fn code(&self) -> u8 {
        match (self.denied, self.allowed, self.unjudged) {
            (0, 0, 0) => 0,
            (0, 0, _) => UNJUDGED,
            (0, ..) => ONLY_ALLOWED,
            _ => output::FOUND,
        }
    }

    fn show(&self, out: &mut dyn Write) -> Result<()> {
        for (change, head) in [
            ("denied", "would be denied"),
            ("allowed", "would be allowed"),
            ("unjudged", "can't be judged"),
        ] {
            let of = self.groups.iter().filter(|it| it.change == change);
            let rows: Vec<_> = of.map(Group::row).collect();
            if rows.is_empty() {
                continue;
            }
            writeln!(out, "{head}")?;
            output::table(
                out,
                &["CALLS", "PRINCIPAL", "ACTION", "RESOURCE", "FIRST", "LAST", "NOTE"],
                rows,
            )?;
        }
        let Self { read, concerned, allowed, denied, unjudged, .. } = self;
        output::note(&format!(
            "{denied} calls would be denied, {allowed} allowed, {unjudged} can't be judged, \
             of {concerned} that it concerns among {read} records"
        ));
        if self.already_so > 0 {
            output::note(&format!(
                "{} more would end otherwise than then, but today's policies say so without it",
                self.already_so
            ));
        }
        if self.calls_beyond_groups > 0 {
            output::note(&format!("{} more calls are only counted", self.calls_beyond_groups));
        }
        Ok(())
    }
}

impl Group {
    fn row(&self) -> Vec<String> {
        let note = self.reason.clone().unwrap_or_default();
        let shown =
            [&self.principal, &self.action, &self.resource].map(|it| plain(it).into_owned());
        let mut row = vec![self.count.to_string()];
        row.extend(shown);
        row.extend([self.first.clone(), self.last.clone(), note]);
        row
    }
}

/// `7d`, or `7`.
fn days(text: &str) -> Result<u32> {
    let digits = text.strip_suffix('d').unwrap_or(text);
    match digits.parse() {
        Ok(days @ 1..=36_500) => Ok(days),
        _ => bail!("a number of days, such as `7d`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_days() {
        for (text, expected) in [
            ("7d", Some(7)),
            ("30", Some(30)),
            ("0d", None),
            ("-1", None),
            ("7h", None),
            ("", None),
        ] {
            assert_eq!(days(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_denial_outweighs_all_else() {
        for (denied, allowed, unjudged, code) in
            [(0, 0, 0, 0), (1, 0, 0, 1), (1, 2, 3, 1), (0, 1, 0, 4), (0, 1, 1, 4), (0, 0, 1, 5)]
        {
            let groups = Vec::new();
            let (read, concerned, already_so, calls_beyond_groups) = (9, 9, 0, 0);
            let simulated = Simulated {
                read,
                concerned,
                allowed,
                denied,
                unjudged,
                already_so,
                calls_beyond_groups,
                groups,
            };
            assert_eq!(simulated.code(), code);
        }
    }
}
