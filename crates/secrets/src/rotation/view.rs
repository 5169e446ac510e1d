//! A secret's rotation as those see it who look after this server.

use super::events::{self, Stage};
use super::work::Assignment;
use super::{Due, Job, Kind, Phase, Rotation};
use crate::secret::{Place, Secret, SecretId, secrets};
use crate::stages::{Label, VersionId};
use crate::{Error, lookup};
use base::{Sensitive, Timestamp, Uuid};
use service::Event;
use std::collections::BTreeMap;
use store::Txn;

/// A secret's rotation as those see it who look after this server.
#[derive(Clone, Debug)]
pub struct View {
    /// Where the secret lives.
    pub place: Place,
    /// Its internal id.
    pub id: SecretId,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// How it rotates; `None` if that was never asked for.
    pub rotation: Option<Rotation>,
    /// The versions that carry labels.
    pub versions: BTreeMap<String, Vec<String>>,
}

/// Why the engine isn't asked to repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declined {
    /// A rotation is under way.
    Busy,
    /// The secret is gone.
    Gone,
    /// It never rotated, so nothing says by which function.
    NoFunction,
}

/// The secret that `due` leads to.
///
/// # Errors
///
/// The store's.
pub async fn at(txn: &mut Txn<'_>, due: &Due) -> Result<Option<View>, store::Error> {
    let place = due.place();
    let secret = txn.find_shared(&secrets(), &(&place, &due.secret)).await?;
    Ok(secret.filter(|it| it.deletion.is_none()).map(|it| View::of(place, &it)))
}

/// The secret that somebody at `own` calls `given`: its name or ARN.
///
/// # Errors
///
/// The store's.
pub async fn named(
    txn: &mut Txn<'_>,
    own: &Place,
    given: &str,
) -> Result<Option<View>, store::Error> {
    let Some((place, name, complete)) = lookup::named(given, own) else { return Ok(None) };
    let found = lookup::by_name(txn, &place, name).await?;
    let found = found.filter(|it| complete.is_none_or(|arn| it.arn == arn));
    Ok(found.filter(|it| it.deletion.is_none()).map(|it| View::of(place, &it)))
}

/// Asks the engine to give the server of `view` the password of the current version, in `txn`. What was asked
/// before and has failed is tried again at once; a rotation that only an operator can help is given up for it.
/// Gives what the trail has to say of that.
///
/// # Errors
///
/// The store's.
pub async fn ask_to_reconcile(
    txn: &mut Txn<'_>,
    view: &View,
    (now, token): (Timestamp, Uuid),
) -> Result<Result<Vec<Event>, Declined>, Error> {
    let found = txn.find(&secrets(), &(&view.place, &view.id)).await?;
    let Some(before) = found.filter(|it| it.deletion.is_none()) else {
        return Ok(Err(Declined::Gone));
    };
    let mut secret = before.clone();
    let mut told = Vec::new();
    let Some(rotation) = secret.rotation.as_mut().filter(|it| it.function.is_some()) else {
        return Ok(Err(Declined::NoFunction));
    };
    let job = match rotation.job.take() {
        Some(job) if job.kind == Kind::Reconcile => {
            Job { at: now, attempt: 0, problem: None, ..job }
        }
        // Its password may be the server's: it is among those that are tried.
        Some(job) if job.is_stuck() => {
            let whose = (secret.arn.as_str(), &job.token);
            told.extend(events::of(job.kind, Stage::Abandoned, whose, None));
            // AWSPENDING never is AWSCURRENT: it goes.
            let _ = secret.stages.detach(&Label::PENDING);
            let (kind, phase, attempt) = (Kind::Reconcile, Phase::Setting, 0);
            Job { kind, phase, attempt, at: now, problem: None, ..job }
        }
        Some(_) => return Ok(Err(Declined::Busy)),
        None => {
            let job = Job::new(Kind::Reconcile, VersionId(token.to_string()), now);
            // The server's password may be any.
            Job { phase: Phase::Setting, ..job }
        }
    };
    rotation.job = Some(job);
    secret.save(txn, &view.place, &before)?;
    Ok(Ok(told))
}

impl View {
    fn of(place: Place, secret: &Secret) -> Self {
        let versions = secret.stages.by_version();
        let labels = |it: Vec<&crate::stages::Label>| {
            it.into_iter().map(|it| it.as_str().to_owned()).collect()
        };
        Self {
            place,
            id: secret.id.clone(),
            arn: secret.arn.clone(),
            name: secret.name.clone(),
            rotation: secret.rotation.clone(),
            versions: versions
                .into_iter()
                .map(|(id, it)| (id.as_str().to_owned(), labels(it)))
                .collect(),
        }
    }

    /// What reads the values of this secret. It begins nothing, and no act changes anything through it.
    pub fn inspection(&self) -> Assignment {
        let rotation = self.rotation.clone().unwrap_or_default();
        Assignment {
            place: self.place.clone(),
            id: self.id.clone(),
            arn: self.arn.clone(),
            name: self.name.clone(),
            function: rotation.function.unwrap_or_default(),
            // Too short for a version: it is no job's.
            job: Job::new(Kind::Test, VersionId("inspection".to_owned()), Timestamp::default()),
            rotation_token: Sensitive::from(String::new()),
            master: rotation.master,
            target: rotation.target,
            pins: rotation.pins,
        }
    }
}
