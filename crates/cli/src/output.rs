//! Errors for people, tables, and exit codes.

use anyhow::Result;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

/// It looked, and found a fault.
pub(crate) const FOUND: u8 = 1;
/// It could not be done.
const FAILED: u8 = 3;

/// Tells `error` on standard error: the facts in one line, each hint in a line of its own.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    // The reader of a pipe went away, as `head` does: nothing to tell.
    let gone = |it: &std::io::Error| it.kind() == ErrorKind::BrokenPipe;
    if error.chain().any(|it| it.downcast_ref().is_some_and(gone)) {
        return ExitCode::SUCCESS;
    }
    let _nobody_listens = writeln!(std::io::stderr(), "{}", told(error));
    ExitCode::from(FAILED)
}

/// Says something to the person at the terminal; never data.
pub(crate) fn note(text: &str) {
    let _nobody_listens = writeln!(std::io::stderr(), "{text}");
}

fn told(error: &anyhow::Error) -> String {
    let mut facts: Vec<String> = Vec::new();
    let mut hints = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        let (fact, hint) = text.split_once("\nhint: ").unwrap_or((&text, ""));
        // Errors that print their source would tell it twice; a hint may come without a fact.
        if !fact.is_empty() && !facts.iter().any(|it| it.ends_with(fact)) {
            facts.push(fact.trim_end().to_owned());
        }
        if !hint.is_empty() {
            hints.push(format!("\nhint: {hint}"));
        }
    }
    format!("error: {}{}", facts.join(": "), hints.concat())
}

/// Writes `rows` under `head` as aligned columns without lines.
pub(crate) fn table(out: &mut dyn Write, head: &[&str], rows: Vec<Vec<String>>) -> Result<()> {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(head);
    table.add_rows(rows);
    for line in table.to_string().lines() {
        writeln!(out, "{}", line.trim())?;
    }
    Ok(())
}

/// Writes `value` as one JSON document.
pub(crate) fn json(out: &mut dyn Write, value: &impl serde::Serialize) -> Result<()> {
    writeln!(out, "{}", serde_json::to_string(value)?)?;
    Ok(())
}

/// A JSON value as one would write it by hand: texts without quotes.
pub(crate) fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context, anyhow};

    #[test]
    fn facts_come_before_hints() {
        let inner = anyhow!("no such file\nhint: make one");
        let error = Err::<(), _>(inner).context("can't read `x`").unwrap_err();
        assert_eq!(told(&error), "error: can't read `x`: no such file\nhint: make one");
    }

    #[test]
    fn a_hint_may_be_added() {
        let error = Err::<(), _>(anyhow!("taken")).context("\nhint: wait").unwrap_err();
        assert_eq!(told(&error), "error: taken\nhint: wait");
    }

    #[test]
    fn a_cause_that_was_told_is_not_told_again() {
        let inner = anyhow!("no such file");
        let error = Err::<(), _>(inner).context("can't read `x`: no such file").unwrap_err();
        assert_eq!(told(&error), "error: can't read `x`: no such file");
    }
}
