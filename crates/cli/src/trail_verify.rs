//! `strongroom trail verify`.

use crate::data::DataFolder;
use crate::output::FOUND;
use anyhow::{Context, Result, anyhow};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use trail::{Break, Finding, PublicKey, Summary};

/// Check that no audit record was changed, removed or reordered
///
/// Works on a running or stopped server's folder. Exits with 0 if the chain is whole and 1 if it is
/// broken.
#[derive(Debug, clap::Args)]
pub(crate) struct TrailVerify {
    /// The key that must have signed the heads, as kept elsewhere; else the journal's own is believed
    #[arg(long, value_name = "KEY")]
    public_key: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl TrailVerify {
    pub(crate) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        let key = self.public_key.as_ref().map(|text| {
            text.parse::<PublicKey>().map_err(|_| anyhow!("`{text}` is not a public key"))
        });
        let finding = check(&data.require_journal()?, key.transpose()?)?;
        if self.json {
            writeln!(out, "{}", json(&finding))?;
        } else {
            writeln!(out, "{}", text(&finding))?;
        }
        Ok(match finding {
            Finding::Whole(_) => ExitCode::SUCCESS,
            Finding::Broken(_) => ExitCode::from(FOUND),
        })
    }
}

/// Checks the journal in `folder` under a progress bar.
pub(crate) fn check(folder: &Path, key: Option<PublicKey>) -> Result<Finding> {
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} checked");
    let bar = ProgressBar::new(0).with_style(style.context("the bar's template")?);
    let finding = trail::verify(folder, key, &mut |progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
    });
    bar.finish_and_clear();
    finding.with_context(|| format!("can't check the journal in `{}`", folder.display()))
}

/// The finding in one or two lines.
pub(crate) fn text(finding: &Finding) -> String {
    match finding {
        Finding::Whole(Summary { records, segments, head, .. }) => {
            let head = head.as_ref().map_or_else(
                || "no signed head yet".to_owned(),
                |it| format!("last head signed over record {} at {}", it.sequence, it.at),
            );
            let (records, segments) = (counted(*records, "record"), counted(*segments, "segment"));
            format!("{records} in {segments}, chain whole; {head}")
        }
        Finding::Broken(Break { file, line, after, reason }) => {
            format!("chain broken in `{file}`, line {line}, after record {after}: {reason}")
        }
    }
}

fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn json(finding: &Finding) -> serde_json::Value {
    match finding {
        Finding::Whole(Summary { records, segments, first, last, head, unfinished }) => {
            let head = head
                .as_ref()
                .map(|it| serde_json::json!({"Sequence": it.sequence, "At": it.at.to_string()}));
            serde_json::json!({
                "Whole": true,
                "Records": records,
                "Segments": segments,
                "First": first.map(|it| it.to_string()),
                "Last": last.map(|it| it.to_string()),
                "Head": head,
                "UnfinishedBytes": unfinished,
            })
        }
        Finding::Broken(Break { file, line, after, reason }) => serde_json::json!({
            "Whole": false,
            "File": file,
            "Line": line,
            "AfterRecord": after,
            "Reason": reason.to_string(),
        }),
    }
}
