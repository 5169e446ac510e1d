//! `cargo xtask oracle`: our policy engine against an independent simulator.
//!
//! Read [`case`] first (what is asked), then [`deviations`] (where the two differ and why that is
//! right). `crates/policy/examples/oracle.rs` answers for us, `tests/oracle/simulate.js` for the
//! other side: an npm package under the AGPL-3.0, which runs in a process of its own as a tool of
//! the tests and is no part of what is built here.

mod case;
mod chance;
mod condition;
mod deviations;
mod judge;
mod marks;
mod shrink;
mod statement;
mod words;

use crate::provide;
use crate::run::{program, root, run, say};
use anyhow::{Result, bail};
use deviations::Deviations;
use judge::Judge;
use serde_json::Value;
use std::collections::BTreeMap;

/// How many cases are compared at once.
const BATCH: u64 = 500;

/// How many disagreements are made small and shown.
const SHOWN: usize = 10;

/// What to compare.
#[derive(Debug, clap::Args)]
pub(crate) struct Oracle {
    /// How many cases
    #[arg(long, default_value_t = 20_000)]
    cases: u64,
    /// Where chance begins: the same seed makes the same cases
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Part of all tests: always the same cases.
pub(crate) fn sample() -> Result<()> {
    Oracle { cases: 2_000, seed: 1 }.compare()
}

impl Oracle {
    pub(crate) fn run(&self) -> Result<()> {
        provide::npm_packages("tests/oracle")?;
        self.compare()
    }

    fn compare(&self) -> Result<()> {
        let mut judges = Judges::start()?;
        let deviations = Deviations::read()?;
        deviations.confirm(&mut judges)?;
        let mut tally = Tally::default();
        let mut begun = 0;
        while begun < self.cases {
            let end = self.cases.min(begun + BATCH);
            let cases: Vec<_> = (begun..end).map(|it| case::case(self.seed, it)).collect();
            let verdicts = judges.ask(&cases)?;
            for ((number, case), verdicts) in (begun..).zip(&cases).zip(verdicts) {
                let name = format!("seed {} case {number}", self.seed);
                tally.count(&name, case, &verdicts, (&deviations, &mut judges))?;
            }
            begun = end;
        }
        tally.finish()
    }
}

/// What ours and the other say.
type Verdicts = (String, String);

/// The two that are asked.
struct Judges {
    ours: Judge,
    theirs: Judge,
}

impl Judges {
    fn start() -> Result<Self> {
        run(&mut program(&["cargo", "build", "-p", "strongroom-policy", "--example", "oracle"]))?;
        let ours = provide::target().join("debug/examples/oracle");
        let mut theirs = program(&["node", "simulate.js"]);
        Ok(Self {
            ours: Judge::start(&mut program(&[&ours.to_string_lossy()]))?,
            theirs: Judge::start(theirs.current_dir(root().join("tests/oracle")))?,
        })
    }

    fn ask(&mut self, cases: &[Value]) -> Result<Vec<Verdicts>> {
        let ours = self.ours.ask(cases)?;
        Ok(ours.into_iter().zip(self.theirs.ask(cases)?).collect())
    }

    fn ask_one(&mut self, case: &Value) -> Result<Verdicts> {
        Ok((self.ours.ask_one(case)?, self.theirs.ask_one(case)?))
    }
}

/// What was found so far.
#[derive(Default)]
struct Tally {
    agreed: BTreeMap<String, usize>,
    listed: BTreeMap<String, usize>,
    unlisted: usize,
}

impl Tally {
    fn count(
        &mut self,
        name: &str,
        case: &Value,
        verdicts: &Verdicts,
        (deviations, judges): (&Deviations, &mut Judges),
    ) -> Result<()> {
        if verdicts.0 == verdicts.1 {
            *self.agreed.entry(verdicts.0.clone()).or_default() += 1;
            return Ok(());
        }
        if self.unlisted >= SHOWN {
            self.unlisted += 1;
            return Ok(());
        }
        let small = shrink::shrink(case, judges)?;
        if let Some(known) = deviations.find(&small, verdicts) {
            *self.listed.entry(known.to_owned()).or_default() += 1;
            return Ok(());
        }
        self.unlisted += 1;
        say(&format!("\n{name}: ours {}, the simulator's {}", verdicts.0, verdicts.1));
        say(&format!("{small:#}"));
        Ok(())
    }

    fn finish(&self) -> Result<()> {
        for (verdict, count) in &self.agreed {
            say(&format!("{count:7} agreed: {verdict}"));
        }
        for (name, count) in &self.listed {
            say(&format!("{count:7} differ as listed: {name}"));
        }
        if self.unlisted > 0 {
            bail!("{} cases differ for reasons that are not listed", self.unlisted);
        }
        Ok(())
    }
}
