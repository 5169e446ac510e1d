//! `strongroom trail tail`.

use crate::data::DataFolder;
use crate::wait;
use anyhow::{Context, Result};
use std::collections::VecDeque;
use std::io::Write;
use std::process::ExitCode;
use trail::{Entry, Filter, Reader, Record, render};

/// Show audit records, oldest first, of a running or stopped server
#[derive(Debug, clap::Args)]
pub(crate) struct TrailTail {
    /// Go on with new records until interrupted
    #[arg(short, long)]
    follow: bool,
    /// Only the last records of those that are there [default: all, or 10 with --follow]
    #[arg(short = 'n', long, value_name = "COUNT")]
    last: Option<usize>,
    /// Only this event, such as `GetSecretValue`
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    /// Only what this principal did: its ARN, user name or access key id
    #[arg(long, value_name = "WHO")]
    principal: Option<String>,
    /// Only what concerns this secret: its name or ARN
    #[arg(long, value_name = "SECRET")]
    secret: Option<String>,
    /// Only what failed
    #[arg(long)]
    errors: bool,
    /// Print the whole records, one JSON object a line; what could steer a terminal is escaped
    #[arg(long)]
    json: bool,
}

const LAST_WHEN_FOLLOWING: usize = 10;

impl TrailTail {
    pub(crate) fn run(&self, data: &DataFolder, out: &mut dyn Write) -> Result<ExitCode> {
        let folder = data.require_journal()?;
        let mut reader = Reader::new(&folder);
        let last = self.last.or(self.follow.then_some(LAST_WHEN_FOLLOWING));
        self.show_present(&mut reader, last, out)?;
        if self.follow {
            return self.go_on(&mut reader, out);
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Shows new records as they are written, until the process is ended or nobody listens.
    fn go_on(&self, reader: &mut Reader, out: &mut dyn Write) -> Result<ExitCode> {
        loop {
            let Some(entry) = reader.read()? else {
                out.flush()?;
                wait::pause();
                continue;
            };
            if let Some(line) = self.shown(&entry) {
                writeln!(out, "{line}")?;
            }
        }
    }

    /// Shows what is there; of it, the `last` records that fit.
    fn show_present(
        &self,
        reader: &mut Reader,
        last: Option<usize>,
        out: &mut dyn Write,
    ) -> Result<()> {
        let mut kept = VecDeque::new();
        while let Some(entry) = reader.read().context("can't read the audit journal")? {
            let Some(line) = self.shown(&entry) else { continue };
            let Some(last) = last else {
                writeln!(out, "{line}")?;
                continue;
            };
            kept.push_back(line);
            if kept.len() > last {
                kept.pop_front();
            }
        }
        kept.iter().try_for_each(|it| writeln!(out, "{it}"))?;
        Ok(())
    }

    /// The line for a record, if it is asked for. A record of an unknown form is shown, not hidden.
    fn shown(&self, entry: &Entry) -> Option<String> {
        let record = Record::parse(&entry.json);
        let filter = Filter {
            event: self.event.clone(),
            principal: self.principal.clone(),
            secret: self.secret.clone(),
            errors_only: self.errors,
        };
        if record.as_ref().is_some_and(|it| !filter.accepts(it)) {
            return None;
        }
        match record {
            Some(record) if !self.json => Some(render::line(&record)),
            _ => Some(render::json(&entry.json).into_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Timestamp;

    #[test]
    fn nothing_that_is_shown_steers_a_terminal() {
        let hash = trail::Hash::default();
        let at = Timestamp::from_secs(0);
        for (json, in_words, as_json) in [
            (
                "{\"eventName\":\"a\",\"sourceIPAddress\":\"b\u{9b}\u{202e}\"}",
                "-  a  ok  -  -  b\\u{9b}\\u{202e}",
                r#"{"eventName":"a","sourceIPAddress":"b\u009b\u202e"}"#,
            ),
            // Of a form that is not known, so shown as it is.
            ("[\"\u{9b}\u{202e}\"]", r#"["\u009b\u202e"]"#, r#"["\u009b\u202e"]"#),
        ] {
            let entry = Entry { sequence: 1, at, hash, json: json.to_owned() };
            for (json, expected) in [(false, in_words), (true, as_json)] {
                let arguments = TrailTail {
                    follow: false,
                    last: None,
                    event: None,
                    principal: None,
                    secret: None,
                    errors: false,
                    json,
                };
                assert_eq!(arguments.shown(&entry).as_deref(), Some(expected));
            }
        }
    }
}
