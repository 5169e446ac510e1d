//! How a job begins, comes further and is put off.

use super::events::{self, Stage};
use super::work::Work;
use super::{Job, Kind, Phase, Problem, Rotation};
use crate::Error;
use crate::secret::Secret;
use crate::stages::{Label, VersionId};
use aws_lc_rs::digest;
use base::{Sensitive, Timestamp, Uuid};
use service::Event;

impl Secret {
    /// Begins the job that is due, or makes the one that the schedule asks for.
    pub(super) fn begin(&mut self, work: Work<'_>, token: &Sensitive) -> (Option<Job>, Vec<Event>) {
        let id = self.id.as_str().to_owned();
        let mut told: Vec<_> = self.tell_overdue(work.now).into_iter().collect();
        let Some(rotation) = &mut self.rotation else { return (None, told) };
        if rotation.due().is_none_or(|it| work.now < it) {
            return (None, told);
        }
        if rotation.is_shut_out(work.now) {
            rotation.wait_for_window(work.now, &id);
            told.push(events::own("RotationWindowMissed", &self.arn, None));
            return (None, told);
        }
        // What somebody else left pending isn't taken up: it would be the next password.
        let job = rotation.job.take().unwrap_or_else(|| {
            let fresh = VersionId(Uuid::random(work.entropy).to_string());
            Job::new(Kind::Rotate, fresh, work.now)
        });
        let (attempt, proof) = (job.attempt.saturating_add(1), Some(hash(token)));
        let job = Job { attempt, proof, hurried: false, ..job };
        let first = job.attempt == 1 && job.problem.is_none();
        rotation.job = Some(job.clone());
        if first {
            told.extend(events::of(job.kind, Stage::Started, (&self.arn, &job.token), None));
        }
        match self.attach_pending(&job) {
            Ok(()) => (Some(job), told),
            Err(error) => {
                told.extend(self.give_up(&job, (CREATE, &error.to_string()), work.now));
                (None, told)
            }
        }
    }

    /// Puts AWSPENDING on the version of `job`, if there is room for a label.
    fn attach_pending(&mut self, job: &Job) -> Result<(), Error> {
        if job.kind != Kind::Rotate {
            return Ok(());
        }
        let before = self.stages.clone();
        self.stages.attach(Label::PENDING, &job.token);
        self.check_labels().inspect_err(|_| self.stages = before)
    }

    /// Puts `job` off to the next window: nobody but a client can help.
    fn give_up(&mut self, job: &Job, (step, text): (&str, &str), now: Timestamp) -> Option<Event> {
        let id = self.id.as_str().to_owned();
        let rotation = self.rotation.as_mut()?;
        let at = rotation.next_try(now, &id);
        let problem = Problem { at: now, step: step.into(), text: text.into(), operator: false };
        let job = Job { at, attempt: 0, proof: None, asked: false, ..job.clone() };
        rotation.job = Some(Job { problem: Some(problem), ..job.clone() });
        events::of(job.kind, Stage::Failed, (&self.arn, &job.token), Some(text))
    }

    /// Tells once that the window of the next rotation has been over for long.
    fn tell_overdue(&mut self, now: Timestamp) -> Option<Event> {
        let rotation = self.rotation.as_mut()?;
        rotation.overdue_at().filter(|it| *it <= now)?;
        rotation.told_overdue = rotation.next.map(|it| it.closes);
        let token = rotation.job.as_ref().map(|it| &it.token);
        Some(events::own("RotationOverdue", &self.arn, token))
    }

    /// The same of one that waits for its turn, without beginning it.
    pub(super) fn tell_waiting(&mut self, now: Timestamp) -> Vec<Event> {
        self.tell_overdue(now).into_iter().collect()
    }

    pub(super) fn reach(&mut self, phase: Phase) {
        if let Some(job) = self.rotation.as_mut().and_then(|it| it.job.as_mut()) {
            job.phase = phase.max(job.phase);
        }
    }

    pub(super) fn reconciled(&mut self, job: &Job) -> Vec<Event> {
        if let Some(rotation) = &mut self.rotation {
            rotation.job = None;
            rotation.pins.clear();
        }
        let told = (self.arn.as_str(), &job.token);
        events::of(job.kind, Stage::Succeeded, told, None).into_iter().collect()
    }
}

impl Rotation {
    /// Whether what is due has to wait for a window: of rules whose windows aren't made up for, unless somebody
    /// wants it now, or a database may have heard of it.
    fn is_shut_out(&self, now: Timestamp) -> bool {
        let keeps = |it: &Job| it.kind == Kind::Rotate && it.phase < Phase::Setting && !it.asked;
        let rules = self.rules.as_ref().filter(|it| !it.catches_up());
        self.job.as_ref().is_none_or(keeps) && rules.is_some_and(|it| !it.is_open_at(now))
    }

    /// Puts what is due off to the next window.
    fn wait_for_window(&mut self, now: Timestamp, id: &str) {
        self.skip(now, id);
        if let (Some(job), Some(next)) = (&mut self.job, self.next) {
            (job.at, job.attempt, job.proof) = (next.fires, 0, None);
        }
    }

    /// When a job that can't go on in this window is tried again. What was missed stays to be seen:
    /// `NextRotationDate` lies in the past then.
    pub(super) fn next_try(&mut self, now: Timestamp, id: &str) -> Timestamp {
        let kept = self.next.filter(|it| it.opens <= now);
        self.skip(now, id);
        let at = self.next.filter(|_| self.enabled).map_or(now.plus(IDLE), |it| it.fires);
        self.next = kept.or(self.next);
        at
    }
}

/// The SHA-256 of a rotation token, in hex.
pub(crate) fn hash(token: &Sensitive) -> String {
    let digest = digest::digest(&digest::SHA256, token.expose());
    digest.as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
        let digit = |it: u8| char::from_digit(it.into(), 16).unwrap_or_default();
        text.extend([digit(byte >> 4), digit(byte & 15)]);
        text
    })
}

const CREATE: &str = "createSecret";
/// Without a window, a failed job is tried again after this long.
const IDLE: std::time::Duration = std::time::Duration::from_hours(24);
