//! What a client says of a rotation: its members on the wire, and what they do to a secret.

use super::{Agreed, Job, Kind, Phase, Rotation};
use crate::secret::Secret;
use crate::stages::{Label, VersionId};
use crate::{Error, limits};
use schedule::Rules;
use serde::{Deserialize, Serialize};
use service::Call;
use wire::Violations;
use wire::members::{Integer, Text};

/// `RotationRules` as they are given.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub(crate) struct RulesGiven {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    automatically_after_days: Option<Integer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    duration: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schedule_expression: Option<Text>,
}

/// One of `ExternalSecretRotationMetadata`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "PascalCase", serialize = "camelCase"))]
pub(crate) struct MetadataGiven {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<Text>,
}

impl RulesGiven {
    /// The model's constraints.
    pub(crate) fn constraints(&self, found: &mut Violations) {
        let (days, hours) = (self.automatically_after_days, self.duration.as_ref());
        found.range("rotationRules.automaticallyAfterDays", days, limits::ROTATION_DAYS);
        found.length("rotationRules.duration", hours, limits::ROTATION_HOURS);
        let is_hours = |it: &str| it.strip_suffix('h').is_some_and(is_number);
        found.pattern("rotationRules.duration", hours, "[0-9h]+", is_hours);
        let (path, text) = ("rotationRules.scheduleExpression", self.schedule_expression.as_ref());
        found.length(path, text, limits::SCHEDULE);
        found.pattern(path, text, r"[0-9A-Za-z\(\)#\?\*\-\/, ]+", is_expression);
    }

    /// Whether there are two schedules.
    pub(crate) fn has_both(&self) -> bool {
        self.automatically_after_days.is_some() && self.schedule_expression.is_some()
    }

    /// The rules; `None` without any: then it rotates when it is told to.
    pub(crate) fn read(&self) -> Result<Option<Rules>, Error> {
        let days = self.automatically_after_days.and_then(|it| u16::try_from(it.get()).ok());
        let (expression, hours) = (self.schedule_expression.as_ref(), self.duration.as_ref());
        let rules = Rules::new(days, expression.map(Text::as_str), hours.map(Text::as_str));
        match rules {
            Ok(rules) => Ok(Some(rules)),
            Err(schedule::Invalid::Missing) if hours.is_none() => Ok(None),
            Err(invalid) => Err(Error::Schedule(invalid)),
        }
    }
}

impl Secret {
    /// Whether a rotation may begin: `None`, or the version of the one under way if it is the same one.
    pub(crate) fn check_idle(&self, token: &VersionId) -> Result<Option<VersionId>, Error> {
        let current = self.stages.holder(&Label::CURRENT);
        match self.stages.holder(&Label::PENDING) {
            Some(pending) if pending == token => Ok(Some(pending.clone())),
            Some(pending) if Some(pending) != current => {
                Err(Error::RotationBusy(Some(pending.clone())))
            }
            // A server may know what it has made: nothing else is begun before that is found out.
            _ => match self.unfinished() {
                Some(version) => Err(Error::RotationBusy(Some(version))),
                None => Ok(None),
            },
        }
    }

    /// The version that a server may know from a rotation under way.
    fn unfinished(&self) -> Option<VersionId> {
        let job = self.rotation.as_ref()?.job.as_ref()?;
        let heard = job.kind != Kind::Test && job.phase >= Phase::Setting;
        heard.then(|| job.token.clone())
    }

    /// Has what is under way go on at once, or the rotation to `version` begin again of which only the label is
    /// left. What a database may have heard of is brought to an end though rotation was cancelled.
    pub(crate) fn retry_now(
        &mut self,
        (version, master): (&VersionId, Option<&Agreed>),
        call: &Call<'_>,
    ) {
        let Some(rotation) = self.rotation.as_mut() else { return };
        match &mut rotation.job {
            Some(job) => job.hurry(call.now),
            None if rotation.enabled => {
                let job = Job::new(Kind::Rotate, version.clone(), call.now);
                rotation.job = Some(Job { asked: true, ..job });
            }
            None => return,
        }
        rotation.master = master.cloned().or(rotation.master.take());
    }

    pub(crate) fn follow(
        &mut self,
        (function, master): (String, Option<Agreed>),
        rules: Option<Rules>,
        call: &Call<'_>,
    ) {
        let id = self.id.as_str().to_owned();
        let rotation = self.rotation.get_or_insert_with(Rotation::default);
        let rules = rules.or_else(|| rotation.rules.clone());
        if rotation.moved.is_none() {
            rotation.moved = rotation.rotated;
        }
        if let Some(rules) = rules {
            rotation.follow(rules, call.now, &id);
        }
        rotation.enabled = true;
        rotation.function = Some(function);
        rotation.master = master;
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit())
}

fn is_expression(text: &str) -> bool {
    let more = b"()#?*-/, ";
    text.bytes().all(|it| it.is_ascii_alphanumeric() || more.contains(&it))
}
