//! `cargo xtask test`: all tests, from a fresh clone to the last answer.

use crate::run::{Stages, program, root, run, say};
use crate::{check, conform, fuzz, oracle, provide};
use anyhow::Result;

/// Everything that must pass before a change is good.
#[derive(Debug, clap::Args)]
pub(crate) struct Test {
    /// Run only the suites of unmodified AWS clients
    #[arg(long)]
    conformance: bool,
}

impl Test {
    pub(crate) fn run(&self) -> Result<()> {
        let mut stages = Stages::default();
        stages.stage("what the tests need", provide::all);
        if !self.conformance {
            check::run_all(&mut stages);
        }
        stages.stage("build", || {
            run(&mut program(&["cargo", "build", "--package", "strongroom-cli"]))
        });
        if !self.conformance {
            stages
                .stage("workspace tests", || run(&mut program(&["cargo", "test", "--workspace"])));
            stages.stage("MySQL", mysql);
            stages.stage("MongoDB", mongo);
            stages.stage("shapes", conform::run);
            stages.stage("policy decisions beside a simulator's", oracle::sample);
        }
        stages.stage("clients: boto3, AWS CLI, Python cache; rows; malformed", python);
        stages.stage("clients: JavaScript", javascript);
        stages.stage("clients: Rust", rust);
        if !self.conformance {
            stages.stage("fuzz corpus", fuzz::replay);
        }
        stages.finish()
    }
}

/// The one engine whose server no stable Debian has.
fn mysql() -> Result<()> {
    if !provide::mysql() {
        say("no MySQL server can be had here: its suite is left out");
        return Ok(());
    }
    let line = ["cargo", "test", "--package", "strongroom-rotators", "--features", "test-mysql"];
    run(program(&line).args(["--test", "engines", "mysqld"]))
}

/// The one engine whose server no Debian has at all.
fn mongo() -> Result<()> {
    if !provide::mongo() {
        say("MongoDB: NOT TRIED, as no server of it can be had here");
        return Ok(());
    }
    let line = ["cargo", "test", "--package", "strongroom-rotators", "--features", "test-mongo"];
    run(program(&line).args(["--test", "engines", "mongo"]))
}

fn python() -> Result<()> {
    if !provide::mongo() {
        say("rotation of MongoDB: NOT TRIED, as no server of it can be had here");
    }
    let pytest = provide::venv().join("bin/pytest");
    let line = [&pytest.to_string_lossy(), "-q", "--color=no", "-p", "no:cacheprovider"];
    run(with_server(&mut program(&line)).current_dir(root().join("tests/conformance")))
}

fn javascript() -> Result<()> {
    let folder = root().join("tests/conformance/js");
    run(with_server(&mut program(&["node", "--test"])).current_dir(folder))
}

fn rust() -> Result<()> {
    let folder = root().join("tests/sdk-rust");
    run(with_server(&mut program(&["cargo", "test"])).current_dir(folder))
}

/// Tells the suites which binary to start, and keeps byte code out of the tree.
fn with_server(command: &mut std::process::Command) -> &mut std::process::Command {
    let binary = provide::target().join("debug/strongroom");
    command.env("STRONGROOM_BINARY", binary).env("PYTHONDONTWRITEBYTECODE", "1")
}
