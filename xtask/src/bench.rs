//! `cargo xtask bench`: what `bench/` measures, on the builds that are shipped.

use crate::provide;
use crate::run::{program, run};
use anyhow::Result;

/// What to measure: `run` (the default) or `scale`, with their options.
#[derive(Debug, clap::Args)]
pub(crate) struct Bench {
    /// Handed to the bench program; `cargo xtask bench run --help` shows more
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

impl Bench {
    pub(crate) fn run(&self) -> Result<()> {
        let packages = ["-p", "strongroom-cli", "-p", "strongroom-bench"];
        run(&mut program(
            &[&["cargo", "build", "--profile", "release-dist"][..], &packages].concat(),
        ))?;
        let bench = provide::target().join("release-dist/strongroom-bench");
        let mut command = program(&[&bench.to_string_lossy()]);
        if self.arguments.is_empty() {
            command.arg("run");
        }
        run(command.args(&self.arguments))
    }
}
