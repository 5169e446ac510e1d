//! What came of it.

use super::application::Counts;
use super::secret::Strategy;
use super::view::millis;
use crate::output::{self, FOUND};
use anyhow::Result;
use serde::Serialize;
use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// What came of all that was shown. Its JSON form is the output of `--json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Summary {
    strategies: Vec<Act>,
}

/// What came of one strategy.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Act {
    strategy: Strategy,
    milliseconds: u64,
    logins: u64,
    failures: u64,
    /// Logins that the database has refused, and granted after the secret was read again.
    retried: u64,
    rotations: usize,
    longest_rotation_milliseconds: u64,
    /// Why the first login that failed did.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_failure: Option<String>,
}

impl Act {
    pub(super) fn new(
        strategy: Strategy,
        took: Duration,
        counts: &Counts,
        rotations: &[Duration],
    ) -> Self {
        Self {
            strategy,
            milliseconds: millis(took),
            logins: counts.logins.load(Relaxed),
            failures: counts.failures.load(Relaxed),
            retried: counts.retried.load(Relaxed),
            rotations: rotations.len(),
            longest_rotation_milliseconds: rotations.iter().copied().max().map_or(0, millis),
            first_failure: counts.first_failure(),
        }
    }

    fn row(&self) -> Vec<String> {
        let pace = self.logins * 1000 / self.milliseconds.max(1);
        let longest = format!("{} ms", self.longest_rotation_milliseconds);
        let numbers = [self.logins, pace, self.failures, self.retried];
        let numbers = numbers.map(|it| it.to_string());
        let rotations = [self.rotations.to_string(), longest];
        [self.strategy.name().to_owned()].into_iter().chain(numbers).chain(rotations).collect()
    }
}

impl Summary {
    pub(super) fn new(strategies: Vec<Act>) -> Self {
        Self { strategies }
    }

    /// Tells it; whether every login was granted is the exit code.
    pub(super) fn tell(&self, out: &mut dyn Write, json: bool) -> Result<ExitCode> {
        if json {
            output::json(out, self)?;
        } else {
            output::table(out, &HEAD, self.strategies.iter().map(Act::row).collect())?;
            for why in self.strategies.iter().filter_map(|it| it.first_failure.as_ref()) {
                output::note(&format!("a login has failed: {why}"));
            }
        }
        let clean = self.strategies.iter().all(|it| it.failures == 0);
        Ok(if clean { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
    }
}

const HEAD: [&str; 7] =
    ["STRATEGY", "LOGINS", "A SECOND", "FAILURES", "RETRIED", "ROTATIONS", "LONGEST"];

#[cfg(test)]
mod tests {
    use super::*;

    fn act(failures: u64) -> Act {
        let counts = Counts::default();
        counts.logins.store(3412, Relaxed);
        counts.failures.store(failures, Relaxed);
        counts.retried.store(7, Relaxed);
        let rotations = [74, 93, 80].map(Duration::from_millis);
        Act::new(Strategy::Single, Duration::from_secs(10), &counts, &rotations)
    }

    fn told(acts: Vec<Act>, json: bool) -> (String, ExitCode) {
        let mut out = Vec::new();
        let code = Summary::new(acts).tell(&mut out, json).expect("told");
        (String::from_utf8(out).expect("text"), code)
    }

    #[test]
    fn every_login_counts() {
        for (acts, expected) in [
            (vec![], ExitCode::SUCCESS),
            (vec![act(0)], ExitCode::SUCCESS),
            (vec![act(0), act(1)], ExitCode::from(FOUND)),
        ] {
            for json in [false, true] {
                let summed = acts.iter().map(|it| it.failures).map(act).collect();
                assert_eq!(told(summed, json).1, expected, "{acts:?}");
            }
        }
    }

    #[test]
    fn it_is_told_to_people_and_programs() {
        let (table, _) = told(vec![act(0)], false);
        let words: Vec<_> = table.lines().nth(1).expect("a row").split_whitespace().collect();
        assert_eq!(words, ["single", "user", "3412", "341", "0", "7", "3", "93", "ms"]);
        assert_eq!(
            told(vec![act(0)], true).0,
            "{\"Strategies\":[{\"Strategy\":\"single\",\"Milliseconds\":10000,\"Logins\":3412,\"Failures\":0,\"Retried\":7,\"Rotations\":3,\"LongestRotationMilliseconds\":93}]}\n"
        );
    }
}
