//! What falls due without a request: deletions whose window has ended, versions nobody names.
//!
//! Work is found by the table of due rows, a prefix ordered by instant: never by looking at all
//! secrets. Each transaction carries its audit records, so a step may be killed anywhere.

use crate::due::{self, DUE, Due};
use crate::secret::{Place, Secret, secrets};
use crate::version::{Head, values, versions_of};
use crate::{Error, quota, retention};
use base::{Entropy, Timestamp, Uuid};
use service::audit::{self, OUTBOX};
use service::{Event, Ports};
use std::ops::Bound;
use std::time::Duration;
use store::{KeyRange, Txn};

/// Versions removed, or damaged rows set aside, in one transaction: bounds its size and the time
/// others wait for it.
pub(crate) const PORTION: usize = 100;

/// How long a secret is left alone whose rows can't be read.
const LATER: Duration = Duration::from_hours(1);

/// What a step brings along.
#[derive(Clone, Copy)]
pub(crate) struct Work<'a> {
    pub(crate) ports: Ports<'a>,
    pub(crate) entropy: &'a dyn Entropy,
    pub(crate) now: Timestamp,
}

/// Does one piece of what is due at `now`. Tells when the next is due, if anything is.
///
/// # Errors
///
/// What was to be done was not done, and is found again by the next step; by one of the next hour if
/// rows are damaged, so that one secret's damage stops no other's removal. Damaged rows of the table
/// of what is due are told, too, after they were set aside.
pub async fn step(
    ports: Ports<'_>,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let work = Work { ports, entropy, now };
    let mut txn = store::begin(ports.backend);
    let due = match first_due(&mut txn, KeyRange::prefix(due::PREFIX)).await {
        Ok(Some(due)) => due,
        Ok(None) => return Ok(None),
        Err(damage @ store::Error::Corrupt { .. }) => {
            work.mend().await?;
            return Err(damage.into());
        }
        Err(error) => return Err(error.into()),
    };
    if due.at > now {
        return Ok(Some(due.at));
    }
    let outcome = work.perform(txn, &due).await;
    if let Err(Error::Store(store::Error::Corrupt { .. })) = outcome {
        work.postpone(due).await?;
    }
    outcome.map(|()| Some(now))
}

async fn first_due(txn: &mut Txn<'_>, range: KeyRange) -> Result<Option<Due>, store::Error> {
    let page = txn.page::<Due>(range, 1, false).await?;
    Ok(page.rows.into_iter().next().map(|(_, due)| due))
}

impl Work<'_> {
    async fn perform(&self, mut txn: Txn<'_>, due: &Due) -> Result<(), Error> {
        let place = Place { account: due.account.clone(), region: due.region.clone() };
        match txn.find(&secrets(), &(&place, &due.secret)).await? {
            Some(secret) if secret.deletion.is_some_and(|it| it.due <= self.now) => {
                let doomed = secret.clone();
                let events = purge(&mut txn, &place, &secret, doomed, self.now).await?;
                self.commit(txn, &place, &events).await.map(drop)
            }
            Some(secret) if secret.trim.is_some_and(|it| it <= self.now) => {
                retention::trim(self, &place, &secret).await
            }
            // Nothing is left to do: the row must go all the same, or it would be found for ever.
            _ => {
                txn.remove(&DUE, due);
                self.commit(txn, &place, &[]).await.map(drop)
            }
        }
    }

    /// Commits with the records of `events`; `false` if somebody changed what `txn` has read.
    pub(crate) async fn commit(
        &self,
        mut txn: Txn<'_>,
        place: &Place,
        events: &[Event],
    ) -> Result<bool, Error> {
        let records: Option<Vec<_>> = events.iter().map(|it| self.record(place, it)).collect();
        let records = records.ok_or_else(|| store::Error::Unavailable("no audit record".into()))?;
        records.iter().try_for_each(|it| txn.save(&OUTBOX, it, it))?;
        match txn.commit().await {
            Ok(()) => {
                // The outbox holds the records: the journal gets them now or when it can again.
                let _later = self.ports.trail.append_committed(&records).await;
                Ok(true)
            }
            Err(store::Error::Conflict { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn record(&self, place: &Place, event: &Event) -> Option<audit::Encoded> {
        let Event::Service { name, details, request_id } = event else { return None };
        let id = Uuid::random(self.entropy);
        let told = (*name, details, request_id.as_str());
        audit::of_service((&place.account, &place.region), self.now, id, told)
    }

    /// Lets others go first. The row that is left then leads to the secret, or to nothing, and goes.
    async fn postpone(&self, due: Due) -> Result<(), Error> {
        let mut txn = store::begin(self.ports.backend);
        txn.remove(&DUE, &due);
        let later = Due { at: self.now.plus(LATER), ..due };
        txn.save(&DUE, &later, &later)?;
        Ok(txn.commit().await?)
    }

    /// Sets the damaged rows aside that stand before the first whole one. Those whose keys still tell what
    /// they said are written anew: the secret they lead to says what is to be done.
    async fn mend(&self) -> Result<(), Error> {
        let mut txn = store::begin(self.ports.backend);
        let mut range = KeyRange::prefix(due::PREFIX);
        for _ in 0..PORTION {
            let found = first_due(&mut txn, range.clone()).await;
            let Err(store::Error::Corrupt { key, .. }) = found else { break };
            txn.set_aside(&key).await?;
            if let Some(due) = Due::of_key(&key) {
                txn.save(&DUE, &due, &due)?;
            }
            range.from = Bound::Excluded(key);
        }
        Ok(txn.commit().await?)
    }
}

/// Removes a portion of the versions of `secret`, and with the last of them the secret itself.
///
/// `doomed` is what is kept of it until then. Gives the audit events.
pub(crate) async fn purge(
    txn: &mut Txn<'_>,
    place: &Place,
    secret: &Secret,
    mut doomed: Secret,
    now: Timestamp,
) -> Result<Vec<Event>, Error> {
    let page = txn.page::<Head>(versions_of(place, &secret.id), PORTION, false).await?;
    let requested = doomed.deletion.map_or(now, |it| it.requested);
    let forced = doomed.deletion.is_some_and(|it| it.due == it.requested);
    let mut events = Vec::with_capacity(2 * page.rows.len());
    for (_, version) in &page.rows {
        txn.remove(&values(), &(place, &secret.id, &version.id));
        doomed.versions = doomed.versions.saturating_sub(1);
        events.extend(removal(secret, requested, if forced { "Forced" } else { "Scheduled" }));
    }
    if page.rows.is_empty() {
        // A secret without a value goes with a trace of its own.
        events.extend(removal(secret, requested, if forced { "Forced" } else { "Scheduled" }));
    }
    if page.more {
        doomed.save(txn, place, secret)?;
    } else {
        quota::subtract(txn, place, &secret.id).await?;
        secret.remove(txn, place);
    }
    Ok(events)
}

/// The two records of a removed version.
pub(crate) fn removal(secret: &Secret, requested: Timestamp, how: &str) -> [Event; 2] {
    ["StartSecretVersionDelete", "EndSecretVersionDelete"].map(|name| Event::Service {
        name,
        details: serde_json::json!({ "ARN": secret.arn, "Name": secret.name }),
        request_id: format!(
            "SecretDeleteMessage:{}:{}:{how}",
            secret.arn,
            requested.format("%Y-%m-%dT%H:%M:00Z")
        ),
    })
}
