//! `cargo xtask check`: what must hold before every commit.

use crate::run::{Stages, program, run};
use crate::tidy;
use anyhow::Result;

pub(crate) fn run_all(stages: &mut Stages) {
    stages.stage("format", || run(&mut program(&["cargo", "fmt", "--all", "--check"])));
    stages.stage("tidy", tidy::run);
    stages.stage("lints", || {
        let line = ["cargo", "clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
        run(&mut program(&line))
    });
}

/// Format, house rules and lints.
pub(crate) fn run_check() -> Result<()> {
    let mut stages = Stages::default();
    run_all(&mut stages);
    stages.finish()
}
