//! What falls due without a request: deletions whose window has ended, versions nobody names.
//!
//! Work is found by the table of due rows, a prefix ordered by instant: never by looking at all
//! secrets. Each transaction carries its audit records, so a step may be killed anywhere.

use crate::due::{DUE, Due};
use crate::operations::SOURCE;
use crate::secret::{Place, Secret, secrets};
use crate::version::{Head, values, versions_of};
use crate::{Error, quota, retention};
use base::{Entropy, Timestamp, Uuid};
use service::{Event, Ports, audit, commit_recorded, due};
use std::time::Duration;
use store::Txn;

/// Versions removed in one transaction: bounds its size and the time others wait for it.
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
    let Some(due) = due::first::<Due>(&mut txn, ports.backend).await? else { return Ok(None) };
    if due.at > now {
        return Ok(Some(due.at));
    }
    let outcome = work.perform(txn, &due).await;
    if let Err(Error::Store(store::Error::Corrupt { .. })) = outcome {
        due::postpone(ports.backend, due, now.plus(LATER)).await?;
    }
    outcome.map(|()| Some(now))
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
        txn: Txn<'_>,
        place: &Place,
        events: &[Event],
    ) -> Result<bool, Error> {
        let records: Option<Vec<_>> = events.iter().map(|it| self.record(place, it)).collect();
        let records = records.ok_or_else(|| store::Error::Unavailable("no audit record".into()))?;
        Ok(commit_recorded(txn, &records, self.ports.trail).await?)
    }

    fn record(&self, place: &Place, event: &Event) -> Option<audit::Encoded> {
        let Event::Service { source, name, details, request_id, .. } = event else { return None };
        let when = (self.now, Uuid::random(self.entropy));
        let told = (*name, details, request_id.as_str());
        audit::of_service(source, (&place.account, &place.region), when, told)
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
        secret.remove(txn, place)?;
    }
    Ok(events)
}

/// The two records of a removed version.
pub(crate) fn removal(secret: &Secret, requested: Timestamp, how: &str) -> [Event; 2] {
    ["StartSecretVersionDelete", "EndSecretVersionDelete"].map(|name| Event::Service {
        source: SOURCE,
        name,
        details: serde_json::json!({ "ARN": secret.arn, "Name": secret.name }),
        request_id: format!(
            "SecretDeleteMessage:{}:{}:{how}",
            secret.arn,
            requested.format("%Y-%m-%dT%H:%M:00Z")
        ),
        error: None,
    })
}
