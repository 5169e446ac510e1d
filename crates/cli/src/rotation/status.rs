//! `strongroom rotation status`.

use super::{Job, Page, Problem, Secret, Where, several, step, title};
use crate::admin::Admin;
use crate::data::DataFolder;
use crate::output;
use anyhow::Result;
use std::io::Write;
use std::process::ExitCode;
use trail::render::plain;

/// Show which secrets rotate: how, when next, what is under way, and what keeps failing
///
/// Secrets whose rotation was cancelled are shown only when named.
#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    /// The name or ARN of one secret; without, all whose rotation is turned on, soonest first
    secret: Option<String>,
    #[command(flatten)]
    place: Where,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(super) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        let admin = Admin::new(data)?;
        let path = |after: Option<&str>| self.place.path("status", self.secret.as_deref(), after);
        let mut page: Page = admin.get(&path(None))?;
        while let Some(after) = page.after.take() {
            let more: Page = admin.get(&path(Some(&after)))?;
            page.secrets.extend(more.secrets);
            page.after = more.after;
        }
        if self.json {
            output::json(out, &page)?;
        } else if page.secrets.is_empty() {
            output::note(
                "no secret's rotation is turned on\nhint: `aws secretsmanager rotate-secret`",
            );
        } else {
            let several = several(page.secrets.iter().map(place));
            let rows = page.secrets.iter().map(|it| row(it, several)).collect();
            output::table(out, &["NAME", "FUNCTION", "LAST ROTATED", "NEXT", "PROBLEM"], rows)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn place(secret: &Secret) -> (&str, &str) {
    (&secret.account_id, &secret.region)
}

fn row(secret: &Secret, several: bool) -> Vec<String> {
    let name = title(&secret.name, place(secret), several);
    let function = secret.function.as_deref().unwrap_or("-");
    let function = function.rsplit_once(":function:").map_or(function, |it| it.1);
    let last = secret.last_rotated.clone().unwrap_or_else(|| "never".to_owned());
    let overdue = if secret.overdue { "overdue: " } else { "" };
    let next = format!("{overdue}{}", next(secret));
    let why = secret.problem.as_ref().map(why).unwrap_or_default();
    [plain(&name), plain(function), last.into(), next.into(), why.into()]
        .map(std::borrow::Cow::into_owned)
        .into()
}

/// What comes next, or is under way.
fn next(secret: &Secret) -> String {
    let Secret { state, next_at, job, .. } = secret;
    let at = next_at.as_deref().unwrap_or("-");
    match (state.as_str(), job) {
        ("running", Some(Job { phase, attempt, kind, .. })) => {
            format!("{} now, {}, attempt {attempt}", verb(kind), step(phase))
        }
        ("stuck" | "failed", Some(_)) => format!("given up until {at}"),
        ("retrying", Some(Job { attempt, .. })) => format!("attempt {} at {at}", attempt + 1),
        ("scheduled" | "waiting", _) => at.to_owned(),
        (state, _) => state.to_owned(),
    }
}

/// What a job of `kind` does.
fn verb(kind: &str) -> &str {
    match kind {
        "Reconcile" => "reconciling",
        "Rotate" => "rotating",
        "Test" => "testing",
        other => other,
    }
}

fn why(problem: &Problem) -> String {
    let Problem { step, text, operator, .. } = problem;
    let who = if *operator { "needs an operator: " } else { "" };
    format!("{who}{step}: {}", plain(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_what_is_next_and_why_not() {
        let problem = |operator| {
            let (step, text) = ("setSecret".to_owned(), "no\u{9b}".to_owned());
            Some(Problem { at: String::new(), step, text, operator })
        };
        let job = |attempt| {
            let (kind, phase) = ("Rotate".to_owned(), "Created".to_owned());
            Some(Job { kind, phase, attempt, ..Job::default() })
        };
        for (state, overdue, job, problem, expected) in [
            ("scheduled", false, None, None, ["T", ""]),
            ("scheduled", true, None, None, ["overdue: T", ""]),
            ("cancelled", false, None, None, ["cancelled", ""]),
            ("running", false, job(2), None, ["rotating now, setSecret, attempt 2", ""]),
            ("retrying", false, job(2), problem(false), ["attempt 3 at T", "setSecret: no\\u{9b}"]),
            (
                "stuck",
                false,
                job(0),
                problem(true),
                ["given up until T", "needs an operator: setSecret: no\\u{9b}"],
            ),
        ] {
            let secret = Secret {
                name: "n".to_owned(),
                function: Some("arn:aws:lambda:r:1:function:short".to_owned()),
                state: state.to_owned(),
                next_at: Some("T".to_owned()),
                overdue,
                job,
                problem,
                ..Secret::default()
            };
            let [next, why] = expected;
            assert_eq!(row(&secret, false), ["n", "short", "never", next, why]);
        }
    }
}
