//! The two that are asked: a process each, a case per line in, a word per line out.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// How many cases are sent before answers are read: answers fit into the pipe.
const AHEAD: usize = 64;

/// A program that decides cases.
#[derive(Debug)]
pub(super) struct Judge {
    child: Child,
    input: BufWriter<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Judge {
    /// Starts `command`.
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.spawn().with_context(|| format!("can't start {command:?}"))?;
        let input = child.stdin.take().context("there is no pipe to the program")?;
        let output = child.stdout.take().context("there is no pipe from the program")?;
        Ok(Self { child, input: BufWriter::new(input), output: BufReader::new(output) })
    }

    /// Its verdicts on `cases`, in their order.
    pub(super) fn ask(&mut self, cases: &[Value]) -> Result<Vec<String>> {
        let mut verdicts = Vec::with_capacity(cases.len());
        for some in cases.chunks(AHEAD) {
            for case in some {
                writeln!(self.input, "{case}").context("the program takes no more cases")?;
            }
            self.input.flush().context("the program takes no more cases")?;
            for _ in some {
                let mut line = String::new();
                if self.output.read_line(&mut line).context("can't read a verdict")? == 0 {
                    bail!("the program ended before its last verdict");
                }
                verdicts.push(line.trim_end().to_owned());
            }
        }
        Ok(verdicts)
    }

    /// Its verdict on one case.
    pub(super) fn ask_one(&mut self, case: &Value) -> Result<String> {
        let verdicts = self.ask(std::slice::from_ref(case))?;
        verdicts.into_iter().next().context("there is no verdict")
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        // It would end by itself when its input does; nobody waits for that.
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}
