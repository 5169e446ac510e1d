//! `cargo xtask fuzz`, and the replay of what fuzzing has found.

use crate::provide;
use crate::run::{program, root, run};
use anyhow::{Context, Result};
use std::fs;

/// How long to look for inputs that break a parser.
#[derive(Debug, clap::Args)]
pub(crate) struct Fuzz {
    /// Seconds for each target
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

impl Fuzz {
    pub(crate) fn run(&self) -> Result<()> {
        provide::fuzzing()?;
        let folder = root().join("fuzz");
        let limit = format!("-max_total_time={}", self.seconds);
        for target in targets()? {
            // What is found new goes to the first folder, the committed inputs are only read.
            let (found, kept) = (format!("target/corpus/{target}"), format!("corpus/{target}"));
            fs::create_dir_all(folder.join(&found)).context("can't make the corpus folder")?;
            let line = ["cargo", "+nightly", "fuzz", "run", &target, &found, &kept, "--", &limit];
            run(program(&line).current_dir(&folder))?;
        }
        Ok(())
    }
}

/// Runs every target over its committed inputs.
pub(crate) fn replay() -> Result<()> {
    run(program(&["cargo", "test"]).current_dir(root().join("fuzz")))
}

fn targets() -> Result<Vec<String>> {
    let folder = root().join("fuzz/fuzz_targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).context("can't list the fuzz targets")? {
        let path = entry.context("can't list the fuzz targets")?.path();
        if path.extension().is_some_and(|it| it == "rs") {
            names.extend(path.file_stem().map(|it| it.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}
