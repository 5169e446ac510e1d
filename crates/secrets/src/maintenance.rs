//! What falls due without a request: deletions whose window has ended, versions nobody names.
//!
//! Work is found by the table of due rows, a prefix ordered by instant: never by looking at all
//! secrets. Each step is one transaction with its audit records, and may be killed anywhere.

use crate::Error;
use crate::limits::VERSIONS_KEPT;
use crate::quota;
use crate::secret::{DUE, Due, Place, Secret, secrets};
use crate::stages::VersionId;
use crate::version::{Version, values, versions_of};
use base::{Entropy, Timestamp, Uuid};
use service::audit::{self, OUTBOX};
use service::{Event, Ports};
use std::ops::Bound;
use std::time::Duration;
use store::{KeyRange, Txn};

/// Versions removed in one transaction: bounds its size and the time others wait for it.
const PORTION: usize = 100;
/// Rows read at a time when looking for old versions: a row may hold 64 KiB.
const LOOK: usize = 16;
/// No version younger than this is removed for want of a label.
const YOUNG: Duration = Duration::from_hours(24);

/// How long a secret is left alone whose rows can't be read.
const LATER: Duration = Duration::from_hours(1);

/// Does one portion of what is due at `now`. Tells when the next is due, if anything is.
///
/// # Errors
///
/// What was to be done was not done, and is found again by the next step; by one of the next hour if
/// rows are damaged, so that one secret's damage stops no other's removal.
pub async fn step(
    ports: Ports<'_>,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let mut txn = store::begin(ports.backend);
    let Some(due) = first_due(&mut txn).await? else { return Ok(None) };
    if due.at > now {
        return Ok(Some(due.at));
    }
    let outcome = perform(txn, ports, entropy, (&due, now)).await;
    if let Err(Error::Store(store::Error::Corrupt { .. })) = outcome {
        postpone(ports, due, now).await?;
    }
    outcome
}

async fn perform(
    mut txn: Txn<'_>,
    ports: Ports<'_>,
    entropy: &dyn Entropy,
    (due, now): (&Due, Timestamp),
) -> Result<Option<Timestamp>, Error> {
    let place = Place { account: due.account.clone(), region: due.region.clone() };
    let events = match txn.find(&secrets(), &(&place, &due.secret)).await? {
        Some(secret) => serve(&mut txn, &place, secret, now).await?,
        None => Vec::new(),
    };
    if events.is_empty() {
        // Nothing was left to do: the row must go all the same, or it would be found for ever.
        txn.remove(&DUE, due);
    }
    let records: Option<Vec<_>> =
        events.iter().map(|it| record(&place, now, entropy, it)).collect();
    let records = records.ok_or_else(|| store::Error::Unavailable("no audit record".into()))?;
    records.iter().try_for_each(|it| txn.save(&OUTBOX, it, it))?;
    match txn.commit().await {
        Ok(()) => {
            // The outbox holds the records: the journal gets them now or when it can again.
            let _later = ports.trail.append_committed(&records).await;
            Ok(Some(now))
        }
        // Somebody changed the secret meanwhile; the next step sees it fresh.
        Err(store::Error::Conflict { .. }) => Ok(Some(now)),
        Err(error) => Err(error.into()),
    }
}

/// Lets others go first. The row that is left then leads to the secret, or to nothing, and goes.
async fn postpone(ports: Ports<'_>, due: Due, now: Timestamp) -> Result<(), Error> {
    let mut txn = store::begin(ports.backend);
    txn.remove(&DUE, &due);
    let later = Due { at: now.plus(LATER), ..due };
    txn.save(&DUE, &later, &later)?;
    Ok(txn.commit().await?)
}

async fn first_due(txn: &mut Txn<'_>) -> Result<Option<Due>, Error> {
    let page = txn.page::<Due>(KeyRange::prefix("due/"), 1, false).await?;
    Ok(page.rows.into_iter().next().map(|(_, due)| due))
}

async fn serve(
    txn: &mut Txn<'_>,
    place: &Place,
    secret: Secret,
    now: Timestamp,
) -> Result<Vec<Event>, Error> {
    if secret.deletion.is_some_and(|it| it.due <= now) {
        let doomed = secret.clone();
        return purge(txn, place, &secret, doomed, now).await;
    }
    if secret.trim.is_some_and(|it| it <= now) {
        return trim(txn, place, secret, now).await;
    }
    Ok(Vec::new())
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
    let page = txn.page::<Version>(versions_of(place, &secret.id), PORTION, false).await?;
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

/// Removes the oldest versions without label while there are more than are kept.
async fn trim(
    txn: &mut Txn<'_>,
    place: &Place,
    before: Secret,
    now: Timestamp,
) -> Result<Vec<Event>, Error> {
    let old = unlabelled(txn, place, &before).await?;
    let surplus = before.versions.saturating_sub(VERSIONS_KEPT) as usize;
    let ripe = |created: &Timestamp| created.plus(YOUNG) <= now;
    let removed: Vec<_> =
        old.iter().take(surplus.min(PORTION)).filter(|(created, _)| ripe(created)).collect();
    let mut secret = before.clone();
    let mut events = Vec::new();
    for (_, version) in &removed {
        txn.remove(&values(), &(place, &secret.id, version));
        secret.versions = secret.versions.saturating_sub(1);
        events.extend(removal(&secret, now, "Retention"));
    }
    let next = old.get(removed.len()).map(|(created, _)| created.plus(YOUNG).max(now));
    secret.trim = next.filter(|_| secret.versions > VERSIONS_KEPT);
    secret.save(txn, place, &before)?;
    Ok(events)
}

/// The versions that carry no label, oldest first.
async fn unlabelled(
    txn: &mut Txn<'_>,
    place: &Place,
    secret: &Secret,
) -> Result<Vec<(Timestamp, VersionId)>, Error> {
    let mut found = Vec::new();
    let mut range = versions_of(place, &secret.id);
    loop {
        let page = txn.page::<Version>(range.clone(), LOOK, false).await?;
        let last = page.rows.last().map(|(key, _)| key.clone());
        let versions = page.rows.into_iter().map(|(_, version)| version);
        found.extend(
            versions.filter(|it| secret.stages.of(&it.id).is_empty()).map(|it| (it.created, it.id)),
        );
        match last {
            Some(key) if page.more => range.from = Bound::Excluded(key),
            _ => break,
        }
    }
    found.sort();
    Ok(found)
}

/// The two records of a removed version.
fn removal(secret: &Secret, requested: Timestamp, how: &str) -> [Event; 2] {
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

fn record(
    place: &Place,
    now: Timestamp,
    entropy: &dyn Entropy,
    event: &Event,
) -> Option<audit::Encoded> {
    let Event::Service { name, details, request_id } = event else { return None };
    let id = Uuid::random(entropy);
    audit::of_service((&place.account, &place.region), now, id, (name, details, request_id))
}
