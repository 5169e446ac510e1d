//! Running programs, and telling what runs and how long it took.

use anyhow::{Context, Result, bail};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// The repository's root folder.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Writes one line for people, at once.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody listens any more: the exit code still tells.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Named steps that run one after the other until one fails.
#[derive(Debug, Default)]
pub(crate) struct Stages {
    done: Vec<(&'static str, f64)>,
    failed: Option<(&'static str, f64)>,
}

impl Stages {
    /// Runs the stage `name`, unless an earlier one has failed.
    pub(crate) fn stage(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) {
        if self.failed.is_some() {
            return;
        }
        say(&format!("\n=== {name}"));
        let begun = Instant::now();
        let outcome = work();
        let took = begun.elapsed().as_secs_f64();
        match outcome {
            Ok(()) => {
                say(&format!("=== {name}: passed in {took:.1} s"));
                self.done.push((name, took));
            }
            Err(error) => {
                say(&format!("=== {name}: FAILED after {took:.1} s: {error:#}"));
                self.failed = Some((name, took));
            }
        }
    }

    /// Tells what passed and what failed; an error if anything did.
    pub(crate) fn finish(self) -> Result<()> {
        say("");
        for (name, took) in &self.done {
            say(&format!("passed  {took:8.1} s  {name}"));
        }
        match self.failed {
            None => Ok(()),
            Some((name, took)) => {
                say(&format!("FAILED  {took:8.1} s  {name}"));
                bail!("stage `{name}` failed; later stages didn't run")
            }
        }
    }
}

/// A program with its arguments, started in the repository's root.
pub(crate) fn program(line: &[&str]) -> Command {
    let (name, arguments) = line.split_first().unwrap_or((&"false", &[]));
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    command
}

/// Runs `command` with its output shown; an error unless it ends with success.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = shown(command);
    say(&format!("$ {line}"));
    let status = command.status().with_context(|| format!("can't start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// What `command` prints to standard output; an error unless it ends with success.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = shown(command);
    let output = command.output().with_context(|| format!("can't start `{line}`"))?;
    if !output.status.success() {
        let told = String::from_utf8_lossy(&output.stderr);
        bail!("`{line}` ended with {}: {}", output.status, told.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` printed no text"))
}

/// Whether `command` starts and ends with success, with nothing shown.
pub(crate) fn works(command: &mut Command) -> bool {
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}

fn shown(command: &Command) -> String {
    let root = root();
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words
        .map(|word| {
            let path = Path::new(word);
            path.strip_prefix(&root).unwrap_or(path).display().to_string()
        })
        .collect();
    words.join(" ")
}
