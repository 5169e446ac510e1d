//! Answers that come line by line: progress first, the result last.

use crate::admin::Admin;
use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Puts parts of a stream together to lines.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// The lines that `part` completes.
    pub(crate) fn add(&mut self, part: &[u8]) -> Vec<Vec<u8>> {
        self.begun.extend_from_slice(part);
        let mut whole: Vec<_> = self.begun.split(|it| *it == b'\n').map(<[u8]>::to_vec).collect();
        self.begun = whole.pop().unwrap_or_default();
        whole
    }
}

/// How far the work is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Step {
    done: u64,
    total: u64,
}

/// Asks for long work and shows how far it is; `unit` is what is counted. The last line is the answer.
pub(crate) fn ask(
    admin: &Admin,
    (path, body): (&str, &impl Serialize),
    unit: &str,
) -> Result<Value> {
    let template = format!("{{bar:40}} {{pos}}/{{len}} {unit}");
    let style = ProgressStyle::with_template(&template).context("the bar's template")?;
    let bar = ProgressBar::new(0).with_style(style);
    let (mut lines, mut last) = (Lines::default(), None);
    admin.stream_of(path, body, |part| {
        for line in lines.add(part) {
            match serde_json::from_slice::<Step>(&line) {
                Ok(Step { done, total }) => {
                    bar.set_length(total);
                    bar.set_position(done);
                }
                Err(_) => last = Some(serde_json::from_slice(&line).context("not a line of JSON")?),
            }
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    let answer: Value = last.context("the server ended before it was done\nhint: ask again")?;
    if let Some(fact) = answer.get("Error").and_then(Value::as_str) {
        bail!("{fact}");
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_however_they_arrive() {
        let mut lines = Lines::default();
        assert_eq!(lines.add(b"{\"a"), Vec::<Vec<u8>>::new());
        assert_eq!(lines.add(b"\":1}\n{}\n{"), [b"{\"a\":1}".to_vec(), b"{}".to_vec()]);
        assert_eq!(lines.add(b"}\n"), [b"{}".to_vec()]);
    }
}
