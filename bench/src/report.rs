//! Tables and JSON.

use anyhow::Result;
use comfy_table::{Table, presets};
use serde::Serialize;
use std::io::Write;
use std::path::Path;

/// One measured row.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    /// What was asked.
    pub(crate) what: String,
    /// Connections side by side.
    pub(crate) connections: usize,
    /// Answers per second, the median of the rounds.
    pub(crate) rate: f64,
    /// Lowest and highest round.
    pub(crate) spread: (f64, f64),
    /// Half of the answers came within, in microseconds.
    pub(crate) p50: u32,
    /// 99 of 100 came within, in microseconds.
    pub(crate) p99: u32,
    /// Server CPU for one answer, in microseconds, the median of the rounds.
    pub(crate) cpu: f64,
}

/// One budget of the design, and what was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Budget {
    pub(crate) what: String,
    pub(crate) measured: f64,
    pub(crate) unit: &'static str,
    pub(crate) bar: f64,
    pub(crate) goal: f64,
    /// Whether more is better.
    pub(crate) more: bool,
}

impl Budget {
    fn verdict(&self) -> &'static str {
        let reaches = |limit: f64| {
            if self.more { self.measured >= limit } else { self.measured <= limit }
        };
        match (reaches(self.goal), reaches(self.bar)) {
            (true, _) => "goal",
            (_, true) => "first bar",
            _ => "MISSED",
        }
    }
}

/// Prints `rows` for people.
pub(crate) fn print_rows(rows: &[Row]) -> Result<()> {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["what", "conns", "req/s", "lowest–highest", "p50 µs", "p99 µs", "CPU µs"]);
    for row in rows {
        table.add_row([
            row.what.clone(),
            row.connections.to_string(),
            format!("{:.0}", row.rate),
            format!("{:.0}–{:.0}", row.spread.0, row.spread.1),
            row.p50.to_string(),
            row.p99.to_string(),
            format!("{:.1}", row.cpu),
        ]);
    }
    writeln!(std::io::stdout(), "{table}\n")?;
    Ok(())
}

/// Prints `budgets` for people.
pub(crate) fn print_budgets(budgets: &[Budget]) -> Result<()> {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["budget", "measured", "first bar", "goal", "reached"]);
    for it in budgets {
        let sign = if it.more { "≥" } else { "≤" };
        table.add_row([
            it.what.clone(),
            format!("{:.2} {}", it.measured, it.unit),
            format!("{sign} {} {}", it.bar, it.unit),
            format!("{sign} {} {}", it.goal, it.unit),
            it.verdict().to_owned(),
        ]);
    }
    writeln!(std::io::stdout(), "{table}\n")?;
    Ok(())
}

/// Writes everything as JSON, if asked to.
pub(crate) fn write_json<T: Serialize>(file: Option<&Path>, value: &T) -> Result<()> {
    if let Some(file) = file {
        std::fs::write(file, serde_json::to_vec_pretty(value)?)?;
    }
    Ok(())
}

/// The middle of `values`.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
