//! `strongroom rotation plan`.

use super::Where;
use crate::admin::Admin;
use crate::data::DataFolder;
use crate::output::{self, FOUND};
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::process::ExitCode;
use trail::render::plain;

/// Say what the next rotation of a secret would do, and what it lacks, without changing anything
///
/// Logs in as the secret says, and as its administrator's secret says, and asks the server for rights. Exits with
/// 0 if a rotation would succeed as far as can be seen, and 1 if something is missing.
#[derive(Debug, clap::Args)]
pub(crate) struct Plan {
    /// The name or ARN of the secret
    secret: String,
    #[command(flatten)]
    place: Where,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Planned {
    name: String,
    arn: String,
    findings: Vec<Finding>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Finding {
    kind: String,
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Plan {
    pub(super) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        let admin = Admin::new(data)?;
        let planned: Planned = admin.get(&self.place.path("plan", Some(&self.secret), None))?;
        if self.json {
            output::json(out, &planned)?;
        } else {
            for finding in &planned.findings {
                finding.show(out)?;
            }
        }
        let lacks = planned.findings.iter().any(Finding::is_missing);
        Ok(if lacks { ExitCode::from(FOUND) } else { ExitCode::SUCCESS })
    }
}

impl Finding {
    fn is_missing(&self) -> bool {
        self.kind == "missing"
    }

    fn show(&self, out: &mut dyn Write) -> Result<()> {
        let mark = match self.kind.as_str() {
            "fine" => "✓",
            "missing" => "✗",
            _ => " ",
        };
        writeln!(out, "{mark} {}", plain(&self.text))?;
        if let Some(hint) = &self.hint {
            writeln!(out, "  hint: {}", plain(hint))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_a_fact_a_remedy() {
        let mut out = Vec::new();
        for (kind, hint) in [("fine", None), ("missing", Some("do")), ("statement", None)] {
            let (text, hint) = (format!("a {kind}\u{9b}"), hint.map(str::to_owned));
            Finding { kind: kind.to_owned(), text, hint }.show(&mut out).unwrap();
        }
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "✓ a fine\\u{9b}\n✗ a missing\\u{9b}\n  hint: do\n  a statement\\u{9b}\n"
        );
    }
}
