//! What the worker does to leases: a transaction for each act, each with its records.
//!
//! An act that finds its lease gone, or in another state, does nothing and says so: somebody has ended it meanwhile.

use super::events::{self, Stage};
use super::rows::{leases, leases_of, sealed};
use super::{DUE, Due, End, Lease, State, Template};
use crate::operations::get_secret_value;
use crate::rotation::Problem;
use crate::rotation::work::{Gone, Work, current_in};
use crate::secret::{Place, Secret, secrets};
use crate::value::{self, Given};
use crate::version::Kind;
use crate::{Error, operations::SOURCE};
use base::{Sensitive, Timestamp, Uuid};
use service::{Call, Errand, Event, Permit, Target, principals};
use std::ops::Bound;
use store::Txn;

/// Something to be done at a server.
#[derive(Clone, Debug)]
pub struct Task {
    /// Where the secret lives.
    pub place: Place,
    /// The lease, as it was when this was begun.
    pub lease: Lease,
}

/// How often an act is begun again after somebody was in the way.
const ATTEMPTS: usize = 64;
/// Leases looked at in one transaction.
const PORTION: usize = 100;

/// Begins what `due` leads to. `None` if there is nothing to do at a server.
///
/// # Errors
///
/// The store's.
pub async fn begin(work: Work<'_>, due: &Due) -> Result<Option<Task>, Error> {
    let place = due.place();
    let Some(id) = &due.lease else {
        return sweep(work, &place, due).await.map(|()| None);
    };
    for _ in 0..ATTEMPTS {
        let mut txn = store::begin(work.ports.backend);
        let before = match txn.find(&leases(), &(&place, &due.secret, id)).await? {
            Some(before) if before.at == due.at => before,
            found => {
                // The row leads nowhere: it must go, or it would be found for ever. The lease has one of its own, unless
                // that was put off while the lease couldn't be read.
                txn.remove(&DUE, due);
                if let Some(own) = found.map(|it| it.due(&place)) {
                    txn.save(&DUE, &own, &own)?;
                }
                txn.commit().await?;
                return Ok(None);
            }
        };
        if due.at > work.now {
            return Ok(None);
        }
        let mut lease = before.clone();
        let end = lease.must_end((work, &mut txn), &place).await?;
        match (lease.state, end) {
            (State::Ending, _) | (State::Wanted | State::Making, None) => {
                return Ok(Some(Task { place, lease }));
            }
            (State::Wanted, Some(_)) => before.remove(&mut txn, &place).await?,
            (State::Making | State::Active, Some(end)) => {
                lease.ends(end, work.now);
                lease.save(&mut txn, &place, &before)?;
            }
            (State::Active, None) => {
                lease.at = lease.next_look(work.now);
                lease.save(&mut txn, &place, &before)?;
            }
        }
        if commit(work, &place, txn, &[]).await? {
            let to_remove = lease.state == State::Ending;
            return Ok(to_remove.then_some(Task { place, lease }));
        }
    }
    Err(busy())
}

impl Lease {
    /// Why it can't stay, if it can't.
    async fn must_end(
        &self,
        (work, txn): (Work<'_>, &mut Txn<'_>),
        place: &Place,
    ) -> Result<Option<End>, store::Error> {
        // First what needs nothing but the lease: it ends whatever can't be read.
        let over = match self.state {
            State::Ending => return Ok(self.end),
            State::Active if self.expires <= work.now => Some(End::Expired),
            State::Wanted | State::Making if self.gives_up() <= work.now => Some(End::Abandoned),
            _ => None,
        };
        if over.is_some() {
            return Ok(over);
        }
        let secret = txn.find(&secrets(), &(place, &self.secret)).await?;
        if let Some(end) = secret.map_or(Some(End::SecretGone), |it| it.ends(&self.version)) {
            return Ok(Some(end));
        }
        let gone = self.holder.is_kept() && !principals::has_id(txn, &self.holder.id).await?;
        Ok(gone.then_some(End::HolderDeleted))
    }
}

/// Ends the leases of a secret that may not stay, portion by portion.
async fn sweep(work: Work<'_>, place: &Place, due: &Due) -> Result<(), Error> {
    let mut after: Option<String> = None;
    let mut under = None;
    for _ in 0..ATTEMPTS {
        let mut txn = store::begin(work.ports.backend);
        let secret = txn.find(&secrets(), &(place, &due.secret)).await?;
        let template = secret.as_ref().and_then(Secret::template).cloned();
        if under.as_ref().is_some_and(|it| *it != template) {
            // It has changed again: those that were looked at may not stay either.
            after = None;
        }
        under = Some(template);
        let mut range = leases_of(place, &due.secret);
        if let Some(after) = &after {
            range.from = Bound::Excluded(after.clone());
        }
        let found = txn.page::<Lease>(range, PORTION, false).await?;
        for (_, before) in &found.rows {
            let end = secret.as_ref().map_or(Some(End::SecretGone), |it| it.ends(&before.version));
            if let (Some(end), true) = (end, before.state != State::Ending) {
                let mut lease = before.clone();
                lease.ends(end, work.now);
                lease.save(&mut txn, place, before)?;
            }
        }
        if !found.more {
            txn.remove(&DUE, due);
        }
        if commit(work, place, txn, &[]).await? {
            if !found.more {
                return Ok(());
            }
            after = found.rows.last().map(|(key, _)| key.clone());
        }
    }
    Err(busy())
}

/// The template that `of` is made by.
///
/// # Errors
///
/// A key can't be used, or the store's.
pub async fn template(work: Work<'_>, of: &Task) -> Result<Result<Template, Gone>, Error> {
    let errand = of.errand();
    let call = errand.call((work.now, Uuid::random(work.entropy)), work.tools());
    let mut txn = store::begin(work.ports.backend);
    let Some(secret) = of.secret(&mut txn).await? else { return Ok(Err(Gone)) };
    let permit = of.permit(&call)?;
    let version = value::find(&mut txn, &of.place, &secret, &of.lease.version).await?;
    let Some(version) = version else { return Ok(Err(Gone)) };
    let acting = (&call, &mut txn, &permit);
    let text = value::open(acting, &of.place, &secret, &version).await?;
    Errand::commit(&call, txn, &[], work.ports).await?;
    Template::parse(&text).map(Ok)
}

/// Keeps the name and the password of the user that is about to be made, and where that is by the lease of `of`, before
/// any server hears of them.
///
/// # Errors
///
/// A key can't be used, or the store's.
pub async fn create(
    work: Work<'_>,
    of: &mut Task,
    username: &str,
    password: &Sensitive,
) -> Result<Result<(), Gone>, Error> {
    let errand = of.errand();
    for _ in 0..ATTEMPTS {
        let call = errand.call((work.now, Uuid::random(work.entropy)), work.tools());
        let mut txn = store::begin(work.ports.backend);
        let before = of.load(&mut txn).await?.filter(|it| it.state == State::Wanted);
        let (Some(before), Some(secret)) = (before, of.secret(&mut txn).await?) else {
            return Ok(Err(Gone));
        };
        let permit = of.permit(&call)?;
        let given = Given { kind: Kind::String, value: password };
        let acting = (&call, &mut txn, &permit);
        let version = value::seal(acting, &of.place, &secret, &before.id, given).await?;
        txn.save(&sealed(), &(&of.place, &before.secret, &before.id), &version)?;
        let mut lease = before.clone();
        lease.state = State::Making;
        lease.expires = work.now.plus(lease.ttl);
        username.clone_into(&mut lease.username);
        lease.server.clone_from(&of.lease.server);
        lease.save(&mut txn, &of.place, &before)?;
        if Errand::commit(&call, txn, &[], work.ports).await? {
            of.lease = lease;
            return Ok(Ok(()));
        }
    }
    Err(busy())
}

/// The password of `of`; `None` if its secret is gone.
///
/// # Errors
///
/// A key can't be used, or the store's.
pub async fn password(work: Work<'_>, of: &Task) -> Result<Option<Sensitive>, Error> {
    let errand = of.errand();
    let call = errand.call((work.now, Uuid::random(work.entropy)), work.tools());
    let mut txn = store::begin(work.ports.backend);
    let secret = txn.find(&secrets(), &(&of.place, &of.lease.secret)).await?;
    let key = (&of.place, &of.lease.secret, &of.lease.id);
    let version = txn.find_shared(&sealed(), &key).await?;
    let (Some(secret), Some(version)) = (secret, version) else { return Ok(None) };
    let permit = of.permit(&call)?;
    let acting = (&call, &mut txn, &permit);
    let opened = value::open(acting, &of.place, &secret, &version).await?;
    Errand::commit(&call, txn, &[], work.ports).await?;
    Ok(Some(opened))
}

/// The current value of the administrator's secret that the template named when it was agreed to.
///
/// # Errors
///
/// There is none, its key can't be used, or the store's.
pub async fn master(work: Work<'_>, of: &Task) -> Result<Sensitive, Error> {
    let record = |arn: &str| events::read_for(arn, &of.lease);
    let errand = of.errand();
    let call = errand.call((work.now, Uuid::random(work.entropy)), work.tools());
    current_in((work, &call, &of.permit(&call)?), &of.place, &of.lease.server.master, record).await
}

/// Notes that the user of `of` logs in.
///
/// # Errors
///
/// The store's.
pub async fn activate(work: Work<'_>, of: &Task) -> Result<Result<(), Gone>, Error> {
    change(work, of, State::Making, |lease| {
        (lease.state, lease.failures, lease.problem) = (State::Active, 0, None);
        lease.at = lease.next_look(work.now);
        Some(events::of(lease, Stage::Created))
    })
    .await
}

/// Notes that an attempt has failed, and when there is another.
///
/// # Errors
///
/// The store's.
pub async fn fail(
    work: Work<'_>,
    of: &Task,
    (step, text): (&str, &str),
    again: Timestamp,
) -> Result<Result<(), Gone>, Error> {
    change(work, of, of.lease.state, |lease| {
        let first = lease.failures == 0;
        lease.failures = lease.failures.saturating_add(1);
        let (step, text) = (step.to_owned(), text.to_owned());
        lease.problem = Some(Problem { at: work.now, step, text, operator: false });
        lease.at = if lease.end.is_some() { again } else { again.min(lease.gives_up()) };
        first.then(|| events::of(lease, Stage::Failed))
    })
    .await
}

/// Notes that the server has the user no more: the lease goes.
///
/// # Errors
///
/// The store's.
pub async fn removed(work: Work<'_>, of: &Task) -> Result<Result<(), Gone>, Error> {
    for _ in 0..ATTEMPTS {
        let mut txn = store::begin(work.ports.backend);
        let found = of.load(&mut txn).await?.filter(|it| it.state == State::Ending);
        let Some(lease) = found else { return Ok(Err(Gone)) };
        lease.remove(&mut txn, &of.place).await?;
        let event = (!lease.username.is_empty()).then(|| events::of(&lease, Stage::Gone));
        if commit(work, &of.place, txn, event.as_slice()).await? {
            return Ok(Ok(()));
        }
    }
    Err(busy())
}

/// Has the lease end at `until`: its server knows by now.
///
/// # Errors
///
/// The store's.
pub async fn renew(work: Work<'_>, of: &Task, until: Timestamp) -> Result<Result<(), Gone>, Error> {
    change(work, of, State::Active, |lease| {
        lease.expires = until;
        lease.at = lease.next_look(work.now);
        Some(events::of(lease, Stage::Renewed))
    })
    .await
}

async fn change(
    work: Work<'_>,
    of: &Task,
    state: State,
    how: impl Fn(&mut Lease) -> Option<Event>,
) -> Result<Result<(), Gone>, Error> {
    for _ in 0..ATTEMPTS {
        let mut txn = store::begin(work.ports.backend);
        let found = of.load(&mut txn).await?.filter(|it| it.state == state);
        let Some(before) = found else { return Ok(Err(Gone)) };
        let mut lease = before.clone();
        let event = how(&mut lease);
        lease.save(&mut txn, &of.place, &before)?;
        if commit(work, &of.place, txn, event.as_slice()).await? {
            return Ok(Ok(()));
        }
    }
    Err(busy())
}

async fn commit(
    work: Work<'_>,
    place: &Place,
    txn: Txn<'_>,
    events: &[Event],
) -> Result<bool, store::Error> {
    let errand = Errand::new(&place.account, &place.region, SOURCE);
    let call = errand.call((work.now, Uuid::random(work.entropy)), work.tools());
    Errand::commit(&call, txn, events, work.ports).await
}

fn busy() -> Error {
    Error::Store(store::Error::Unavailable("others keep changing the lease".into()))
}

impl Task {
    fn errand(&self) -> Errand {
        Errand::new(&self.place.account, &self.place.region, SOURCE)
    }

    /// The owner has put the template; the key is asked besides, each time.
    fn permit(&self, call: &Call<'_>) -> Result<Permit, Error> {
        let target = Target::of(&self.place.account, Some(&self.lease.arn));
        Ok(call.authorize(get_secret_value::ACTION, target)?)
    }

    async fn load(&self, txn: &mut Txn<'_>) -> Result<Option<Lease>, store::Error> {
        txn.find(&leases(), &(&self.place, &self.lease.secret, &self.lease.id)).await
    }

    /// The secret, while the lease's template is the one that counts.
    async fn secret(&self, txn: &mut Txn<'_>) -> Result<Option<Secret>, store::Error> {
        let found = txn.find(&secrets(), &(&self.place, &self.lease.secret)).await?;
        let counts = |it: &Secret| it.template() == Some(&self.lease.version);
        Ok(found.filter(counts))
    }
}
