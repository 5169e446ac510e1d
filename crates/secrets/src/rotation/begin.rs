//! How a job begins, comes further and is put off.

use super::events::{self, Stage};
use super::work::Work;
use super::{Job, Kind, Phase, Rotation};
use crate::Error;
use crate::secret::Secret;
use crate::stages::{Label, VersionId};
use aws_lc_rs::digest;
use base::{Sensitive, Timestamp, Uuid};
use service::Event;

impl Secret {
    /// Begins the job that is due, or makes the one that the schedule asks for.
    pub(super) fn begin(
        &mut self,
        work: Work<'_>,
        token: &Sensitive,
    ) -> Result<(Option<Job>, Vec<Event>), Error> {
        let id = self.id.as_str().to_owned();
        let Some(rotation) = &mut self.rotation else { return Ok((None, Vec::new())) };
        let job = match rotation.job.take() {
            Some(job) => job,
            None if rotation.has_missed(work.now) => {
                rotation.skip(work.now, &id);
                return Ok((None, Vec::new()));
            }
            // What somebody else left pending isn't taken up: it would be the next password.
            None => {
                let fresh = VersionId(Uuid::random(work.entropy).to_string());
                Job::new(Kind::Rotate, fresh, work.now)
            }
        };
        let (attempt, proof) = (job.attempt.saturating_add(1), Some(hash(token)));
        let job = Job { attempt, proof, ..job };
        let first = job.attempt == 1 && job.problem.is_none();
        rotation.job = Some(job.clone());
        if job.kind == Kind::Rotate {
            self.stages.attach(Label::PENDING, &job.token);
            self.check_labels()?;
        }
        let told = (self.arn.as_str(), &job.token);
        let event = first.then(|| events::of(job.kind, Stage::Started, told, None)).flatten();
        Ok((Some(job), event.into_iter().collect()))
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
    /// Whether the window has passed without a rotation, and isn't made up for.
    fn has_missed(&self, now: Timestamp) -> bool {
        let catches_up = self.rules.as_ref().is_none_or(schedule::Rules::catches_up);
        !catches_up && self.next.is_some_and(|it| it.closes <= now)
    }

    /// Goes on to the first window that opens after `now`.
    pub(super) fn skip(&mut self, now: Timestamp, id: &str) {
        let moved = self.moved;
        let anchor = self.anchor;
        self.anchor = now;
        self.reschedule(id);
        (self.anchor, self.moved) = (anchor, moved);
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
