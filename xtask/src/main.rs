//! The verbs of this repository.
//!
//! Read [`test`] first: it is what CI runs, and it names every other verb's part. [`tidy`] holds the
//! rules that no compiler checks, [`conform`] compares our shapes with the official model.

mod bench;
mod check;
mod conform;
mod fuzz;
mod oracle;
mod provide;
mod run;
mod test;
mod tidy;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The verbs of this repository
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run all tests, after installing what they need
    Test(test::Test),
    /// Check format, lints and house rules: quick, before every commit
    Check,
    /// Check the house rules that no compiler knows
    Tidy,
    /// Compare our operations' members with the official service model
    Conform,
    /// Compare our policy decisions with those of an independent simulator
    Oracle(oracle::Oracle),
    /// Run every fuzz target for a while
    Fuzz(fuzz::Fuzz),
    /// Measure through the front door, beside what the machine can do at most
    Bench(bench::Bench),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().verb {
        Verb::Test(test) => test.run(),
        Verb::Check => check::run_check(),
        Verb::Tidy => tidy::run(),
        Verb::Conform => conform::run(),
        Verb::Oracle(oracle) => oracle.run(),
        Verb::Fuzz(fuzz) => fuzz.run(),
        Verb::Bench(bench) => bench.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            run::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
