//! How a secret rotates, and the rotation that is under way: a part of the secret's row.
//!
//! Read [`Rotation`] first, then [`Job`]: what has been done, and what comes next. The methods here are the
//! only ones that change them; [`work`] has the transactions in which the engine calls them.
//!
//! Invariants:
//!
//! - A secret has one job at most. A job under way has a row in the table of what falls due.
//! - A job's version carries `AWSPENDING` until the job ends, unless a client has put a value meanwhile.
//! - A version that a database may know is not removed while the job that told it is under way.
//!
//! Source: rotation.md §1 and §5.

mod begin;
pub(crate) mod consent;
mod due;
mod events;
pub(crate) mod given;
mod job;
pub mod look;
pub mod view;
pub mod work;

use crate::Error;
use crate::random_password::{self, Recipe};
use crate::secret::Secret;
use crate::stages::{Label, VersionId};
use base::{Entropy, Sensitive, Timestamp};
use schedule::{Base, Rules};
use serde::{Deserialize, Serialize};
use service::Event;
use std::time::Duration;

pub(crate) use begin::hash;
pub(crate) use due::DUE;
pub use due::Due;

pub use job::{Again, Job, Kind, Phase, Problem};

/// How a secret rotates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// Whether it rotates by its rules.
    pub enabled: bool,
    /// The ARN of the function that does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// When it rotates; `None`: when it is told to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Rules>,
    /// When the rules were stored.
    #[serde(default)]
    pub anchor: Timestamp,
    /// When it rotated last: `LastRotatedDate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated: Option<Timestamp>,
    /// When it last rotated or, under rules that count changes, got another value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Timestamp>,
    /// The next window of the rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Next>,
    /// Beside an expression: how many days lie between its windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// The opening of the last window that was used: no clock that is set back brings it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Timestamp>,
    /// The end of the last window that was told to be overdue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_overdue: Option<Timestamp>,
    /// What is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<Job>,
    /// Why the last test failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untested: Option<Problem>,
    /// Versions that a database may know, and that are kept for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<VersionId>,
    /// The administrator's secret that this server may use for it: who last called RotateSecret may read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master: Option<Agreed>,
    /// The server that it spoke to last, `host:port`: so many at a time for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// Whose rights a rotation may borrow, and for whom: as the value said when somebody who may read the
/// administrator's secret called RotateSecret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    /// The administrator's secret, as `masterarn` names it.
    pub arn: String,
    /// The engine.
    pub engine: String,
    /// The server.
    pub host: String,
    /// Its port, if it was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// The database, if it was named: of some engines, whose user it is depends on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Whose password changes.
    pub username: String,
}

/// A window, and the moment in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Next {
    /// The window's first instant.
    pub opens: Timestamp,
    /// The first instant after it.
    pub closes: Timestamp,
    /// When the rotation begins.
    pub fires: Timestamp,
}

/// A password of `length` characters that has each class and none of `exclude`.
///
/// # Errors
///
/// No such password exists.
pub fn password(length: usize, exclude: &str, entropy: &dyn Entropy) -> Result<Sensitive, Error> {
    let recipe = Recipe {
        length,
        exclude: exclude.to_owned(),
        numbers: true,
        punctuation: true,
        uppercase: true,
        lowercase: true,
        space: false,
        require_each: true,
    };
    random_password::draw(&recipe, entropy).map_err(|_| Error::PasswordAlphabet)
}

impl Rotation {
    /// When something is to be done, if anything is.
    pub fn due(&self) -> Option<Timestamp> {
        let scheduled = self.next.filter(|_| self.enabled).map(|it| it.fires);
        self.job.as_ref().map_or(scheduled, |it| Some(it.at))
    }

    /// When its row is to be looked at. What rotates only when it is told to has one too, at the end of time: so
    /// it is found without looking at all secrets.
    pub(crate) fn row_at(&self) -> Option<Timestamp> {
        let overdue = self.job.as_ref().and_then(|_| self.overdue_at());
        let soonest = [self.due(), overdue].into_iter().flatten().min();
        soonest.or(self.enabled.then_some(NEVER))
    }

    /// `NextRotationDate`: the last second of the next window.
    pub fn next_date(&self) -> Option<Timestamp> {
        let last_second = Duration::from_secs(1);
        self.next.filter(|_| self.enabled).map(|it| it.closes.minus(last_second))
    }

    /// When `NextRotationDate` will have passed by an hour, unless that was told.
    pub fn overdue_at(&self) -> Option<Timestamp> {
        let told = self.next.is_some_and(|it| self.told_overdue == Some(it.closes));
        self.next_date().filter(|_| !told).map(|it| it.plus(OVERDUE))
    }

    /// Finds the next window, of the secret `id`.
    pub(crate) fn reschedule(&mut self, id: &str) {
        self.reschedule_from(Base { anchor: self.anchor, last: self.moved.max(self.used) }, id);
    }

    /// Goes on to the first window that opens after `now`.
    pub(super) fn skip(&mut self, now: Timestamp, id: &str) {
        let days = self.rules.as_ref().is_some_and(Rules::counts_changes);
        let last = if days { self.moved } else { Some(now) };
        let anchor = if days { now } else { self.anchor };
        self.reschedule_from(Base { anchor, last: last.max(self.used) }, id);
    }

    fn reschedule_from(&mut self, base: Base, id: &str) {
        let window = self.rules.as_ref().and_then(|it| it.next_window(base));
        self.next = window.map(|it| Next {
            opens: it.opens,
            closes: it.closes,
            fires: it.fire_at(spread(id, it.opens)),
        });
    }

    /// Stores `rules`; those that are there already keep their instant.
    pub(crate) fn follow(&mut self, rules: Rules, now: Timestamp, id: &str) {
        if self.rules.as_ref() != Some(&rules) || !self.enabled {
            self.anchor = now;
        }
        let base = Base { anchor: self.anchor, last: self.moved.max(self.used) };
        let window = rules.next_window(base);
        self.days = window.filter(|_| rules.expression().is_some()).map(|it| it.days_after(now));
        self.rules = Some(rules);
        self.reschedule(id);
    }
}

impl Secret {
    /// Whether a database may have another password by now than the current version says.
    pub(crate) fn is_changing(&self) -> bool {
        let job = self.rotation.as_ref().and_then(|it| it.job.as_ref());
        job.is_some_and(|it| it.phase >= Phase::Setting)
    }

    /// Versions that are kept because a database may know them.
    pub(crate) fn pins(&self) -> &[VersionId] {
        self.rotation.as_ref().map(|it| &*it.pins).unwrap_or_default()
    }

    /// Notes that a client has put `version` as the current value. A rotation under way is abandoned; one of
    /// which the database may have heard already is turned into finding out which password it has.
    pub(crate) fn written_by_hand(&mut self, version: &VersionId, now: Timestamp) -> Vec<Event> {
        let job = self.rotation.as_ref().and_then(|it| it.job.clone());
        if job.as_ref().is_some_and(|it| it.token == *version) {
            return Vec::new();
        }
        let Some(rotation) = &mut self.rotation else { return Vec::new() };
        // AWSPENDING never is AWSCURRENT: it goes.
        let _ = self.stages.detach(&Label::PENDING);
        // The value may name another server.
        rotation.target = None;
        if rotation.enabled && rotation.rules.as_ref().is_some_and(Rules::counts_changes) {
            rotation.moved = Some(now);
            rotation.reschedule(self.id.as_str());
        }
        let Some(job) = job else { return Vec::new() };
        rotation.job = job.abandoned(now);
        let event = events::of(job.kind, events::Stage::Abandoned, (&self.arn, &job.token), None);
        event.into_iter().collect()
    }

    /// Ends the rotation to the version of `job`, which is current from now on.
    pub(crate) fn rotated(&mut self, job: &Job, now: Timestamp) -> Vec<Event> {
        self.stages.promote(&job.token);
        self.touch(now);
        let Some(rotation) = &mut self.rotation else { return Vec::new() };
        rotation.job = None;
        rotation.untested = None;
        rotation.pins.clear();
        rotation.rotated = Some(now);
        rotation.moved = Some(now);
        let used = rotation.next.filter(|_| rotation.enabled).map(|it| it.opens);
        rotation.used = rotation.used.max(used.filter(|it| *it <= now));
        if let (Some(rules), true) = (&rotation.rules, rotation.enabled) {
            let opened = rotation.next.map_or(now, |it| it.opens);
            let window = schedule::Window { opens: opened, closes: opened };
            let days = rules.following_day_count(&window);
            rotation.days = rules.expression().map(|_| days);
            rotation.reschedule(self.id.as_str());
        }
        let event = events::of(job.kind, events::Stage::Succeeded, (&self.arn, &job.token), None);
        event.into_iter().collect()
    }

    /// Ends a test, well or badly: its version keeps its value and loses its label.
    pub(crate) fn tested(&mut self, job: &Job, problem: Option<(Problem, &str)>) -> Vec<Event> {
        if self.stages.holder(&Label::PENDING) == Some(&job.token) {
            let _ = self.stages.detach(&Label::PENDING);
        }
        let (problem, record) = problem.unzip();
        let stage = record.map_or(events::Stage::Succeeded, |_| events::Stage::Failed);
        if let Some(rotation) = &mut self.rotation {
            rotation.job = None;
            rotation.untested = problem;
        }
        events::of(job.kind, stage, (&self.arn, &job.token), record).into_iter().collect()
    }
}

/// Where in a window the secret `id` rotates: the same on each node and after each restart.
fn spread(id: &str, opens: Timestamp) -> u64 {
    service::spread(id.bytes().chain(opens.millis().to_be_bytes()))
}

/// After the last day of the calendar that clients are shown, nothing happens.
const NEVER: Timestamp = Timestamp::from_secs(253_402_300_799);
/// After so long it is told that a rotation is overdue.
const OVERDUE: Duration = Duration::from_hours(1);
