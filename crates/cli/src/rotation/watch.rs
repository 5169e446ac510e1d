//! `strongroom rotation watch`.

use super::{Job, Page, Problem, Secret, Where, step};
use crate::admin::Admin;
use crate::data::DataFolder;
use crate::output::{self, FOUND};
use crate::wait;
use anyhow::{Context, Result};
use std::io::Write;
use std::process::ExitCode;
use trail::render::plain;

/// Follow a rotation until it ends
///
/// A line for each thing that changes: steps, versions and their labels, attempts, what failed. Exits with 0 when
/// the rotation has succeeded or nothing is under way, and 1 when it is given up until the next window, abandoned,
/// or nobody but an operator can help.
#[derive(Debug, clap::Args)]
pub(crate) struct Watch {
    /// The name or ARN of the secret
    secret: String,
    #[command(flatten)]
    place: Where,
}

/// Pauses between two looks while nothing runs.
const IDLE: u32 = 5;

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Failed,
    Succeeded,
}

impl Watch {
    pub(super) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        let admin = Admin::new(data)?;
        let path = self.place.path("status", Some(&self.secret), None);
        let ask = || -> Result<Secret> {
            let page: Page = admin.get(&path)?;
            page.secrets.into_iter().next().context("the secret is gone")
        };
        let mut before = ask()?;
        if before.job.is_none() {
            let last = before.last_rotated.as_deref().unwrap_or("never");
            output::note(&format!("nothing is under way; last rotated: {last}"));
            return Ok(ExitCode::SUCCESS);
        }
        tell(out, &changes(&Secret::default(), &before))?;
        loop {
            if let Some(end) = end(&before) {
                return Ok(end.code());
            }
            // Steps are quick; between attempts there is time.
            let pauses = if before.state == "running" { 1 } else { IDLE };
            (0..pauses).for_each(|_| wait::pause());
            let now = ask()?;
            tell(out, &changes(&before, &now))?;
            if let Some((end, line)) = ended(&before, &now) {
                tell(out, &[line])?;
                return Ok(end.code());
            }
            before = now;
        }
    }
}

fn tell(out: &mut dyn Write, lines: &[String]) -> Result<()> {
    for line in lines {
        writeln!(out, "{}", plain(line))?;
    }
    out.flush()?;
    Ok(())
}

/// A line for each thing that differs.
fn changes(before: &Secret, now: &Secret) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(job) = &now.job {
        let earlier = before.job.as_ref();
        let fresh = earlier.is_none_or(|it| it.attempt != job.attempt || it.kind != job.kind);
        let runs = now.state == "running";
        if runs && (fresh || before.state != "running") {
            lines.push(format!("{}: attempt {} begins", job.kind, job.attempt));
        }
        if earlier.is_none_or(|it| it.phase != job.phase) {
            lines.push(format!("{}: {}", job.kind, step(&job.phase)));
        }
    }
    for (version, labels) in &now.versions {
        if before.versions.get(version) != Some(labels) {
            lines.push(format!("version {version}: {}", labels.join(", ")));
        }
    }
    if let Some(problem) = &now.problem
        && before.problem.as_ref() != Some(problem)
    {
        let Problem { step, text, operator, .. } = problem;
        lines.push(format!("failed in {step}: {text}"));
        if *operator {
            lines.push("this needs an operator".to_owned());
        }
        if let Some(Job { at, .. }) = &now.job {
            lines.push(format!("next attempt at {at}"));
        }
    }
    lines
}

/// Whether what is under way is given up for now.
fn end(now: &Secret) -> Option<End> {
    matches!(now.state.as_str(), "stuck" | "failed").then_some(End::Failed)
}

/// How what was under way has ended, if it has.
fn ended(before: &Secret, now: &Secret) -> Option<(End, String)> {
    let was = before.job.as_ref()?;
    let same = |it: &Job| it.version_id == was.version_id && it.kind == was.kind;
    if now.job.as_ref().is_some_and(same) {
        return None;
    }
    let current = now.versions.get(&was.version_id);
    let current = current.is_some_and(|it| it.iter().any(|it| it == "AWSCURRENT"));
    Some(match was.kind.as_str() {
        "Rotate" if current => (End::Succeeded, "rotated".to_owned()),
        "Rotate" => (End::Failed, "abandoned: a client has put another value".to_owned()),
        "Test" => match &now.problem {
            Some(Problem { step, text, .. }) => {
                (End::Failed, format!("the test has failed in {step}: {text}"))
            }
            None => (End::Succeeded, "tested".to_owned()),
        },
        _ => (End::Succeeded, "the server has the current password".to_owned()),
    })
}

impl End {
    fn code(self) -> ExitCode {
        match self {
            Self::Failed => ExitCode::from(FOUND),
            Self::Succeeded => ExitCode::SUCCESS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(state: &str, job: Option<(&str, &str, u32)>, labels: &[(&str, &str)]) -> Secret {
        let versions = labels.iter().map(|(id, it)| ((*id).to_owned(), vec![(*it).to_owned()]));
        Secret {
            state: state.to_owned(),
            job: job.map(|(kind, phase, attempt)| Job {
                version_id: "new".to_owned(),
                kind: kind.to_owned(),
                phase: phase.to_owned(),
                attempt,
                at: "T".to_owned(),
                started: String::new(),
            }),
            versions: versions.collect(),
            ..Secret::default()
        }
    }

    #[test]
    fn only_what_changes_is_told() {
        let labels = [("new", "AWSPENDING"), ("old", "AWSCURRENT")];
        let waiting = secret("waiting", Some(("Rotate", "Allocated", 0)), &labels);
        let running = secret("running", Some(("Rotate", "Allocated", 1)), &labels);
        let setting = secret("running", Some(("Rotate", "Setting", 1)), &labels);
        let mut failed = secret("retrying", Some(("Rotate", "Setting", 1)), &labels);
        failed.problem = Some(Problem {
            step: "setSecret".to_owned(),
            text: "no".to_owned(),
            ..Problem::default()
        });
        for (before, now, expected) in [
            (&waiting, &waiting, &[][..]),
            (&waiting, &running, &["Rotate: attempt 1 begins"]),
            (&running, &setting, &["Rotate: setSecret or later"]),
            (&setting, &failed, &["failed in setSecret: no", "next attempt at T"]),
        ] {
            assert_eq!(changes(before, now), expected, "{before:?} {now:?}");
        }
        let first = changes(&Secret::default(), &waiting);
        assert_eq!(
            first,
            ["Rotate: createSecret", "version new: AWSPENDING", "version old: AWSCURRENT"]
        );
    }

    #[test]
    fn an_end_is_told_by_where_the_label_is() {
        let current = [("new", "AWSCURRENT")];
        let other = [("other", "AWSCURRENT")];
        let rotating = secret("running", Some(("Rotate", "Setting", 1)), &other);
        let reconciling = secret("running", Some(("Reconcile", "Setting", 1)), &other);
        let testing = secret("running", Some(("Test", "Created", 1)), &other);
        let tested = secret("scheduled", None, &other);
        let untested = Secret { problem: Some(Problem::default()), ..tested.clone() };
        let of = |before: &Secret, now: &Secret| ended(before, now).map(|it| it.0);
        for (before, now, expected) in [
            (&rotating, &rotating, None),
            (&rotating, &secret("scheduled", None, &current), Some(End::Succeeded)),
            (&rotating, &secret("scheduled", None, &other), Some(End::Failed)),
            (&rotating, &reconciling, Some(End::Failed)),
            (&reconciling, &secret("scheduled", None, &other), Some(End::Succeeded)),
            (&testing, &tested, Some(End::Succeeded)),
            (&testing, &untested, Some(End::Failed)),
        ] {
            assert_eq!(of(before, now), expected, "{before:?} {now:?}");
        }
        assert_eq!(end(&secret("stuck", None, &[])), Some(End::Failed));
        assert_eq!(end(&rotating), None);
    }
}
