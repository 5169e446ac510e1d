//! What the engine does to a secret: a transaction for each act, each with its records.
//!
//! An act that finds the job gone or another one in its place does nothing and says so: a client has written,
//! cancelled or deleted meanwhile.

use super::events::{self, Stage};
use super::{Again, Agreed, DUE, Due, Job, Kind, Phase, Problem, look};
use crate::secret::{Place, Secret, SecretId, secrets};
use crate::stages::{Label, VersionId};
use crate::value::{self, Given};
use crate::version::Kind as ValueKind;
use crate::{Error, lookup};
use base::{Entropy, Sensitive, Timestamp, Uuid};
use envelope::Keyring;
use service::{Action, Call, Errand, Event, Permit, Ports, Target};
use store::Txn;

/// What an act brings along.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// State and trail.
    pub ports: Ports<'a>,
    /// What seals and opens values.
    pub keyring: &'a Keyring,
    /// Where tokens come from.
    pub entropy: &'a dyn Entropy,
    /// The instant of the act.
    pub now: Timestamp,
}

/// A job that was begun: what the engine needs to go on.
#[derive(Debug)]
pub struct Assignment {
    /// Where the secret lives.
    pub place: Place,
    /// Its internal id.
    pub id: SecretId,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The function's ARN.
    pub function: String,
    /// What is to be done.
    pub job: Job,
    /// What a function shows when it writes from elsewhere; new for each attempt.
    pub rotation_token: Sensitive,
    /// The server that it spoke to last.
    pub target: Option<String>,
    /// The administrator's secret that may be used, and for whom.
    pub master: Option<Agreed>,
    /// Versions that a database may know.
    pub pins: Vec<VersionId>,
}

/// How an attempt has failed.
#[derive(Clone, Copy, Debug)]
pub struct Failed<'a> {
    /// In which step, `setSecret`.
    pub step: &'a str,
    /// What happened, for those who look after the server. Holds no secret.
    pub text: &'a str,
    /// What the trail says.
    pub record: &'a str,
    /// Whether the server had taken the new password, and has the one before again.
    pub rolled_back: bool,
}

/// The values that a password may be among.
#[derive(Debug, Default)]
pub struct Values {
    /// That of the job's version, if it has one.
    pub pending: Option<Sensitive>,
    /// That of `AWSCURRENT`.
    pub current: Option<Sensitive>,
    /// That of `AWSPREVIOUS`.
    pub previous: Option<Sensitive>,
    /// Those of further versions that a database may know, newest last.
    pub pinned: Vec<Sensitive>,
}

/// An act was not done: the job is gone.
#[derive(Debug)]
pub struct Gone;

/// How often an act is begun again after somebody was in the way.
const ATTEMPTS: usize = 64;
const SERVICE: &str = "secretsmanager.amazonaws.com";

/// Begins what `due` leads to. `None` if nothing is due there.
///
/// # Errors
///
/// The store's.
pub async fn begin(work: Work<'_>, due: &Due) -> Result<Option<Assignment>, Error> {
    let place = due.place();
    let errand = Errand::new(&place.account, &place.region, SERVICE);
    for _ in 0..ATTEMPTS {
        let mut txn = store::begin(work.ports.backend);
        let Some(before) = look::found(&mut txn, &place, due).await? else {
            // The row leads nowhere: it must go, or it would be found for ever.
            txn.remove(&DUE, due);
            txn.commit().await?;
            return Ok(None);
        };
        if due.at > work.now {
            return Ok(None);
        }
        let mut secret = before.clone();
        let token = Sensitive::from(Uuid::random(work.entropy).to_string());
        let (job, events) = secret.begin(work, &token);
        secret.save(&mut txn, &place, &before)?;
        let call = errand.call((work.now, Uuid::random(work.entropy)), work.tools());
        if Errand::commit(&call, txn, &events, work.ports).await? {
            return Ok(job.and_then(|it| Assignment::new(place, secret, it, token)));
        }
    }
    Err(busy())
}

/// Reads the values that a password may be among, of text versions only.
///
/// # Errors
///
/// A key can't be used, or the store's.
pub async fn values(work: Work<'_>, of: &Assignment) -> Result<Values, Error> {
    let errand = of.errand();
    let call = errand.call((work.now, Uuid::random(work.entropy)), work.tools());
    let mut txn = store::begin(work.ports.backend);
    let Some(secret) = txn.find(&secrets(), &(&of.place, &of.id)).await? else {
        return Ok(Values::default());
    };
    let permit = of.permit(&call)?;
    let holder = |label: &Label| secret.stages.holder(label).cloned();
    let (current, previous) = (holder(&Label::CURRENT), holder(&Label::PREVIOUS));
    let token = Some(of.job.token.clone());
    let known = [&current, &previous, &token];
    let pinned = of.pins.iter().filter(|it| !known.iter().any(|known| known.as_ref() == Some(it)));
    let mut read = async |id: Option<VersionId>| -> Result<Option<Sensitive>, Error> {
        let Some(id) = id else { return Ok(None) };
        let found = value::find(&mut txn, &of.place, &secret, &id).await?;
        let Some(version) = found.filter(|it| it.kind == ValueKind::String) else {
            return Ok(None);
        };
        value::open((&call, &mut txn, &permit), &of.place, &secret, &version).await.map(Some)
    };
    let mut values = Values {
        pending: read(token.clone()).await?,
        current: read(current.clone().filter(|it| *it != of.job.token)).await?,
        previous: read(previous.clone().filter(|it| *it != of.job.token)).await?,
        pinned: Vec::new(),
    };
    for id in pinned {
        values.pinned.extend(read(Some(id.clone())).await?);
    }
    // Reading changes nothing; what the key was used for is recorded.
    Errand::commit(&call, txn, &[], work.ports).await?;
    Ok(values)
}

/// The current value of the secret `arn` of the same account and Region: an administrator's.
///
/// # Errors
///
/// It is not the one that was agreed to, there is none, its key can't be used, or the store's.
pub async fn master(work: Work<'_>, of: &Assignment, arn: &str) -> Result<Sensitive, Error> {
    if of.master.as_ref().is_none_or(|it| it.arn != arn) {
        return Err(Error::Denied("nobody has agreed to the use of `masterarn`".to_owned()));
    }
    current_of(work, of, arn).await
}

/// The current value of the secret `arn` of the same account and Region, to hide it where it is printed.
///
/// # Errors
///
/// There is none, its key can't be used, or the store's.
pub async fn current_of(work: Work<'_>, of: &Assignment, arn: &str) -> Result<Sensitive, Error> {
    let errand = of.errand();
    let call = errand.call((work.now, Uuid::random(work.entropy)), work.tools());
    let record = |master: &str| events::read_for((master, &of.arn), &of.job.token);
    current_in((work, &call, &of.permit(&call)?), &of.place, arn, record).await
}

/// The current value of the secret `arn`, if that is in `own`, as `call` reads it, with the record `record`.
pub(crate) async fn current_in(
    (work, call, permit): (Work<'_>, &Call<'_>, &Permit),
    own: &Place,
    arn: &str,
    record: impl Fn(&str) -> Event,
) -> Result<Sensitive, Error> {
    let mut txn = store::begin(work.ports.backend);
    let (place, name, complete) = lookup::named(arn, own).ok_or(Error::NoSecret)?;
    if place != *own {
        return Err(Error::NoSecret);
    }
    let found = lookup::by_name(&mut txn, &place, name).await?;
    let found = found.filter(|it| complete.is_none_or(|arn| it.arn == arn));
    let secret = found.ok_or(Error::NoSecret)?;
    secret.require_live()?;
    let id = secret.version_of(&Label::CURRENT)?;
    let version = value::find(&mut txn, &place, &secret, id).await?;
    let version = version.ok_or(Error::NoValueForLabel(Label::CURRENT))?;
    let opened = value::open((call, &mut txn, permit), &place, &secret, &version).await?;
    // No value without a record that it was read.
    let read = record(&secret.arn);
    if Errand::commit(call, txn, &[read], work.ports).await? { Ok(opened) } else { Err(busy()) }
}

/// Makes `value` that of the job's version, before any database hears of it.
///
/// # Errors
///
/// A key can't be used, or the store's.
pub async fn create(
    work: Work<'_>,
    of: &Assignment,
    value: &Sensitive,
) -> Result<Result<(), Gone>, Error> {
    let errand = of.errand();
    for _ in 0..ATTEMPTS {
        let call = errand.call((work.now, Uuid::random(work.entropy)), work.tools());
        let mut txn = store::begin(work.ports.backend);
        let Some(before) = of.load(&mut txn).await? else { return Ok(Err(Gone)) };
        if value::find(&mut txn, &of.place, &before, &of.job.token).await?.is_some() {
            // Somebody has filled it, with what counts from now on.
            return Ok(Ok(()));
        }
        let mut secret = before.clone();
        let permit = of.permit(&call)?;
        let given = Given { kind: ValueKind::String, value };
        let token = &of.job.token;
        let acting = (&call, &mut txn, &permit);
        value::add_version(acting, &of.place, &mut secret, token, given).await?;
        secret.reach(Phase::Created);
        secret.touch(work.now);
        secret.save(&mut txn, &of.place, &before)?;
        if Errand::commit(&call, txn, &[], work.ports).await? {
            return Ok(Ok(()));
        }
    }
    Err(busy())
}

/// Notes that a database is about to hear of the job's version, at the server `target`.
///
/// # Errors
///
/// The store's.
pub async fn set_out(
    work: Work<'_>,
    of: &Assignment,
    target: &str,
) -> Result<Result<(), Gone>, Error> {
    change(work, of, |secret, _| {
        secret.reach(Phase::Setting);
        let versions = [Label::CURRENT, Label::PREVIOUS];
        let versions = versions.iter().filter_map(|it| secret.stages.holder(it).cloned());
        let pins: Vec<_> = versions.chain([of.job.token.clone()]).collect();
        if let Some(rotation) = &mut secret.rotation {
            for pin in pins {
                if !rotation.pins.contains(&pin) {
                    rotation.pins.push(pin);
                }
            }
            rotation.target = Some(target.to_owned());
        }
        Vec::new()
    })
    .await
}

/// Ends the job well: its version is current, what comes next is scheduled. `discards`: the password before the
/// last one doesn't log in any more.
///
/// # Errors
///
/// The store's.
pub async fn finish(
    work: Work<'_>,
    of: &Assignment,
    discards: bool,
) -> Result<Result<(), Gone>, Error> {
    change(work, of, |secret, job| {
        let mut told = match job.kind {
            Kind::Rotate => secret.rotated(job, work.now),
            Kind::Test => secret.tested(job, None),
            Kind::Reconcile => secret.reconciled(job),
        };
        let name = "RotationOldPasswordDiscarded";
        told.extend(discards.then(|| events::own(name, &secret.arn, Some(&job.token))));
        told
    })
    .await
}

/// Tells that what waits for its turn is overdue, if that wasn't told.
///
/// # Errors
///
/// The store's.
pub async fn tell_overdue(work: Work<'_>, due: &Due) -> Result<(), Error> {
    let place = due.place();
    let errand = Errand::new(&place.account, &place.region, SERVICE);
    let mut txn = store::begin(work.ports.backend);
    let found = txn.find(&secrets(), &(&place, &due.secret)).await?;
    let Some(before) = found.filter(|it| it.deletion.is_none()) else { return Ok(()) };
    let mut secret = before.clone();
    let told = secret.tell_waiting(work.now);
    if told.is_empty() {
        return Ok(());
    }
    secret.save(&mut txn, &place, &before)?;
    let call = errand.call((work.now, Uuid::random(work.entropy)), work.tools());
    // Whoever was in the way has begun it, and tells it then.
    Errand::commit(&call, txn, &told, work.ports).await?;
    Ok(())
}

/// Whether the job is still what it was: nobody has cancelled it or put another value.
///
/// # Errors
///
/// The store's.
pub async fn holds(work: Work<'_>, of: &Assignment) -> Result<Result<(), Gone>, Error> {
    let mut txn = store::begin(work.ports.backend);
    Ok(of.load(&mut txn).await?.map(drop).ok_or(Gone))
}

/// Whether `AWSCURRENT` is on the job's version: what a function's last step has to bring about.
///
/// # Errors
///
/// The store's.
pub async fn is_current(work: Work<'_>, of: &Assignment) -> Result<bool, Error> {
    let mut txn = store::begin(work.ports.backend);
    let secret = txn.find(&secrets(), &(&of.place, &of.id)).await?;
    Ok(secret.is_some_and(|it| it.stages.holder(&Label::CURRENT) == Some(&of.job.token)))
}

/// Notes that the attempt has failed, and when there is another.
///
/// # Errors
///
/// The store's.
pub async fn fail(
    work: Work<'_>,
    of: &Assignment,
    failed: Failed<'_>,
    again: Again,
) -> Result<Result<(), Gone>, Error> {
    let Failed { step, text, record, rolled_back } = failed;
    change(work, of, |secret, job| {
        let operator = again == Again::Operator && job.kind != Kind::Test;
        let (step, text) = (step.to_owned(), text.to_owned());
        let problem = Problem { at: work.now, step, text, operator };
        if job.kind == Kind::Test {
            return secret.tested(job, Some((problem, record)));
        }
        let id = secret.id.as_str().to_owned();
        if let Some(rotation) = &mut secret.rotation {
            let (at, attempt, asked) = match again {
                // Somebody has asked for it meanwhile: he may have mended what was wrong.
                _ if job.hurried => (work.now.plus(AT_ONCE), 0, true),
                Again::At(at) => (at, job.attempt, job.asked),
                // A new window gives so many attempts again.
                Again::Operator | Again::Window => (rotation.next_try(work.now, &id), 0, false),
            };
            let job = Job { at, attempt, asked, hurried: false, proof: None, ..job.clone() };
            rotation.job = Some(Job { problem: Some(problem), ..job });
        }
        let (arn, token) = (secret.arn.as_str(), &job.token);
        let own = |name| events::own(name, arn, Some(token));
        let told = events::of(job.kind, Stage::Failed, (arn, token), Some(record)).into_iter();
        told.chain(rolled_back.then(|| own("RotationRolledBack")))
            .chain(operator.then(|| own("RotationNeedsOperator")))
            .collect()
    })
    .await
}

/// What somebody wants again follows after this long.
const AT_ONCE: std::time::Duration = std::time::Duration::from_secs(1);

async fn change(
    work: Work<'_>,
    of: &Assignment,
    how: impl Fn(&mut Secret, &Job) -> Vec<Event>,
) -> Result<Result<(), Gone>, Error> {
    let errand = of.errand();
    for _ in 0..ATTEMPTS {
        let mut txn = store::begin(work.ports.backend);
        let Some(before) = of.load(&mut txn).await? else { return Ok(Err(Gone)) };
        let mut secret = before.clone();
        let Some(job) = before.rotation.as_ref().and_then(|it| it.job.as_ref()) else {
            return Ok(Err(Gone));
        };
        let events = how(&mut secret, job);
        secret.save(&mut txn, &of.place, &before)?;
        let call = errand.call((work.now, Uuid::random(work.entropy)), work.tools());
        if Errand::commit(&call, txn, &events, work.ports).await? {
            return Ok(Ok(()));
        }
    }
    Err(busy())
}

fn busy() -> Error {
    Error::Store(store::Error::Unavailable("others keep changing the secret".into()))
}

impl<'a> Work<'a> {
    pub(crate) fn tools(&self) -> (&'a dyn Entropy, &'a Keyring) {
        (self.entropy, self.keyring)
    }
}

impl Assignment {
    fn new(place: Place, secret: Secret, job: Job, rotation_token: Sensitive) -> Option<Self> {
        let rotation = secret.rotation?;
        Some(Self {
            place,
            id: secret.id,
            arn: secret.arn,
            name: secret.name,
            function: rotation.function?,
            job,
            rotation_token,
            target: rotation.target,
            master: rotation.master,
            pins: rotation.pins,
        })
    }

    fn errand(&self) -> Errand {
        Errand::new(&self.place.account, &self.place.region, SERVICE)
    }

    /// The owner has told that this secret rotates; the key is asked besides, each time.
    fn permit(&self, call: &Call<'_>) -> Result<Permit, Error> {
        let target = Target::of(&self.place.account, Some(&self.arn));
        Ok(call.authorize(Action("secretsmanager:RotateSecret"), target)?)
    }

    /// The secret, if the job is still what it was.
    async fn load(&self, txn: &mut Txn<'_>) -> Result<Option<Secret>, Error> {
        let found = txn.find(&secrets(), &(&self.place, &self.id)).await?;
        Ok(found.filter(|it| {
            let job = it.rotation.as_ref().and_then(|it| it.job.as_ref());
            let own = &self.job;
            let same =
                |it: &Job| it.token == own.token && it.kind == own.kind && it.proof == own.proof;
            it.deletion.is_none() && job.is_some_and(same)
        }))
    }
}
