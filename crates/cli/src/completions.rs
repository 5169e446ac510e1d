//! `strongroom completions`.

use crate::arguments::Arguments;
use anyhow::Result;
use clap::CommandFactory;
use clap_complete::Shell;
use std::io::Write;
use std::process::ExitCode;

/// Print the completion script of a shell
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(["bash", "zsh", "fish"]))]
    shell: String,
}

impl Completions {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<ExitCode> {
        let shell = match self.shell.as_str() {
            "zsh" => Shell::Zsh,
            "fish" => Shell::Fish,
            _ => Shell::Bash,
        };
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Arguments::command(), "strongroom", &mut script);
        out.write_all(&script)?;
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_learns_the_subcommands() {
        for shell in ["bash", "zsh", "fish"] {
            let mut script = Vec::new();
            Completions { shell: shell.into() }.run(&mut script).unwrap();
            let script = String::from_utf8(script).unwrap();
            assert!(script.contains("doctor") && script.contains("deactivate"), "{shell}");
        }
    }
}
