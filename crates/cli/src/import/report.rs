//! What came of it: counts, failures, and the bar while it goes on.

use super::source::Bad;
use super::work::Done;
use crate::output;
use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::io::Write;

/// What came of an import. Its JSON form is the output of `--json`.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// Secrets made, by an earlier run of the same lines too.
    pub(crate) created: u64,
    pub(crate) updated: u64,
    pub(crate) skipped: u64,
    /// Lines that could be sent; in a dry run only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) valid: Option<u64>,
    /// By line.
    pub(crate) failed: Vec<Failure>,
    /// Why the rest was left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stopped: Option<String>,
}

/// A line that came to nothing.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Failure {
    pub(crate) line: u64,
    pub(crate) name: Option<String>,
    pub(crate) error: String,
}

/// Failures that are told; who has more imports the wrong file.
const MOST_FAILURES: usize = 100_000;
/// Failures that are told to a person.
const SHOWN: usize = 50;

impl Report {
    pub(crate) fn count(&mut self, done: Done) {
        match done {
            Done::Created => self.created += 1,
            Done::Skipped => self.skipped += 1,
            Done::Updated => self.updated += 1,
        }
    }

    /// Adds a failure; whether there are too many to go on.
    pub(crate) fn fail(&mut self, line: u64, Bad { name, fact: error }: Bad) {
        self.failed.push(Failure { line, name, error });
        if self.failed.len() >= MOST_FAILURES {
            self.stop(format!("{MOST_FAILURES} lines have failed"));
        }
    }

    /// Nothing further is to be sent; the first reason stays.
    pub(crate) fn stop(&mut self, why: String) {
        self.stopped.get_or_insert(why);
    }

    /// Whether every line came to what it should.
    pub(crate) fn is_clean(&self) -> bool {
        self.failed.is_empty() && self.stopped.is_none()
    }

    /// Tells it: as one JSON document, or the counts to `out` and the failures to the person.
    pub(crate) fn tell(&mut self, out: &mut dyn Write, json: bool) -> Result<()> {
        self.failed.sort_by_key(|it| it.line);
        if json {
            return output::json(out, self);
        }
        for Failure { line, name, error } in self.failed.iter().take(SHOWN) {
            let name = name.as_ref().map(|it| format!("`{it}`: ")).unwrap_or_default();
            output::note(&format!("line {line}: {name}{error}"));
        }
        match self.failed.len().saturating_sub(SHOWN) {
            0 => (),
            more => output::note(&format!("and {more} more\nhint: --json tells all of them")),
        }
        if let Some(why) = &self.stopped {
            output::note(&format!("stopped: {why}\nhint: what was done stays done; run it again"));
        }
        writeln!(out, "{}", self.summary())?;
        Ok(())
    }

    fn summary(&self) -> String {
        let Self { created, updated, skipped, .. } = self;
        let failed = self.failed.len();
        match self.valid {
            Some(valid) => format!("{valid} valid, {failed} failed; nothing was sent"),
            None => {
                format!("{created} created, {updated} updated, {skipped} skipped, {failed} failed")
            }
        }
    }
}

/// A bar on a terminal, nothing elsewhere. `length`: the bytes to read, if that is known.
pub(crate) fn bar(length: Option<u64>) -> Result<ProgressBar> {
    let (bar, template) = match length {
        Some(length) => {
            (ProgressBar::new(length), "{bar:40} {bytes}/{total_bytes} read, {msg}, {eta} left")
        }
        None => (ProgressBar::no_length(), "{spinner} {bytes} read, {msg}"),
    };
    let style = ProgressStyle::with_template(template).context("the bar's template")?;
    Ok(bar.with_style(style).with_message("0 done, 0 failed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(name: Option<&str>) -> Bad {
        Bad { name: name.map(str::to_owned), fact: "no".to_owned() }
    }

    fn told(report: &mut Report, json: bool) -> String {
        let mut out = Vec::new();
        report.tell(&mut out, json).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_document_has_counts_and_failures_by_line() {
        let mut report = Report::default();
        report.count(Done::Created);
        report.fail(7, bad(Some("a")));
        report.fail(3, bad(None));
        assert_eq!(
            told(&mut report, true),
            "{\"created\":1,\"updated\":0,\"skipped\":0,\"failed\":[\
             {\"line\":3,\"name\":null,\"error\":\"no\"},{\"line\":7,\"name\":\"a\",\"error\":\"no\"}]}\n"
        );
        assert_eq!(told(&mut report, false), "1 created, 0 updated, 0 skipped, 2 failed\n");
    }

    #[test]
    fn too_many_failures_end_it() {
        let mut report = Report::default();
        for line in 1..MOST_FAILURES as u64 {
            report.fail(line, bad(None));
        }
        assert_eq!(report.stopped, None);
        report.fail(0, bad(None));
        assert_eq!(report.stopped.as_deref(), Some("100000 lines have failed"));
        report.stop("later".to_owned());
        assert_eq!(report.stopped.as_deref(), Some("100000 lines have failed"));
    }
}
