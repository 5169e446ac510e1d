//! What is seen while it goes on: a picture on a terminal, a line a rotation elsewhere.

use super::application::Counts;
use super::secret::{Stages, Strategy};
use crate::output;
use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::VecDeque;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// One strategy, as it is shown.
pub(super) struct View {
    strategy: Strategy,
    counts: Arc<Counts>,
    begun: Instant,
    length: Duration,
    stages: Stages,
    rotations: Vec<Duration>,
    pace: Pace,
    way: Way,
}

enum Way {
    Picture(ProgressBar),
    Lines,
    Silence,
}

/// Logins a second, of about the last one.
#[derive(Default)]
struct Pace {
    seen: VecDeque<(Instant, u64)>,
}

const SECOND: Duration = Duration::from_secs(1);
/// Of a version's id, so many characters tell it apart.
const SHORT: usize = 8;

impl View {
    /// Nothing is shown if only the outcome is wanted, as `json`.
    pub(super) fn new(
        strategy: Strategy,
        length: Duration,
        counts: Arc<Counts>,
        json: bool,
    ) -> Result<Self> {
        let way = match (json, std::io::stderr().is_terminal()) {
            (true, _) => Way::Silence,
            (false, true) => Way::Picture(picture(strategy, length)?),
            (false, false) => Way::Lines,
        };
        let (begun, stages) = (Instant::now(), Stages::default());
        let (rotations, pace) = (Vec::new(), Pace::default());
        Ok(Self { strategy, counts, begun, length, stages, rotations, pace, way })
    }

    /// The labels are on these versions now.
    pub(super) fn moved(&mut self, stages: Stages) {
        self.stages = stages;
        self.draw();
    }

    /// A rotation has ended well.
    pub(super) fn rotated(&mut self, took: Duration) {
        self.rotations.push(took);
        if let Way::Lines = self.way {
            output::note(&self.line());
        }
        self.draw();
    }

    /// Draws the picture anew, if there is one.
    pub(super) fn draw(&mut self) {
        let pace = self.pace.at(Instant::now(), self.counts.logins.load(Relaxed));
        let Way::Picture(bar) = &self.way else { return };
        bar.set_position(millis(self.begun.elapsed().min(self.length)));
        bar.set_message(self.lines(pace));
    }

    /// Ends it; how long each rotation took.
    pub(super) fn close(self) -> Vec<Duration> {
        if let Way::Picture(bar) = self.way {
            bar.finish_and_clear();
        }
        self.rotations
    }

    fn lines(&self, pace: u64) -> String {
        let [logins, failures, retried] = self.numbers();
        let last = match self.rotations.last() {
            Some(took) => format!(", the last in {} ms", millis(*took)),
            None => String::new(),
        };
        let Stages { current, pending, previous } = &self.stages;
        let rows = [
            ("logins", format!("{logins}, {pace}/s")),
            ("failures", failures.to_string()),
            ("retried", format!("{retried}, with the secret read again")),
            ("rotations", format!("{}{last}", self.rotations.len())),
            ("AWSCURRENT", short(current.as_ref())),
            ("AWSPENDING", short(pending.as_ref())),
            ("AWSPREVIOUS", short(previous.as_ref())),
        ];
        rows.map(|(name, value)| format!("{name:<11}  {value}")).join("\n")
    }

    fn line(&self) -> String {
        let [logins, failures, retried] = self.numbers();
        let took = self.rotations.last().copied().map(millis).unwrap_or_default();
        format!(
            "{}: rotation {} in {took} ms, AWSCURRENT {}, AWSPREVIOUS {}; {logins} logins, {failures} failures, {retried} retried",
            self.strategy.name(),
            self.rotations.len(),
            short(self.stages.current.as_ref()),
            short(self.stages.previous.as_ref()),
        )
    }

    fn numbers(&self) -> [u64; 3] {
        let Counts { logins, failures, retried, .. } = &*self.counts;
        [logins, failures, retried].map(|it| it.load(Relaxed))
    }
}

impl Pace {
    /// The pace, now that there were `count`.
    fn at(&mut self, now: Instant, count: u64) -> u64 {
        self.seen.push_back((now, count));
        while self.seen.get(1).is_some_and(|(then, _)| now.duration_since(*then) >= SECOND) {
            self.seen.pop_front();
        }
        let Some((then, before)) = self.seen.front() else { return 0 };
        let passed = millis(now.duration_since(*then)).max(1);
        (count - before) * 1000 / passed
    }
}

fn picture(strategy: Strategy, length: Duration) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template("{prefix}  {bar:30}  {elapsed}\n{msg}");
    let bar = ProgressBar::new(millis(length)).with_style(style.context("the bar's template")?);
    Ok(bar.with_prefix(strategy.name()))
}

fn short(version: Option<&String>) -> String {
    version.map_or_else(|| "-".to_owned(), |it| it.chars().take(SHORT).collect())
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_that_of_the_last_second() {
        let begun = Instant::now();
        let mut pace = Pace::default();
        for (millis, count, expected) in [
            (0, 0, 0),
            (500, 100, 200),
            (1000, 200, 200),
            // From here on nothing happens: a second later that is all there is to say.
            (1500, 200, 100),
            (2000, 200, 0),
            (9000, 200, 0),
        ] {
            let now = begun + Duration::from_millis(millis);
            assert_eq!(pace.at(now, count), expected, "{millis}");
        }
    }

    #[test]
    fn a_rotation_is_a_line() {
        let counts = Arc::<Counts>::default();
        counts.logins.store(812, Relaxed);
        counts.retried.store(3, Relaxed);
        let mut view = View::new(Strategy::Single, SECOND, counts, true).expect("a view");
        let version = |it: &str| Some(it.to_owned());
        let current = version("8f3a1c2e-7c1d-4b5e-9d7f-0a1b2c3d4e5f");
        view.moved(Stages { current, pending: None, previous: version("11bd0c77-0") });
        view.rotated(Duration::from_millis(74));
        assert_eq!(
            view.line(),
            "single user: rotation 1 in 74 ms, AWSCURRENT 8f3a1c2e, AWSPREVIOUS 11bd0c77; 812 logins, 0 failures, 3 retried"
        );
        assert!(view.lines(9).contains("AWSPENDING   -\n"), "{}", view.lines(9));
    }
}
