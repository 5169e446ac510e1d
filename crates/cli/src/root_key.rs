//! `strongroom root-key`.

use crate::admin::Admin;
use crate::data::DataFolder;
use crate::lines::Lines;
use crate::output;
use crate::root_key_recovery::Recovery;
use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use std::io::Write;
use std::process::ExitCode;

/// Change the root key, and prepare for its loss
#[derive(Debug, clap::Subcommand)]
pub(crate) enum RootKey {
    Rotate(Rotate),
    #[command(subcommand)]
    Recovery(Recovery),
}

/// Make a new root key and wrap everything with it, while the server runs
///
/// An interrupted rotation is finished by calling it again.
#[derive(Debug, clap::Args)]
pub(crate) struct Rotate {}

/// A line of the server's answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Step {
    done: u64,
    total: u64,
    #[serde(default)]
    finished: bool,
    root_key_id: Option<String>,
    error: Option<String>,
    hint: Option<String>,
}

impl RootKey {
    pub(crate) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        match self {
            Self::Recovery(it) => it.run(data, out),
            Self::Rotate(it) => it.run(data, out),
        }
    }
}

impl Rotate {
    fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        let Self {} = self;
        let bar = ProgressBar::new(0).with_style(
            ProgressStyle::with_template("{bar:40} {pos}/{len} keys wrapped")
                .context("the bar's template")?,
        );
        let mut last = None;
        let mut lines = Lines::default();
        Admin::new(data)?.stream("/v1/root-key/rotate", |part| {
            for line in lines.add(part) {
                let step: Step = serde_json::from_slice(&line).context("not a progress line")?;
                bar.set_length(step.total);
                bar.set_position(step.done);
                last = Some(step);
            }
            Ok(())
        })?;
        bar.finish_and_clear();
        match last {
            Some(Step { finished: true, root_key_id, done, .. }) => {
                writeln!(out, "{}", root_key_id.unwrap_or_default())?;
                output::note(&format!("{done} keys are wrapped by the new root key"));
                output::note("hint: keep a copy of it apart from the data folder and its backups");
                Ok(ExitCode::SUCCESS)
            }
            Some(Step { error: Some(fact), hint, .. }) => {
                let hint = hint.map(|it| format!("\nhint: {it}")).unwrap_or_default();
                bail!("{fact}{hint}")
            }
            _ => bail!(
                "the server ended before the rotation did\n\
                 hint: start it and call this again; nothing is lost"
            ),
        }
    }
}
