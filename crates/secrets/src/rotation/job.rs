//! A rotation that is under way.

use crate::stages::VersionId;
use base::Timestamp;
use serde::{Deserialize, Serialize};

/// A rotation that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The id of the version that it makes, the same over all attempts.
    pub token: VersionId,
    /// What it is for.
    pub kind: Kind,
    /// How far it has come.
    pub phase: Phase,
    /// How many times it was begun.
    pub attempt: u32,
    /// Not before this instant is anything done.
    pub at: Timestamp,
    /// When it was begun first, or asked for.
    pub started: Timestamp,
    /// The SHA-256 of the `RotationToken` of the attempt under way, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// Whether somebody has asked for it now: it keeps to no window then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asked: bool,
    /// Whether somebody has asked for it again during the attempt under way: another follows at once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hurried: bool,
    /// Why the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// What a job is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// To find out which password a database has, and give it that of the current version.
    Reconcile,
    /// To make a new version and have the database take it.
    Rotate,
    /// To see whether the function can do it: nothing is changed.
    Test,
}

/// How far a job has come. Each is stored before what comes next is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Phase {
    /// Its version has no value yet.
    Allocated,
    /// Its version has a value, and no database has heard of it.
    Created,
    /// A database may have heard of it.
    Setting,
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// When.
    pub at: Timestamp,
    /// In which step, `setSecret`.
    pub step: String,
    /// What happened. Holds no secret.
    pub text: String,
    /// Whether only somebody who looks into it can help.
    pub operator: bool,
}

/// When a failed job is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// At this instant.
    At(Timestamp),
    /// In the next window, and not before: somebody has to look into it.
    Operator,
    /// In the next window.
    Window,
}

impl Job {
    /// A job that begins at once.
    pub(crate) fn new(kind: Kind, token: VersionId, now: Timestamp) -> Self {
        Self {
            token,
            kind,
            phase: Phase::Allocated,
            attempt: 0,
            at: now,
            started: now,
            proof: None,
            asked: false,
            hurried: false,
            problem: None,
        }
    }

    /// Has it go on at once, or again as soon as the attempt under way has ended.
    pub(crate) fn hurry(&mut self, now: Timestamp) {
        self.at = self.at.min(now);
        self.asked = true;
        self.hurried = self.proof.is_some();
    }

    /// Whether only somebody who looks into it can help.
    pub(crate) fn is_stuck(&self) -> bool {
        self.proof.is_none() && self.problem.as_ref().is_some_and(|it| it.operator)
    }

    /// What is left of the job after a client has put another value.
    pub(crate) fn abandoned(&self, now: Timestamp) -> Option<Self> {
        let heard = self.phase >= Phase::Setting;
        let (kind, proof) = (Kind::Reconcile, None);
        heard.then(|| Self { kind, attempt: 0, at: now, proof, ..self.clone() })
    }
}
