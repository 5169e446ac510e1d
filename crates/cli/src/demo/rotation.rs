//! `strongroom demo rotation`.

use super::application::Application;
use super::interrupt::Interrupt;
use super::secret::{Secret, Strategy};
use super::stage::{self, Stage};
use super::summary::{Act, Summary};
use super::view::View;
use crate::{log, run};
use ::server::config::{LogFormat, LogLevel};
use anyhow::{Context, Result, bail};
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Rotate a real PostgreSQL's password under an application that logs in all the time
///
/// Starts a PostgreSQL and a Strongroom of its own, and removes both at the end. The application
/// keeps the value that it has read for a third of the time between two rotations; a refused login
/// makes it read the secret again and try once more, which counts as retried. Exits with 0 if no
/// login has failed, and with 1 otherwise.
#[derive(Debug, clap::Args)]
pub(crate) struct Rotation {
    /// Show one strategy; without, both in turn
    #[arg(long, value_name = "STRATEGY")]
    strategy: Option<Strategy>,
    /// How long to show a strategy, in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u64).range(1..=3600)
    )]
    seconds: u64,
    /// Time between two rotations, such as `3s`; a second at least
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = pause)]
    every: Duration,
    /// How many logins the application has under way at a time
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 8,
        value_parser = clap::value_parser!(u16).range(1..=64)
    )]
    workers: u16,
    /// Print what came of it as one JSON document, and nothing before
    #[arg(long)]
    json: bool,
}

/// How long a rotation may take, and how often is looked whether it is done.
const PATIENCE: Duration = Duration::from_secs(30);
const BETWEEN: Duration = Duration::from_millis(20);
/// How often the picture is drawn anew.
const FRAME: Duration = Duration::from_millis(100);
/// A kept value is read again after this part of the time between two rotations. With alternating users
/// a value logs in for that time at least after another one is current.
const KEPT: u32 = 3;

impl Rotation {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<ExitCode> {
        self.check()?;
        stage::require()?;
        log::start(LogFormat::Text, LogLevel::Warn);
        run::open_to_nobody();
        run::leave_no_core();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let summary = runtime.context("can't start a runtime")?.block_on(async {
            let mut interrupt = Interrupt::listen()?;
            let stage = Stage::start().await?;
            let acts = self.show(&stage, &mut interrupt).await;
            stage.stop().await?;
            acts.map(Summary::new)
        })?;
        summary.tell(out, self.json)
    }

    /// Whether anything would be shown: a demonstration without a rotation shows nothing.
    fn check(&self) -> Result<()> {
        if Duration::from_secs(self.seconds) <= self.every {
            bail!(
                "in {} s nothing rotates every {} s\nhint: give --seconds more than --every",
                self.seconds,
                self.every.as_secs_f64()
            );
        }
        Ok(())
    }

    async fn show(&self, stage: &Stage, interrupt: &mut Interrupt) -> Result<Vec<Act>> {
        let all = [Strategy::Single, Strategy::Alternating];
        let mut acts = Vec::new();
        for strategy in all.into_iter().filter(|it| self.strategy.is_none_or(|only| only == *it)) {
            acts.push(self.act(strategy, stage, interrupt).await?);
            if interrupt.came() {
                break;
            }
        }
        Ok(acts)
    }

    /// Shows `strategy` until its time is over, or somebody wants to stop.
    async fn act(
        &self,
        strategy: Strategy,
        stage: &Stage,
        interrupt: &mut Interrupt,
    ) -> Result<Act> {
        let mut secret = Secret::new(stage, strategy).await?;
        let begun = Instant::now();
        let application =
            Application::start(&secret.reader(self.every / KEPT), usize::from(self.workers));
        let length = Duration::from_secs(self.seconds);
        let mut view = View::new(strategy, length, application.counts(), self.json)?;
        let ended = tokio::select! {
            ended = self.rotate(&mut secret, &mut view, begun + length) => ended,
            () = interrupt.comes() => Ok(()),
        };
        let counts = application.stop().await;
        let rotations = view.close();
        ended?;
        Ok(Act::new(strategy, begun.elapsed(), &counts, &rotations))
    }

    /// Has `secret` rotated until `end`.
    async fn rotate(&self, secret: &mut Secret, view: &mut View, end: Instant) -> Result<()> {
        view.moved(secret.stages().await?);
        loop {
            let next = Instant::now() + self.every;
            wait(view, next.min(end)).await;
            if next >= end {
                return Ok(());
            }
            let begun = Instant::now();
            let version = secret.rotate().await?;
            loop {
                let stages = secret.stages().await?;
                let is_current = stages.current.as_ref() == Some(&version);
                view.moved(stages);
                if is_current {
                    break;
                }
                if begun.elapsed() > PATIENCE {
                    bail!("version {version} is not current after {} s", PATIENCE.as_secs());
                }
                tokio::time::sleep(BETWEEN).await;
            }
            view.rotated(begun.elapsed());
        }
    }
}

/// Draws until `end`.
async fn wait(view: &mut View, end: Instant) {
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|it| !it.is_zero()) {
        view.draw();
        tokio::time::sleep(left.min(FRAME)).await;
    }
}

fn pause(text: &str) -> Result<Duration, String> {
    let told = base::duration::parse(text).map_err(|error| error.to_string())?;
    if told < Duration::from_secs(1) {
        return Err("a second at least".to_owned());
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demonstration_has_a_rotation() {
        for (seconds, every, expected) in [(30, 3, true), (3, 3, false), (2, 3, false)] {
            let every = Duration::from_secs(every);
            let rotation = Rotation { strategy: None, seconds, every, workers: 8, json: false };
            assert_eq!(rotation.check().is_ok(), expected, "{seconds} {every:?}");
        }
    }

    #[test]
    fn rotations_leave_an_application_the_time_to_hear_of_them() {
        for (text, expected) in [
            ("3s", Some(Duration::from_secs(3))),
            ("1500ms", Some(Duration::from_millis(1500))),
            ("1s", Some(Duration::from_secs(1))),
            ("999ms", None),
            ("0s", None),
            ("soon", None),
        ] {
            assert_eq!(pause(text).ok(), expected, "{text}");
        }
    }
}
